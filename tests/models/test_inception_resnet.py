"""Inception-ResNet-v2 against timm and the published counts."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from saccade.models.inception_resnet import inception_resnet_v2, se_inception_resnet_v2


def scattered(network: nn.Module) -> dict[str, Tensor]:
    """The network's state with every parameter and statistic drawn at random."""
    generator = torch.Generator().manual_seed(0)
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


@pytest.fixture(scope="module")
def twins() -> tuple[nn.Module, nn.Module]:
    theirs = timm.create_model("inception_resnet_v2", pretrained=False, num_classes=5)
    ours = inception_resnet_v2(num_classes=5)
    state = scattered(theirs)
    ours.load_state_dict(state, strict=True)
    assert list(ours.state_dict()) == list(state)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


@pytest.mark.parametrize("training", [False, True])
def test_it_equals_timms_bit_for_bit(twins: tuple[nn.Module, nn.Module], training: bool):
    x = torch.randn(2, 3, 107, 107, generator=torch.Generator().manual_seed(2))
    answers = []
    for network in twins:
        network.train(training).zero_grad()
        logits = network(x)
        logits.square().sum().backward()
        answers.append((logits, [p.grad for p in network.parameters()]))
    (our_logits, our_gradients), (their_logits, their_gradients) = answers
    assert torch.equal(our_logits, their_logits)
    assert all(map(torch.equal, our_gradients, their_gradients))
    states = [network.state_dict().values() for network in twins]
    assert all(map(torch.equal, *states))


def test_the_counts_are_the_published_ones():
    with torch.device("meta"):
        network = inception_resnet_v2().eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 299, 299))
    assert sum(p.numel() for p in network.parameters()) == 55_843_464
    assert round(counter.get_total_flops() / 2e9, 2) == 13.16


def test_every_module_has_a_gate():
    with torch.device("meta"):
        plain, gated = inception_resnet_v2(), se_inception_resnet_v2()
    added = sum(p.numel() for p in gated.parameters()) - sum(p.numel() for p in plain.parameters())
    # A gate of C channels has C//16 * (C + 1) + C * (C//16 + 1) weights.
    widths = [320] * 11 + [1088] * 21 + [2080] * 11
    assert added == sum(c // 16 * (c + 1) + c * (c // 16 + 1) for c in widths)
    names = [name for name in gated.state_dict() if ".se." not in name]
    assert names == list(plain.state_dict())
