"""What goes into the last layer, seen while a network is used."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saccade.models.backbone import HeadInputRecorder, all_outputs, last_layer
from saccade.models.create import create_model
from saccade.models.layers.historic import KNNClassifier

NETWORKS = {
    "lenet5": (1, 32),
    "logistic_regression": (1, 28),
    "resnet18_small": (3, 32),
    "googlenet_2014": (3, 64),  # classifiers at its side while it learns
    "timm:resnet10t": (3, 64),  # no table
}


def hooks(model: nn.Module) -> int:
    """How many hooks all modules of a network have."""
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_the_last_layer_makes_of_them_what_the_network_gives(name: str) -> None:
    channels, size = NETWORKS[name]
    model = create_model(name, num_classes=4).eval()
    x = torch.rand(3, channels, size, size, generator=torch.Generator().manual_seed(0))
    network = HeadInputRecorder(model)
    with torch.no_grad():
        logits, one = all_outputs(network(x))[0], all_outputs(network(x[:1]))[0]
        assert torch.equal(logits, all_outputs(model(x))[0])
        head = model.get_submodule(last_layer(model))
        assert isinstance(head, nn.Linear) and head.out_features == 4
        first, second = network.features
        torch.testing.assert_close(head(first), logits, rtol=0, atol=0)
        torch.testing.assert_close(head(second), one, rtol=0, atol=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_itself_is_left_alone(name: str) -> None:
    """No hook, no other module, and every weight shared, wherever it is moved to."""
    channels, size = NETWORKS[name]
    model = create_model(name, num_classes=4).eval()
    before = dict(model.named_modules())
    network = HeadInputRecorder(model)
    network(torch.rand(2, channels, size, size))
    assert dict(model.named_modules()) == before
    assert hooks(model) == hooks(network) == 0
    model.double()
    assert {p.dtype for p in network.parameters()} == {torch.float64}
    assert {id(p) for p in network.parameters()} == {id(p) for p in model.parameters()}


@pytest.mark.parametrize("training", [True, False])
def test_it_is_in_the_mode_that_the_network_is_in(training: bool) -> None:
    model = create_model("lenet5").train(training)
    assert HeadInputRecorder(model).training is training
    assert model.training is training


def test_maps_are_seen_as_their_means_over_places() -> None:
    model = nn.Sequential(nn.Identity(), nn.Conv2d(2, 3, 1), nn.AdaptiveAvgPool2d(1))
    network = HeadInputRecorder(model)
    network(torch.arange(16.0).view(1, 2, 2, 4))
    assert network.features[0].tolist() == [[3.5, 11.5]]


def test_a_row_of_remembered_images_is_a_last_layer_too() -> None:
    model = nn.Sequential(nn.Linear(2, 3), KNNClassifier(torch.eye(3), torch.eye(3), 1))
    assert last_layer(model) == "1"


def test_a_compiled_network_is_looked_into_as_well() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    model.compile(backend="eager")
    x = torch.ones(1, 2)
    network = HeadInputRecorder(model)
    torch.testing.assert_close(network(x), model(x))
    torch.testing.assert_close(network.features[0], model[0](x))
