"""Metrics as text: enough figures to tell small numbers, and near ones, apart."""

from __future__ import annotations

import pytest

from saccade.metrics.intervals import Interval
from saccade.metrics.metric import MetricValue, Score
from saccade.words import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"), (7.24e-5, "7.2e-05"), (-0.00012, "-0.00012"), (0.0123, "0.012"),
        (0.5, "0.500"), (12.3456, "12.346"), (1234.5, "1,234"), (-250.2, "-250"),
    ],
)  # fmt: skip
def test_small_numbers_have_two_figures(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "ends", "text"),
    [
        (7.2e-5, (5.1e-5, 9.8e-5), "7.2e-05 m (5.1e-05 to 9.8e-05, n = 40)"),
        (0.0, (0.0, 0.0), "0.000 m (0.000–0.000, n = 40)"),
        (1000.234, (1000.213, 1000.254), "1000.23 m (1000.21–1000.25, n = 40)"),
        (1500.0, (1400.0, 1600.0), "1,500 m (1,400–1,600, n = 40)"),
    ],
)
def test_the_ends_of_an_interval_are_told_apart(
    value: float, ends: tuple[float, float], text: str
) -> None:
    assert str(MetricValue("error", value, n=40, interval=Interval(*ends), unit="m")) == text


def test_a_small_score_is_not_0() -> None:
    assert Score("mean_absolute_error", rises=False, unit="").format(0.000072) == "7.2e-05"
