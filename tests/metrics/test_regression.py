from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics as oracle
import torch
import torchmetrics.functional as other
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from saccade.metrics.metric import Averaged, Remembered
from saccade.metrics.ranking import ranks, spearman
from saccade.metrics.regression import RootMeanSquare, RSquared, absolute_errors

METRICS = {
    "mae": (lambda: Averaged(absolute_errors), oracle.mean_absolute_error),
    "rmse": (RootMeanSquare, oracle.root_mean_squared_error),
    "r2": (RSquared, oracle.r2_score),
}


@pytest.fixture(params=[None, 3], ids=["one number", "three numbers"])
def numbers(request) -> tuple[torch.Tensor, torch.Tensor]:
    """Predicted and true numbers, far from zero and with ties."""
    generator = torch.Generator().manual_seed(0)
    shape = (100,) if request.param is None else (100, request.param)
    truth = torch.randint(0, 9, shape, generator=generator).double() + 1e6
    return truth + torch.randn(shape, generator=generator).mul(2).round(), truth


@pytest.mark.parametrize("name", METRICS)
def test_regression_agrees_with_scikit_learn(name, numbers, measured) -> None:
    metric, reference = METRICS[name]
    expected = reference(numbers[1].numpy(), numbers[0].numpy())
    assert measured(metric(), *numbers) == pytest.approx(expected, rel=1e-9)


def test_regression_agrees_with_torchmetrics(numbers, measured) -> None:
    p, t = (part - 1e6 for part in numbers)  # torchmetrics loses digits far from zero
    assert measured(RSquared(), p, t) == pytest.approx(float(other.r2_score(p, t)), rel=1e-5)
    theirs = float(other.spearman_corrcoef(p, t).mean())
    assert measured(Remembered(spearman), p, t) == pytest.approx(theirs, rel=1e-5)


def test_spearman_agrees_with_scipy(numbers, quietly) -> None:
    p, t = (part.reshape(100, -1).numpy() for part in numbers)
    expected = np.mean([quietly(spearmanr, a, b)[0] for a, b in zip(p.T, t.T)])
    assert float(spearman(*numbers)) == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_ranks_agree_with_scipy(values: list[int]) -> None:
    assert ranks(torch.tensor(values)).tolist() == rankdata(values).tolist()


def test_one_column_of_predictions_meets_a_row_of_truths(measured) -> None:
    p, t = torch.tensor([[1.0], [2.0], [6.0]]), torch.tensor([1.0, 3.0, 2.0])
    assert measured(Averaged(absolute_errors), p, t) == pytest.approx(5 / 3)
    assert measured(RootMeanSquare(), p, t) == pytest.approx(math.sqrt(17 / 3))
    assert measured(RSquared(), p, t) == pytest.approx(1 - 17 / 2)
    assert measured(Remembered(spearman), p, t) == pytest.approx(0.5)


def test_a_truth_that_never_varies_leaves_r_squared_and_spearman_undefined(measured) -> None:
    p, t = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 3.0])
    assert math.isnan(measured(RSquared(), p, t))
    assert math.isnan(measured(Remembered(spearman), p, t))
