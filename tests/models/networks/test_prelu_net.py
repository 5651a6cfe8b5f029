"""PReLU-net: the numbers of its paper's Table 3, the pyramid's bins, the slopes."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from saccade.models.catalogue import NETWORKS
from saccade.models.layers.initialise import he
from saccade.models.networks.prelu_net import pyramid, stage


@pytest.mark.parametrize(
    "model, layers, operations",  # Table 3: depth, and complexity in 1e10 operations
    [("a", 19, 1.90), ("b", 22, 2.32), ("c", 22, 5.30)],
)
def test_depth_and_operations_are_those_of_the_paper(
    model: str, layers: int, operations: float, gigamacs: Callable[[str], float]
):
    with torch.device("meta"):
        network = NETWORKS[f"prelu_net_{model}"].make()
    weighted = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == layers
    assert gigamacs(f"prelu_net_{model}") / 10 == pytest.approx(operations, rel=0.01)


def test_parameters_of_model_a_are_those_counted_by_hand(parameters: Callable[[str], int]):
    convolutions = 3 * 96 * 49 + 9 * (96 * 256 + 4 * 256**2 + 256 * 512 + 4 * 512**2 + 5 * 512**2)
    channels = 96 + 5 * 256 + 10 * 512  # a bias and a slope each
    linear = 63 * 512 * 4096 + 4096**2 + 4096 * 1000 + (2 * 4096 + 1000) + 2 * 4096
    assert parameters("prelu_net_a") == convolutions + 2 * channels + linear


@pytest.mark.parametrize("height, width", [(14, 14), (9, 11), (7, 7)])
def test_a_bin_of_the_pyramid_is_the_one_that_the_paper_defines(height: int, width: int):
    """From floor(i h / n) up to ceil((i + 1) h / n), He 2014, a place at a time."""
    x = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    expected = []
    for n in (7, 3, 2, 1):
        for channel in range(3):
            for i in range(n):
                for j in range(n):
                    rows = slice(i * height // n, math.ceil((i + 1) * height / n))
                    columns = slice(j * width // n, math.ceil((j + 1) * width / n))
                    expected.append(x[:, channel, rows, columns].amax((1, 2)))
    assert torch.equal(pyramid(7, 3, 2, 1)(x), torch.stack(expected, dim=1))


def test_every_channel_has_a_slope_of_a_quarter_and_learns_it():
    network = stage(4, 6, 2)
    slopes = [m.weight for m in network.modules() if isinstance(m, nn.PReLU)]
    assert [slope.tolist() for slope in slopes] == [[0.25] * 6] * 2
    network(torch.randn(1, 4, 5, 5)).sum().backward()
    assert all(slope.grad is not None and slope.grad.abs().sum() > 0 for slope in slopes)


def test_the_weights_allow_for_the_slope():
    """Section 2.2: variance 2 / ((1 + 0.25^2) n)."""
    layer = nn.Conv2d(64, 64, 3)
    he(nn.Sequential(layer), torch.Generator().manual_seed(0), slope=0.25)
    expected = math.sqrt(2 / (1.0625 * 9 * 64))
    assert layer.weight.std().item() == pytest.approx(expected, rel=0.02)
