"""Student's t against SciPy and against his own paper."""

from __future__ import annotations

import pytest
from scipy import stats

from saccade.metrics.intervals import mean_interval, paired_t_test, t_quantile, t_test

# Student 1908, Section VI: additional hours of sleep gained by two drugs
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.706), (2, 4.303), (4, 2.776), (9, 2.262)])
def test_the_quantile_is_that_of_the_tables(freedom: int, t: float) -> None:
    assert t_quantile(freedom) == pytest.approx(t, abs=5e-4)
    assert t_test(t, freedom) == t_test(-t, freedom) == pytest.approx(0.05, abs=1e-4)


def test_the_interval_of_a_mean_is_that_of_scipy() -> None:
    result = mean_interval(FIRST)
    expected = stats.t.interval(0.95, 9, loc=sum(FIRST) / 10, scale=stats.sem(FIRST))
    assert result == pytest.approx(expected)


def test_the_drugs_of_the_paper_differ_by_more_than_chance() -> None:
    result = paired_t_test(FIRST, SECOND)
    assert result is not None
    assert result.difference == pytest.approx(1.58)
    assert result.p_value == pytest.approx(stats.ttest_rel(SECOND, FIRST).pvalue, rel=1e-9)
    assert result.interval and 0 < result.interval.low < 1.58 < result.interval.high


def test_one_repetition_says_nothing_of_the_spread() -> None:
    assert mean_interval([0.5]) is None
    assert paired_t_test([0.5], [0.6]) is None


def test_differences_without_spread_are_none_or_untested() -> None:
    same, other = paired_t_test([1, 2, 3], [1, 2, 3]), paired_t_test([1, 2, 3], [3, 4, 5])
    assert same is not None and other is not None
    assert (same.p_value, other.p_value) == (1.0, None)
    assert other.difference == 2 and other.interval is None
