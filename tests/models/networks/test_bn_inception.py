"""BN-Inception against the paper's table and the counts of the public Caffe networks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from saccade.models.networks.bn_inception import bn_inception
from saccade.models.networks.senet import se_bn_inception


@pytest.fixture(scope="module")
def outlines() -> tuple[nn.Sequential, nn.Sequential]:
    with torch.device("meta"):
        return bn_inception().eval(), se_bn_inception().eval()


def test_every_row_has_the_size_of_figure_5(outlines: tuple[nn.Sequential, nn.Sequential]):
    sizes = {
        "conv1": (64, 112), "maxpool1": (64, 56), "conv3": (192, 56), "maxpool2": (192, 28),
        "inception3a": (256, 28), "inception3b": (320, 28), "inception3c": (576, 14),
        "inception4a": (576, 14), "inception4b": (576, 14), "inception4c": (608, 14),
        "inception4d": (608, 14), "inception4e": (1056, 7), "inception5a": (1024, 7),
        "inception5b": (1024, 7), "avgpool": (1024, 1),
    }  # fmt: skip
    for network in outlines:
        x = torch.empty(1, 3, 224, 224, device="meta")
        for name, row in network.named_children():
            x = row(x)
            if name in sizes:
                assert (x.shape[1], x.shape[2]) == sizes[name], name


def test_multiply_adds_are_those_of_the_lectures(gigamacs: Callable[[str], float]):
    assert round(gigamacs("bn_inception"), 2) == 2.03
    # A counter of convolutions leaves out each gate's mean and product: an operation an element.
    elements = 28 * 28 * (256 + 320) + 14 * 14 * (3 * 576 + 2 * 608) + 7 * 7 * (1056 + 2 * 1024)
    assert round(gigamacs("se_bn_inception") + 2e-9 * elements, 2) == 2.04


def test_parameters_are_those_of_the_public_caffe_networks(
    outlines: tuple[nn.Sequential, nn.Sequential],
):
    # Caffe's SE-BN-Inception: 11.922 million once its batch norms are folded into the convolutions,
    # that is with one number a channel instead of two (Open Model Zoo, se-inception.md).
    plain, gated = outlines
    channels = sum(m.num_features for m in gated.modules() if isinstance(m, nn.BatchNorm2d))
    count = sum(p.numel() for p in gated.parameters()) - channels
    assert round(count / 1e6, 3) == 11.922
    # A gate of C channels has C//16 * (C + 1) + C * (C//16 + 1) weights.
    widths = (256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024)
    gates = sum(c // 16 * (c + 1) + c * (c // 16 + 1) for c in widths)
    assert sum(p.numel() for p in plain.parameters()) == count + channels - gates


def test_gates_at_one_leave_the_network_as_it_is():
    torch.manual_seed(0)
    plain, gated = bn_inception(5).eval(), se_bn_inception(5).eval()
    report = gated.load_state_dict(plain.state_dict(), strict=False)
    assert not report.unexpected_keys
    assert all(".se." in name for name in report.missing_keys)
    for name, value in gated.named_parameters():
        if name.endswith("se.fc2.weight"):
            nn.init.zeros_(value)
        if name.endswith("se.fc2.bias"):
            nn.init.constant_(value, 30)  # the sigmoid of 30 is 1 in single precision
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(plain(x), gated(x))


def test_the_network_learns_from_end_to_end():
    torch.manual_seed(0)
    network = se_bn_inception(3)
    network(torch.randn(2, 3, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
