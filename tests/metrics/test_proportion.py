"""The interval of a share: what it holds, computed exactly, and its ends beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from saccade.metrics.intervals import proportion_interval, wilson


@pytest.mark.parametrize(("right", "n"), [(3, 20), (50, 50), (0, 12), (87, 100), (1, 2)])
def test_the_ends_are_the_wider_of_wilsons_and_the_mid_p_intervals(right: int, n: int) -> None:
    """At an end of the mid-p interval the tail with half of what was seen is 2.5 %."""
    low, high = proportion_interval(right, n)
    assert low <= wilson(right, n).low and high >= wilson(right, n).high
    for end, tail in ((low, scipy.stats.binom.sf), (high, scipy.stats.binom.cdf)):
        if 0 < end < 1 and end not in wilson(right, n):
            beyond = tail(right, n, end) if end == low else tail(right - 1, n, end)
            assert beyond + scipy.stats.binom.pmf(right, n, end) / 2 == pytest.approx(0.025)


@pytest.mark.parametrize(("n", "least"), [(5, 0.931), (10, 0.926), (50, 0.935), (300, 0.94)])
def test_it_holds_any_share_as_often_as_it_says(n: int, least: float) -> None:
    """The probability is a sum over all that may be seen."""
    ends = np.array([proportion_interval(k, n) for k in range(n + 1)])
    shares = np.linspace(0.001, 0.999, 999)[:, None]
    holds = (ends[:, 0] <= shares) & (shares <= ends[:, 1])
    probability = (scipy.stats.binom.pmf(np.arange(n + 1), n, shares) * holds).sum(axis=1)
    assert probability.min() >= least


def test_of_no_image_nothing_is_known() -> None:
    assert proportion_interval(0, 0) == (0, 1)
