"""StochasticDepth beside torchvision's, and what it expects."""

from __future__ import annotations

import pytest
import torch
import torchvision

from saccade.models.layers.blocks import StochasticDepth


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_it_is_torchvisions_row_mode_from_the_same_chance(rate: float):
    x = torch.randn(64, 3, 4, 4)
    torch.manual_seed(3)
    ours = StochasticDepth(rate)(x)
    torch.manual_seed(3)
    assert torch.equal(ours, torchvision.ops.stochastic_depth(x, rate, "row"))


def test_an_image_stays_whole_or_goes_whole():
    torch.manual_seed(0)
    x = torch.rand(2000, 2, 3, 3) + 1
    y = StochasticDepth(0.2)(x)
    gone = (y == 0).flatten(1)
    assert torch.equal(gone.all(1), gone.any(1))
    stays = ~gone.all(1)
    torch.testing.assert_close(y[stays], x[stays] / 0.8)
    deviation = (0.2 * 0.8 / 2000) ** 0.5
    assert abs(gone.all(1).float().mean() - 0.2) < 4 * deviation


def test_it_expects_what_came_in():
    torch.manual_seed(0)
    y = StochasticDepth(0.4)(torch.ones(10_000, 1))
    deviation = (0.4 / 0.6 / 10_000) ** 0.5  # of the mean of 10,000 numbers of variance p / (1 - p)
    assert abs(y.mean() - 1) < 4 * deviation


def test_a_gradient_passes_where_the_branch_stays_alone():
    torch.manual_seed(0)
    x = torch.ones(50, 1, requires_grad=True)
    y = StochasticDepth(0.5)(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())
    assert set(y.detach().flatten().tolist()) == {0.0, 2.0}


def test_evaluation_is_the_identity():
    x = torch.randn(4, 2)
    assert StochasticDepth(0.9).eval()(x) is x
