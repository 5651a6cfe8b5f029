"""TableConv2d against a loop over its connections."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.models.layers.historic import TableConv2d

TABLE = ((0, 1), (2,), (0, 1, 2), (1, 2))


def test_values_and_gradients_are_those_of_a_loop_over_connections(agree):
    layer = TableConv2d(3, TABLE, 3).double()

    def slow(x: Tensor) -> Tensor:
        kernels = iter(layer.weight)
        maps = []
        for i, inputs in enumerate(TABLE):
            total = layer.bias[i] + x.new_zeros(2, 4, 5)
            for j in inputs:
                total = total + F.conv2d(x[:, j : j + 1], next(kernels)[None, None])[:, 0]
            maps.append(total)
        return torch.stack(maps, 1)

    agree(layer, slow, torch.randn(2, 3, 6, 7), layer.weight, layer.bias)


def test_a_full_table_is_a_convolution():
    conv = nn.Conv2d(3, 2, 5)
    full = TableConv2d(3, ((0, 1, 2), (0, 1, 2)), 5)
    with torch.no_grad():
        full.weight.copy_(conv.weight.flatten(0, 1))
        assert conv.bias is not None
        full.bias.copy_(conv.bias)
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(full(x), conv(x))


def test_only_the_connections_have_weights():
    layer = TableConv2d(3, TABLE, 5)
    assert sum(p.numel() for p in layer.parameters()) == 8 * 25 + 4
    assert (layer.dense() != 0).sum() == 8 * 25
