from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from saccade.metrics.calibration import apply_temperature, fit_temperature


def predictions(n: int, sharpness: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities [n,5] that are honest at temperature `sharpness`, and the truth."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, 5, generator=generator, dtype=torch.float64) * 2
    targets = logits.softmax(dim=1).multinomial(1, generator=generator)[:, 0]
    return (logits * sharpness).softmax(dim=1), targets


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_the_temperature_that_made_the_answers_unsure_or_oversure_is_found(sharpness) -> None:
    result = fit_temperature(*predictions(4000, sharpness))
    assert result.value == pytest.approx(sharpness, rel=0.06)
    assert result.interval is not None
    assert result.interval.low <= sharpness <= result.interval.high
    assert result.after <= result.before


@pytest.mark.parametrize("seed", range(4))
def test_the_minimum_agrees_with_that_of_scipy_and_scikit_learn(seed, quietly) -> None:
    probabilities, targets = predictions(60, 2.5, seed)
    logs = probabilities.log().numpy()

    def loss(log_temperature: float) -> float:
        scaled = np.exp(logs / math.exp(log_temperature))
        return float(log_loss(targets, scaled / scaled.sum(1, keepdims=True), labels=range(5)))

    best = quietly(minimize_scalar, loss, bounds=(-3, 3), options={"xatol": 1e-9})
    result = fit_temperature(probabilities, targets)
    assert result.value == pytest.approx(math.exp(best.x), rel=1e-5)
    assert result.after == pytest.approx(best.fun, rel=1e-9)
    assert result.before == pytest.approx(loss(0), rel=1e-6)


def test_the_interval_of_the_temperature_holds_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        interval = fit_temperature(*predictions(200, 2.0, seed)).interval
        assert interval is not None
        covered += interval.low <= 2.0 <= interval.high
    assert 0.9 <= covered / 200 <= 0.985


def test_images_without_a_mistake_leave_the_temperature_at_one_and_say_so() -> None:
    probabilities = torch.tensor([[0.6, 0.4], [0.3, 0.7]])
    result = fit_temperature(probabilities, torch.tensor([0, 1]))
    assert (result.value, result.interval) == (1.0, None)
    assert result.note == "the 2 validation images show too few mistakes to fit a temperature to"
    assert result.before == result.after


def test_answers_worse_than_chance_leave_the_temperature_at_one_and_say_so() -> None:
    probabilities = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    result = fit_temperature(probabilities, torch.tensor([1, 0, 0]))
    assert result.value == 1
    assert result.note == (
        "on 3 validation images the predictions are right no more often where they are more "
        "confident"
    )


def test_no_image_leaves_the_temperature_at_one() -> None:
    result = fit_temperature(torch.empty(0, 3), torch.empty(0, dtype=torch.int64))
    assert (result.value, result.n) == (1.0, 0)


def test_a_certain_mistake_has_a_temperature_all_the_same() -> None:
    probabilities = torch.tensor([[1.0, 0.0]] * 9 + [[1.0, 0.0]])
    result = fit_temperature(probabilities, torch.tensor([0] * 9 + [1]))
    # all alike: the best says 0.9, so that 149 log 2 / T = log 9
    assert result.value == pytest.approx(149 * math.log(2) / math.log(9), rel=1e-6)
    assert result.after == pytest.approx(-(0.9 * math.log(0.9) + 0.1 * math.log(0.1)))


def test_tempering_divides_logits() -> None:
    logits = torch.randn(20, 6, generator=torch.Generator().manual_seed(0))
    ours = apply_temperature(logits.softmax(dim=1), 1.7)
    torch.testing.assert_close(ours, (logits / 1.7).softmax(dim=1))


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 20), st.integers(0, 1000))
def test_tempering_never_changes_the_answer(temperature: float, seed: int) -> None:
    probabilities, _ = predictions(20, 1.0, seed)
    after = apply_temperature(probabilities, temperature)
    assert torch.equal(after.argmax(dim=1), probabilities.argmax(dim=1))
    torch.testing.assert_close(after.sum(dim=1), torch.ones(20).double())
