"""LocallyConnected against a loop over places, and against a convolution."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.models.layers.historic import LocallyConnected


def slow(x: Tensor, layer: LocallyConnected) -> Tensor:
    k, size = layer.kernel_size, layer.output_size
    padded = F.pad(x, (layer.padding,) * 4)
    filters = layer.filters()
    bias = layer.bias.view(size * size, -1)
    y = x.new_zeros(len(x), bias.shape[1], size, size)
    for i in range(size):
        for j in range(size):
            top, left = i * layer.stride, j * layer.stride
            patch = padded[:, :, top : top + k, left : left + k]
            for o in range(y.shape[1]):
                position = size * i + j
                y[:, o, i, j] = (patch * filters[position, o]).sum((1, 2, 3)) + bias[position, o]
    return y


@pytest.mark.parametrize(("kernel_size", "stride", "padding"), [(3, 1, 0), (3, 2, 1), (4, 3, 2)])
def test_values_and_gradients_are_those_of_a_loop(agree, kernel_size, stride, padding):
    layer = LocallyConnected(2, 3, kernel_size, size=7, stride=stride, padding=padding).double()
    x = torch.randn(4, 2, 7, 7)
    agree(layer, lambda x: slow(x, layer), x, layer.weight, layer.bias)


def test_with_the_same_filters_at_every_place_it_is_a_convolution():
    conv = nn.Conv2d(2, 3, 5, stride=2, padding=2).double()
    local = LocallyConnected(2, 3, 5, size=9, stride=2, padding=2).double()
    with torch.no_grad():
        local.weight.copy_(conv.weight.flatten(1).T.expand_as(local.weight))
        assert conv.bias is not None
        local.bias.copy_(conv.bias.repeat(local.output_size**2))
    x = torch.randn(2, 2, 9, 9).double()
    torch.testing.assert_close(local(x), conv(x))


def test_the_work_is_one_product_whatever_the_number_of_places():
    """No loop over places: as many operations for 36 of them as for 1,024."""

    def operations(size: int) -> int:
        x = torch.zeros(1, 1, size, size, device="meta")
        with torch.device("meta"):
            layer = LocallyConnected(1, 2, 5, size=size)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            layer(x)
        return sum(event.count for event in profile.key_averages())

    assert operations(10) == operations(36)
