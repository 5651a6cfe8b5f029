"""Pooling against loops over windows and channels."""

from __future__ import annotations

import math

import pytest
import torch
from lectures.pooling import L2Pool, MaxAcrossChannels, StochasticPool
from torch import Tensor


def each_window(x: Tensor, size: int, stride: int, of) -> Tensor:
    height, width = ((side - size) // stride + 1 for side in x.shape[2:])
    rows = [
        [
            of(x[:, :, i * stride : i * stride + size, j * stride : j * stride + size].flatten(2))
            for j in range(width)
        ]
        for i in range(height)
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (3, 1)])
def test_l2_pooling_is_the_root_of_the_sum_of_squares(agree, size, stride):
    def slow(x: Tensor) -> Tensor:
        return each_window(x, size, stride, lambda w: w.square().sum(-1).sqrt())

    agree(L2Pool(size, stride), slow, torch.randn(2, 3, 7, 6))


def test_l2_pooling_of_nothing_has_no_gradient_instead_of_nan():
    x = torch.zeros(1, 1, 2, 2, requires_grad=True)
    L2Pool(2)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[0, 0], [0, 0]]]]


def test_three_and_four_pool_to_five():
    assert L2Pool(2)(torch.tensor([[[[3.0, 0.0], [0.0, 4.0]]]])).item() == 5.0


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2)])
def test_stochastic_pooling_takes_the_expectation_in_evaluation(agree, size, stride):
    def slow(x: Tensor) -> Tensor:
        return each_window(x, size, stride, lambda w: (w * w).sum(-1) / w.sum(-1))

    agree(StochasticPool(size, stride).eval(), slow, torch.rand(2, 3, 7, 6) + 0.1)


def test_stochastic_pooling_draws_each_value_as_often_as_its_share():
    """4,000 windows of 1, 2, 0, 5: within four standard deviations of 1/8, 2/8, 0, 5/8."""
    torch.manual_seed(0)
    x = torch.tensor([[1.0, 2.0], [0.0, 5.0]]).repeat(50, 80).view(1, 1, 100, 160)
    drawn = StochasticPool(2)(x)
    assert drawn.shape == (1, 1, 50, 80)
    for value in (1.0, 2.0, 0.0, 5.0):
        share = value / 8
        found = (drawn == value).double().mean().item()
        assert abs(found - share) <= 4 * math.sqrt(share * (1 - share) / 4000)


def test_the_gradient_of_a_draw_goes_to_the_value_drawn():
    torch.manual_seed(0)
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], requires_grad=True)
    drawn = StochasticPool(2)(x)
    drawn.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, (x == drawn).float())


@pytest.mark.parametrize("training", [True, False])
def test_a_window_without_positive_values_does_not_break_stochastic_pooling(training):
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    y = StochasticPool(2).train(training)(x)
    y.sum().backward()
    assert y.tolist() == torch.zeros(1, 1, 2, 2).tolist()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_pooling_across_channels_is_the_maximum_of_each_run(agree):
    def slow(x: Tensor) -> Tensor:
        pooled = []
        for first in range(0, x.shape[1], 3):
            best = x[:, first]
            for c in range(first + 1, first + 3):
                best = torch.where(x[:, c] > best, x[:, c], best)
            pooled.append(best)
        return torch.stack(pooled, 1)

    agree(MaxAcrossChannels(3), slow, torch.randn(2, 6, 4, 5))
    agree(MaxAcrossChannels(3), slow, torch.randn(2, 6))
