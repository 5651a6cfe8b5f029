from __future__ import annotations

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from saccade.metrics.bootstrap import Resampling, mean_of, replicates
from saccade.metrics.paired import (
    bootstrap_difference,
    holm,
    mcnemar,
    mcnemar_of,
    paired_accuracy,
    paired_interval,
)


def test_mcnemar_gives_the_published_p_values() -> None:
    test = mcnemar_of(1, 7)  # Fagerland 2013: airway hyper-responsiveness of 21 children
    assert test.exact == pytest.approx(0.0703, abs=5e-5)
    assert test.mid == pytest.approx(0.0391, abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_agrees_with_the_binomial_test_of_scipy(first: int, second: int) -> None:
    test, n = mcnemar_of(first, second), first + second
    if not n:  # the mid-p value would be a half, of runs between which nothing differs
        assert test.exact == test.mid == 1
        return
    exact = scipy.stats.binomtest(first, n).pvalue
    same = {k for k in range(n + 1) if k in (first, second)}
    half = sum(scipy.stats.binom.pmf(k, n, 0.5) for k in same) / 2
    assert test.exact == pytest.approx(exact, rel=1e-9)
    assert test.mid == pytest.approx(exact - half, rel=1e-9)
    assert test[2:] == mcnemar_of(second, first)[2:]


def test_mcnemar_of_many_images_is_still_a_number() -> None:
    expected = scipy.stats.binomtest(9_800, 20_000).pvalue
    assert mcnemar_of(9_800, 10_200).exact == pytest.approx(expected, rel=1e-6)


def test_the_paired_interval_by_hand() -> None:
    # Bonett & Price: 2/23 and 8/23; 6/23 +- 1.96 sqrt((10/23 - (6/23)^2) / 23)
    assert paired_interval(mcnemar_of(1, 7), 21) == pytest.approx((0.01338, 0.50836), abs=2e-5)


def test_two_runs_of_the_same_answers_are_inside_the_noise() -> None:
    right = torch.arange(30) % 3 > 0
    result = paired_accuracy(right, right)
    assert result.difference == 0
    assert result.test.exact == 1
    assert result.insignificant
    assert result.interval.low < 0 < result.interval.high


def test_a_gain_on_many_images_is_not_noise() -> None:
    first, second = torch.arange(100) < 70, torch.arange(100) < 85
    result = paired_accuracy(first, second)
    assert (result.n, result.difference) == (100, pytest.approx(0.15))
    assert mcnemar(first, second)[:2] == (0, 15)
    assert not result.insignificant
    assert result.interval.low > 0


def test_the_test_seldom_sees_a_difference_where_there_is_none() -> None:
    generator = torch.Generator().manual_seed(0)
    right = torch.rand(2, 1000, 80, generator=generator) < 0.8
    rejected = sum(not paired_accuracy(a, b).insignificant for a, b in zip(*right, strict=True))
    assert rejected / 1000 <= 0.065


def paired_means(first: torch.Tensor, second: torch.Tensor, resampling: Resampling):
    """The interval of the difference of two means of the same images, and its p-value."""
    return bootstrap_difference(*replicates([mean_of(first), mean_of(second)], resampling))


def test_a_paired_bootstrap_draws_the_same_images_for_both() -> None:
    generator = torch.Generator().manual_seed(0)
    hard = torch.rand(200, generator=generator).double() * 10
    interval, _ = paired_means(hard, hard + 0.1 + 0.01 * hard, Resampling(200))
    # the difference is 0.1 + 0.01 * hard: its mean moves by 0.01 * spread of hard / sqrt(200)
    half = 1.96 * 0.01 * float(hard.std()) / 200**0.5
    middle = 0.1 + 0.01 * float(hard.mean())
    assert interval == pytest.approx((middle - half, middle + half), abs=half * 0.15)


def test_the_p_value_and_interval_of_a_mean_are_near_those_of_the_paired_t_test() -> None:
    generator = torch.Generator().manual_seed(1)
    hard = 10 * torch.rand(300, generator=generator, dtype=torch.float64)
    noise = torch.randn(300, generator=generator, dtype=torch.float64)
    apart = 0.1 + noise - noise.mean()
    interval, p = paired_means(hard, hard + apart, Resampling(300))
    expected = scipy.stats.ttest_rel(hard + apart, hard)
    assert 0.01 < expected.pvalue < 0.5
    assert p == pytest.approx(expected.pvalue, abs=0.03)
    assert interval == pytest.approx(tuple(expected.confidence_interval()), abs=0.015)


def test_equal_numbers_have_a_p_value_of_one_and_no_interval() -> None:
    values = torch.arange(20.0)
    assert paired_means(values, values, Resampling(20)) == (None, 1.0)


def test_no_p_value_is_smaller_than_the_replicates_allow() -> None:
    values = torch.arange(20.0)
    p = paired_means(values, values + 1, Resampling(20, replicates=199))[1]
    assert p == pytest.approx(2 / 200)


def test_holm_by_hand() -> None:
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
