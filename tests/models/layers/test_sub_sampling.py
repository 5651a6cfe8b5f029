"""SubSampling against a loop over places."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from saccade.models.layers.historic import SubSampling


def slow(x: Tensor, layer: SubSampling) -> Tensor:
    n, channels, height, width = x.shape
    size = layer.size
    y = x.new_zeros(n, channels, height // size, width // size)
    for c in range(channels):
        for i in range(height // size):
            for j in range(width // size):
                total = x[:, c, size * i : size * (i + 1), size * j : size * (j + 1)].sum((1, 2))
                y[:, c, i, j] = layer.weight[c] * total + layer.bias[c]
    return y


@pytest.mark.parametrize("size", [2, 3])
def test_values_and_gradients_are_those_of_a_loop(agree, size):
    layer = SubSampling(3, size).double()
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    agree(layer, lambda x: slow(x, layer), torch.randn(2, 3, 6, 7), layer.weight, layer.bias)


def test_it_starts_as_the_mean():
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0]]).view(1, 1, 2, 2)
    assert SubSampling(1)(x).item() == 3.0


def test_the_s2_of_lenet_has_twelve_parameters():
    """LeCun 1998, section II-B: "Layer S2 has 12 trainable parameters"."""
    assert sum(p.numel() for p in SubSampling(6).parameters()) == 12
