"""The effective receptive field against what is known of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saccade.errors import UsageError
from saccade.explain.receptive_field import effective_receptive_field


def stack(depth: int) -> nn.Sequential:
    """3x3 convolutions whose weights are all 1."""
    layers = [nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(depth)]
    for layer in layers:
        nn.init.ones_(layer.weight)
    return nn.Sequential(*layers)


def test_equal_weights_count_the_ways_to_a_pixel() -> None:
    field = effective_receptive_field(stack(2), "1", torch.zeros(3, 1, 9, 9))
    ways = torch.tensor([1, 2, 3, 2, 1.0])  # (1 1 1) * (1 1 1)
    expected = torch.outer(ways, ways) / 9
    assert torch.allclose(field.weights[2:7, 2:7], expected)
    assert field.weights.sum() == pytest.approx(float(expected.sum()))
    assert (field.position, field.inputs) == ((4, 4), 3)


def test_it_grows_as_the_root_of_the_depth() -> None:
    """Luo 2016, section 2: the field in theory grows with the depth, the effective with its root.

    n layers of ones add n steps of variance 2/3 each, so four times the depth doubles it.
    """
    sides = [
        effective_receptive_field(stack(depth), str(depth - 1), torch.zeros(1, 1, 99, 99)).size()
        for depth in (8, 32)
    ]
    assert sides[1] / sides[0] == pytest.approx(2, abs=0.15)


def test_a_hidden_layer_and_a_vector_can_be_measured() -> None:
    network = nn.Sequential(stack(1), nn.Flatten(), nn.Linear(25, 2))
    nn.init.ones_(network.get_parameter("2.weight"))
    network.get_parameter("2.weight").data[1] = 3  # whatever the signs, 1 and 3 do not cancel
    assert (
        effective_receptive_field(network, "0", torch.zeros(1, 1, 5, 5)).weights.count_nonzero()
        == 9
    )
    assert (
        effective_receptive_field(network, "2", torch.zeros(1, 1, 5, 5)).weights.count_nonzero()
        == 25
    )


def test_an_operation_without_a_module_is_refused() -> None:
    with pytest.raises(UsageError, match="'add' is an operation"):
        effective_receptive_field(stack(1), "add", torch.zeros(1, 1, 5, 5))
