from __future__ import annotations

from typing import Any

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from saccade.metrics.classification import ClassMetric
from saccade.metrics.metric import Quantity
from saccade.metrics.paired import (
    SWAPS,
    Difference,
    Paired,
    holm,
    mcnemar,
    mcnemar_of,
    paired,
    paired_accuracy,
    paired_interval,
    swapped,
)
from saccade.metrics.sample import Sample


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


def test_a_permutation_of_few_images_by_hand() -> None:
    # of the 8 ways to sign 1, 2 and 4, those of 7 and -7 are as far from 0 as 7 is
    assert swapped(torch.tensor([1.0, 2.0, 4.0]), Sample(3)) == 2 / 8
    # 1 + 2 - 4 = -1: 7, 5, 3, 1, -1, -3, -5 and -7 all are as far
    assert swapped(torch.tensor([1.0, 2.0, -4.0]), Sample(3)) == 1
    # of two groups, 3 and 4: 7 and -7 of four
    assert swapped(torch.tensor([1.0, 2.0, 4.0]), Sample(3, torch.tensor([0, 0, 1]))) == 2 / 4


def test_a_permutation_of_many_images_agrees_with_that_of_scipy() -> None:
    generator = torch.Generator().manual_seed(1)
    apart = 0.1 + torch.randn(60, generator=generator).double().exp() - 1.5
    expected = scipy.stats.permutation_test(
        (apart.numpy(), 0 * apart.numpy()), lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples", vectorized=True, n_resamples=20_000, rng=0,
    )  # fmt: skip
    assert swapped(apart / 60, Sample(60)) == pytest.approx(expected.pvalue, abs=0.015)


def test_equal_networks_have_a_p_value_of_one() -> None:
    assert swapped(torch.zeros(20), Sample(20)) == 1


def test_no_p_value_is_smaller_than_the_swaps_allow() -> None:
    assert swapped(torch.ones(50), Sample(50)) == 1 / SWAPS


def means_compared(apart: torch.Tensor, groups: torch.Tensor | None = None) -> Difference:
    """The difference of two networks whose losses lie `apart`."""
    hard = torch.arange(len(apart)) % 7 / 7
    losses = (Quantity.mean("loss", values) for values in (hard, hard + apart))
    return Paired(tuple(losses), Sample(len(apart), groups)).difference(0, 1)


def test_the_interval_of_a_difference_of_means_is_that_of_the_paired_t_test() -> None:
    apart = 0.1 + torch.randn(300, generator=torch.Generator().manual_seed(1)).double()
    result = means_compared(apart)
    expected: Any = scipy.stats.ttest_1samp(apart.numpy(), 0)
    assert result.value == pytest.approx(float(apart.mean()))
    assert result.p == pytest.approx(expected.pvalue, abs=0.02)
    assert result.interval == pytest.approx(tuple(expected.confidence_interval()), abs=0.01)


def test_groups_are_swapped_as_one() -> None:
    """Five groups of ten alike: of 32 ways two are as far from 0 as all the one way."""
    apart = torch.arange(1.0, 6.0).repeat_interleave(10)
    result = means_compared(apart, torch.arange(50) // 10)
    assert (result.p, result.method) == (2 / 32, "permutation")
    assert (result.interval, result.reason) == (None, "5 groups are too few to tell of others")


@pytest.mark.parametrize("kind", ["accuracy", "balanced accuracy", "log loss"])
def test_equally_good_networks_on_unequal_classes_seldom_differ(kind: str) -> None:
    """Of 400 pairs with a level of 5 % 33 or fewer, but for one case in a thousand."""
    metric, differ = ClassMetric(("many", "few")), 0
    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        targets = (torch.rand(100, generator=generator) < 0.1).long()
        rows = []
        for _ in range(2):
            logits = torch.randn(100, 2, generator=generator)
            logits[torch.arange(100), targets] += 1.5
            rows.append(metric.rows(logits.softmax(dim=1), targets))
        one = next(one for one in paired(metric, rows) if one.quantities[0].name == kind)
        differ += one.difference(0, 1).p < 0.05
    assert differ <= 33


def test_holm_by_hand() -> None:
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
