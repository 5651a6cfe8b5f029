"""The activations against Python's own mathematics."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from saccade.models.layers.activations import (
    HardThreshold,
    PerceptronThreshold,
    ScaledTanh,
    SoftReLU,
)

POINTS = (-50.0, -3.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 3.0, 50.0)


def values_and_slopes(layer: nn.Module) -> tuple[list[float], list[float]]:
    x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    y: Tensor = layer(x)
    (slopes,) = torch.autograd.grad(y.sum(), x)
    return y.tolist(), slopes.tolist()


def scaled_tanh(x: float) -> tuple[float, float]:
    t = math.tanh(2 * x / 3)
    return 1.7159 * t, 1.7159 * 2 / 3 * (1 - t * t)


def soft_relu(x: float) -> tuple[float, float]:
    return math.log1p(math.exp(-abs(x))) + max(x, 0.0), 1 / (1 + math.exp(-x))


def hard_threshold(x: float) -> tuple[float, float]:
    return float(x > 0), 0.0


def perceptron_threshold(x: float) -> tuple[float, float]:
    return float(x > 0), float(x > 0)  # less is asked of all: those that are 1 are wrong


@pytest.mark.parametrize(
    ("layer", "slow"),
    [
        (ScaledTanh(), scaled_tanh),
        (SoftReLU(), soft_relu),
        (HardThreshold(), hard_threshold),
        (PerceptronThreshold(), perceptron_threshold),
    ],
    ids=lambda case: getattr(case, "__name__", None),
)
def test_values_and_slopes_are_those_of_the_formula(layer, slow):
    values, slopes = values_and_slopes(layer)
    expected = [slow(x) for x in POINTS]
    assert values == pytest.approx([value for value, _ in expected], rel=1e-12)
    assert slopes == pytest.approx([slope for _, slope in expected], rel=1e-12)


def test_scaled_tanh_is_one_at_one():
    """LeCun 1998, appendix A: f(1) = 1 and f(-1) = -1, to the digits given there."""
    assert ScaledTanh()(torch.tensor([1.0, -1.0])).tolist() == pytest.approx([1, -1], abs=1e-4)


def test_soft_relu_is_exact_where_softplus_has_given_up():
    x = torch.tensor([25.0], dtype=torch.float64)
    assert SoftReLU()(x).item() - 25 == pytest.approx(math.exp(-25), rel=1e-3)
    assert nn.Softplus()(x).item() == 25.0


def test_a_perceptrons_unit_that_is_right_is_left_alone():
    x = torch.tensor([2.0, -2.0, 2.0, -2.0], requires_grad=True)
    y = PerceptronThreshold()(x)
    y.backward(torch.tensor([0.3, 0.3, -0.3, -0.3]))  # less, less, more, more is asked
    assert y.tolist() == [1, 0, 1, 0]
    assert x.grad is not None
    assert x.grad.tolist() == pytest.approx([0.3, 0, 0, -0.3])


def test_descent_through_the_perceptrons_threshold_is_rosenblatts_rule():
    x, target = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([[1.0]])
    fc = nn.Linear(3, 1, bias=False)
    nn.init.constant_(fc.weight, 0.1)  # z = -0.05, so y = 0 and the error is 1
    (0.5 * (PerceptronThreshold()(fc(x)) - target) ** 2).sum().backward()
    assert fc.weight.grad is not None
    assert torch.equal(-fc.weight.grad, (target - 0) * x)
