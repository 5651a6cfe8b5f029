from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from saccade.engine.ema import EMA, decay_with_warmup, power_function_decay


def averaged(values: list[float], decay) -> float:
    model = nn.Linear(1, 1, bias=False)
    average = EMA(model, decay)
    for value in values:
        with torch.no_grad():
            model.weight.fill_(value)
        average.update()
    return next(average.model.parameters()).item()


def shares(steps: int) -> list[float]:
    """How much of each step's weights is in the automatic average, by linearity."""
    weights = [1 - power_function_decay(0)]
    for t in range(1, steps):
        weights = [share * power_function_decay(t) for share in weights] + [
            1 - power_function_decay(t)
        ]
    return weights


def test_a_fixed_decay_forgets_the_first_steps_sooner() -> None:
    assert [decay_with_warmup(0.5, t) for t in (0, 1, 8, 9)] == pytest.approx(
        [0.1, 2 / 11, 0.5, 0.5]
    )


def test_the_automatic_average_weighs_steps_by_karras_2023_equation_1() -> None:
    result, steps = shares(2000), 2000  # Equation 1: proportional to t^gamma
    expected = [(t / steps) ** 16.97 for t in range(1, steps + 1)]
    total = sum(expected)
    for t in (1500, 1800, 1999):
        assert result[t] == pytest.approx(expected[t] / total, rel=0.02)


@pytest.mark.parametrize("steps", [500, 5000])
def test_the_automatic_average_spans_a_twentieth_of_any_training(steps: int) -> None:
    result = shares(steps)
    mean = sum(share * t for t, share in enumerate(result, 1))
    variance = sum(share * (t - mean) ** 2 for t, share in enumerate(result, 1))
    assert math.sqrt(variance) / steps == pytest.approx(0.05, rel=0.02)


def test_the_automatic_average_of_a_constant_is_that_constant() -> None:
    assert averaged([3.0] * 10, "auto") == pytest.approx(3.0)


def test_the_automatic_average_is_a_slow_second_implementation() -> None:
    values, mean = [1.0, -2.0, 5.0, 4.0], 0.0
    for t, value in enumerate(values, 1):
        keep = (1 - 1 / t) ** 17.97
        mean = keep * mean + (1 - keep) * value
    assert averaged(values, "auto") == pytest.approx(mean, rel=1e-6)
