"""variant: layers left out, activations exchanged, first weights chosen; nothing else moves."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from saccade.errors import UsageError
from saccade.models.catalogue import NETWORKS
from saccade.models.create import create_model, input_shape
from saccade.models.layers.activations import ACTIVATIONS
from saccade.models.layers.initialise import INITIALISATIONS
from saccade.models.variants import Variant, apply_variant


def changed(name: str, **changes) -> nn.Module:
    return apply_variant(create_model(name, 10), Variant(**changes), input_shape(name))


def kinds(network: nn.Module) -> list[str]:
    return [type(module).__name__ for module in network.modules()]


@pytest.mark.parametrize(
    "name, twin",
    [
        ("identity", "mlp_identity"),
        ("tanh", "mlp_tanh"),
        ("sigmoid", "mlp_sigmoid"),
        ("scaled_tanh", "mlp_scaled_tanh"),
        ("soft_relu", "mlp_soft_relu"),
        ("hard_threshold", "mlp_hard_threshold"),
        ("prelu", "mlp_prelu"),
    ],
)
def test_an_mlp_with_another_activation_is_the_mlp_made_with_it(name: str, twin: str):
    ours, theirs = changed("mlp", activation=name), NETWORKS[twin].make()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(3, 1, 28, 28)
    assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize(
    "name, function",
    [("elu", "elu"), ("gelu", "gelu"), ("silu", "silu"), ("leaky_relu", "leaky_relu")],
)
def test_the_others_are_pytorchs_functions(name: str, function: str):
    x = torch.linspace(-3, 3, 31)
    assert torch.equal(ACTIVATIONS[name]()(x), getattr(nn.functional, function)(x))


@pytest.mark.parametrize("name", ["cifar_resnet20", "lenet5_1998", "prelu_net_a", "googlenet"])
def test_every_activation_of_a_network_is_replaced(name: str):
    with torch.device("meta"):
        before, after = kinds(create_model(name, 10)), kinds(changed(name, activation="elu"))
    old = {"ReLU", "PReLU", "ScaledTanh", "Tanh", "Sigmoid"}
    assert old & set(before)
    assert not old & set(after)
    assert ["ELU" if kind in old else kind for kind in before] == after


def test_a_gate_stays_a_gate():
    with torch.device("meta"):
        network = changed("seresnet50", activation="tanh")
    assert kinds(network).count("Sigmoid") == 16  # a gate for each of 3 + 4 + 6 + 3 blocks
    assert kinds(network).count("ReLU") == 16  # inside them


def test_layers_are_left_out_by_row_and_by_number():
    by_row, by_number = changed("lenet5", without=("f6",)), changed("lenet5", without=("fc4",))
    assert [name for name, _ in by_row.named_children()] == [
        name for name, _ in by_number.named_children()
    ]
    assert "f6" not in dict(by_row.named_children())
    assert by_row(torch.zeros(2, 1, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_first_weights_are_those_of_the_rule_drawn_from_the_seed(name: str):
    torch.manual_seed(4)
    ours = changed("lenet5", init=name)
    torch.manual_seed(4)
    theirs = INITIALISATIONS[name](create_model("lenet5", 10))
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters()))


def test_a_layer_that_is_made_anew_has_the_first_weights_that_were_asked_for():
    network = changed("lenet5", without=("c3",), init="zero")
    assert not any(p.any() for p in network.parameters())


def test_nothing_changed_is_the_same_network():
    network = create_model("lenet5", 10)
    assert apply_variant(network, Variant(), (1, 32, 32)) is network


def test_a_network_of_timm_can_have_other_activations_and_first_weights():
    network = timm.create_model("resnet10t", num_classes=3)
    apply_variant(network, Variant(activation="tanh", init="zero"), (3, 64, 64))
    assert "ReLU" not in kinds(network)
    assert not network.get_parameter("fc.weight").any()


@pytest.mark.parametrize(
    "name, changes, words",
    [
        ("linear_regression", {"activation": "tanh"}, "the network has none to replace"),
        ("lenet5", {"activation": "rely"}, "no model.activation is called 'rely'"),
        ("lenet5", {"init": "hi"}, "no model.init is called 'hi'"),
        ("lenet5", {"without": ("fc9",)}, "no layer of this network is called 'fc9'"),
        ("lenet5", {"without": ("output",)}, "the last layer, which names the classes"),
        ("timm:resnet10t", {"without": ("fc",)}, "the network is no table"),
    ],
)
def test_what_cannot_be_is_refused(name: str, changes: dict, words: str):
    with pytest.raises(UsageError) as caught:
        changed(name, **changes)
    assert words in str(caught.value)
