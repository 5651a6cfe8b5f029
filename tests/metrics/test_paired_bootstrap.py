from __future__ import annotations

import pytest
import scipy.stats
import torch

from saccade.metrics.bootstrap import Resampling, mean_of
from saccade.metrics.paired import paired_bootstrap


def test_the_p_value_and_interval_of_a_mean_are_near_those_of_the_paired_t_test() -> None:
    generator = torch.Generator().manual_seed(1)
    hard = 10 * torch.rand(300, generator=generator, dtype=torch.float64)
    noise = torch.randn(300, generator=generator, dtype=torch.float64)
    apart = 0.1 + noise - noise.mean()
    drawn = paired_bootstrap([mean_of(hard), mean_of(hard + apart)], Resampling(300))
    interval, p = drawn.difference(0, 1)
    expected = scipy.stats.ttest_rel(hard + apart, hard)
    assert 0.01 < expected.pvalue < 0.5
    assert p == pytest.approx(expected.pvalue, abs=0.03)
    assert interval == pytest.approx(tuple(expected.confidence_interval()), abs=0.015)
    assert drawn.values[1] - drawn.values[0] == pytest.approx(float(apart.mean()))


def test_equal_numbers_have_a_p_value_of_one_and_no_interval() -> None:
    values = torch.arange(20.0)
    drawn = paired_bootstrap([mean_of(values), mean_of(values)], Resampling(20))
    assert drawn.difference(0, 1) == (None, 1.0)


def test_no_p_value_is_smaller_than_the_replicates_allow() -> None:
    values = torch.arange(20.0)
    resampling = Resampling(20, replicates=199)
    drawn = paired_bootstrap([mean_of(values), mean_of(values + 1)], resampling)
    assert drawn.difference(0, 1)[1] == pytest.approx(2 / 200)
