"""GoogLeNet against torchvision, Table 1 and the published counts."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from saccade.models.googlenet import (
    Logits,
    googlenet,
    googlenet_2014,
    googlenet_2014_aux,
    googlenet_aux,
)


def scattered(network: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """The network's state with every parameter and statistic drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    state = network.state_dict()
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            value.fill_(7)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2, generator=generator)
        else:
            fan_in = value[0].numel() if value.ndim > 1 else 10
            value.normal_(std=(2 / fan_in) ** 0.5, generator=generator)
    return state


def counted(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def outputs_and_gradients(network: nn.Module, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The logits of every classifier, and the gradient of their squares in every parameter."""
    torch.manual_seed(1)  # dropout
    answer = network(x)
    logits = [answer] if isinstance(answer, Tensor) else list(answer)
    torch.stack([a.square().sum() for a in logits]).sum().backward()
    return logits, [p.grad for p in network.parameters() if p.grad is not None]


@pytest.mark.parametrize("training", [False, True])
def test_googlenet_equals_torchvisions_bit_for_bit(training: bool):
    theirs = torchvision.models.googlenet(
        weights=None, num_classes=5, aux_logits=False, init_weights=False
    )
    ours = googlenet(num_classes=5)
    state = scattered(theirs)
    ours.load_state_dict(state, strict=True)
    assert list(ours.state_dict()) == list(state)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    our_logits, our_gradients = outputs_and_gradients(ours.train(training), x)
    their_logits, their_gradients = outputs_and_gradients(theirs.train(training), x)
    assert torch.equal(our_logits[0], their_logits[0])
    assert len(our_gradients) == len(their_gradients) == len(list(theirs.parameters()))
    assert all(map(torch.equal, our_gradients, their_gradients))
    assert all(torch.equal(value, theirs.state_dict()[k]) for k, value in ours.state_dict().items())


def test_the_side_classifiers_equal_torchvisions_bit_for_bit():
    theirs = torchvision.models.googlenet(
        weights=None, num_classes=5, aux_logits=True, init_weights=False
    )
    ours = googlenet_aux(num_classes=5)
    state = scattered(theirs)
    ours.load_state_dict(state, strict=True)
    assert list(ours.state_dict()) == list(state)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    our_logits, our_gradients = outputs_and_gradients(ours.train(), x)
    their_logits, their_gradients = outputs_and_gradients(theirs.train(), x)
    assert len(our_logits) == len(their_logits) == 3
    assert all(map(torch.equal, our_logits, their_logits))
    assert len(our_gradients) == len(list(theirs.parameters()))
    assert all(map(torch.equal, our_gradients, their_gradients))


def test_the_side_classifiers_answer_in_evaluation_too():
    network = googlenet_aux(num_classes=5).eval()
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        answer = network(x)
    assert isinstance(answer, Logits)
    trunk = googlenet(num_classes=5).eval()
    trunk.load_state_dict({k: v for k, v in network.state_dict().items() if k[:3] != "aux"})
    with torch.inference_mode():
        assert torch.equal(answer.logits, trunk(x))
        after_4d = trunk[:12](x)
        assert torch.equal(answer.aux2, network.get_submodule("aux2")(after_4d))


def test_the_published_network_has_its_published_counts():
    with torch.device("meta"):
        assert counted(googlenet_2014()) == 6_998_552
        assert counted(googlenet_2014_aux()) == 13_378_280
        assert counted(googlenet()) == 6_624_904  # as torchvision states


def test_every_module_has_the_weights_of_table_1():
    table = {  # the column "params", in units of 1024 weights
        "inception3a": 159, "inception3b": 380, "inception4a": 364, "inception4b": 437,
        "inception4d": 580, "inception4e": 840, "inception5b": 1388, "fc": 1000,
    }  # fmt: skip
    slips = {"inception4c": (463, 497.5), "inception5a": (1072, 1018)}  # printed, from its widths
    with torch.device("meta"):
        network = googlenet_2014()
    rows = dict(network.named_children())

    def weights(name: str) -> float:
        return sum(p.numel() for n, p in rows[name].named_parameters() if "weight" in n) / 1024

    for name, printed in table.items():
        assert weights(name) == pytest.approx(printed, rel=0.02), name
    for name, (_, from_its_widths) in slips.items():
        assert weights(name) == from_its_widths


def test_every_row_has_the_size_of_table_1():
    sizes = {
        "conv1": (64, 112), "maxpool1": (64, 56), "conv3": (192, 56), "maxpool2": (192, 28),
        "inception3a": (256, 28), "inception3b": (480, 28), "maxpool3": (480, 14),
        "inception4a": (512, 14), "inception4b": (512, 14), "inception4c": (512, 14),
        "inception4d": (528, 14), "inception4e": (832, 14), "maxpool4": (832, 7),
        "inception5a": (832, 7), "inception5b": (1024, 7), "avgpool": (1024, 1),
    }  # fmt: skip
    with torch.device("meta"):
        for network in (googlenet_2014(), googlenet()):
            x = torch.empty(1, 3, 224, 224)
            for name, row in network.named_children():
                x = row(x)
                if name in sizes:
                    assert (x.shape[1], x.shape[2]) == sizes[name], name


def test_the_side_classifiers_of_2014_pool_5x5_by_3_to_4x4():
    with torch.device("meta"):
        network = googlenet_2014_aux(num_classes=7)
        pooled = network.get_submodule("aux1.pool")(torch.empty(1, 512, 14, 14))
        answer = network(torch.empty(2, 3, 224, 224))
    assert pooled.shape == (1, 512, 4, 4)
    assert [a.shape for a in answer] == [(2, 7)] * 3
