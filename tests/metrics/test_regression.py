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

from saccade.metrics.measure import scores
from saccade.metrics.metric import MetricReport
from saccade.metrics.ranking import ranks
from saccade.metrics.regression import RegressionMetric

METRICS = {
    "mean absolute error": oracle.mean_absolute_error,
    "root mean squared error": oracle.root_mean_squared_error,
    "R2": oracle.r2_score,
}


def measured(predictions: torch.Tensor, targets: torch.Tensor) -> MetricReport:
    metric = RegressionMetric()
    return metric.report(metric.rows(predictions[:, None], targets[:, None]))


@pytest.fixture
def numbers() -> tuple[torch.Tensor, torch.Tensor]:
    """Predicted and true numbers, far from zero and with ties."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 9, (100,), generator=generator).double() + 1e6
    return truth + torch.randn(100, generator=generator).mul(2).round(), truth


@pytest.mark.parametrize("name", METRICS)
def test_regression_agrees_with_scikit_learn(name, numbers) -> None:
    expected = METRICS[name](numbers[1].numpy(), numbers[0].numpy())
    assert measured(*numbers)[name].value == pytest.approx(expected, rel=1e-9)


def test_regression_agrees_with_torchmetrics(numbers) -> None:
    p, t = (part - 1e6 for part in numbers)  # torchmetrics loses digits far from zero
    result = measured(p, t)
    assert result["R2"].value == pytest.approx(float(other.r2_score(p, t)), rel=1e-5)
    expected = float(other.spearman_corrcoef(p, t))
    assert result["Spearman correlation"].value == pytest.approx(expected, rel=1e-5)


def test_spearman_agrees_with_scipy(numbers) -> None:
    expected = spearmanr(*(part.numpy() for part in numbers))[0]
    result = measured(*numbers)["Spearman correlation"].value
    assert result == pytest.approx(float(np.asarray(expected)), rel=1e-12)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_ranks_agree_with_scipy(values: list[int]) -> None:
    assert ranks(torch.tensor(values)).tolist() == rankdata(values).tolist()


def test_numbers_by_hand() -> None:
    """Misses of 0, 1 and 4; truths 1, 3, 2 spread by 2 about 2, ranks 1, 3, 2 beside 1, 2, 3."""
    result = measured(torch.tensor([1.0, 2.0, 6.0]), torch.tensor([1.0, 3.0, 2.0]))
    assert result["mean absolute error"].value == pytest.approx(5 / 3)
    assert result["root mean squared error"].value == pytest.approx(math.sqrt(17 / 3))
    assert result["R2"].value == pytest.approx(1 - 17 / 2)
    assert result["Spearman correlation"].value == pytest.approx(0.5)
    assert result["mean error"].value == pytest.approx(1)


def test_a_truth_that_never_varies_leaves_r_squared_and_correlations_undefined() -> None:
    result = measured(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 3.0]))
    assert math.isnan(result["R2"].value)
    assert math.isnan(result["Spearman correlation"].value)


def test_losses_are_squared_errors_in_units_of_the_scale() -> None:
    """(20 / 10)^2 and 0, as mean squared error of standardised numbers."""
    metric = RegressionMetric(scale=10.0)
    rows = metric.rows(torch.tensor([[120.0], [100.0]]), torch.tensor([[100.0], [100.0]]))
    assert rows.losses.tolist() == [4.0, 0.0]
    assert scores(metric, rows)["loss"] == 2.0
