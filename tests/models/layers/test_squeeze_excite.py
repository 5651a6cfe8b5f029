"""SqueezeExcite against a plain loop, against timm's, and against what the paper says it costs."""

from __future__ import annotations

import math

import pytest
import timm.layers
import torch
from torch import Tensor

from saccade.errors import UsageError
from saccade.models.layers.blocks import SqueezeExcite


def plain_squeeze_excite(x: Tensor, layer: SqueezeExcite) -> Tensor:
    """Equations 2 to 4 of the paper, a number at a time."""
    w1, b1 = layer.fc1.weight[:, :, 0, 0].tolist(), layer.fc1.bias.tolist()  # pyright: ignore
    w2, b2 = layer.fc2.weight[:, :, 0, 0].tolist(), layer.fc2.bias.tolist()  # pyright: ignore
    result = torch.empty_like(x)
    for n, image in enumerate(x):
        z = [sum(channel.flatten().tolist()) / channel.numel() for channel in image]
        hidden = [max(0.0, sum(w * v for w, v in zip(row, z)) + b) for row, b in zip(w1, b1)]
        for c, (row, b) in enumerate(zip(w2, b2)):
            excitation = sum(w * v for w, v in zip(row, hidden)) + b
            result[n, c] = image[c] / (1 + math.exp(-excitation))
    return result


def test_the_gate_is_the_one_of_the_paper_s_equations():
    torch.manual_seed(0)
    layer = SqueezeExcite(6, reduction=2).double()
    x = torch.randn(2, 6, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(layer(x), plain_squeeze_excite(x, layer), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("channels", [256, 512, 2048])
def test_it_is_timm_s_to_the_last_bit_gradients_included(channels: int):
    torch.manual_seed(0)
    ours, theirs = SqueezeExcite(channels), timm.layers.SEModule(channels)  # pyright: ignore
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(2, channels, 4, 4)
    one, two = ours(x), theirs(x)
    assert torch.equal(one, two)
    one.square().sum().backward()
    two.square().sum().backward()
    for a, b in zip(ours.parameters(), theirs.parameters()):
        assert torch.equal(a.grad, b.grad)  # pyright: ignore


def test_it_costs_two_channels_squared_over_the_reduction_and_the_biases():
    layer = SqueezeExcite(512, reduction=16)
    assert sum(p.numel() for p in layer.parameters()) == 2 * 512**2 // 16 + 512 + 32


def test_a_reduction_that_leaves_no_channel_is_refused():
    with pytest.raises(UsageError, match="8 channels"):
        SqueezeExcite(8, reduction=16)
