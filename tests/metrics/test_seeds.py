"""Tests of settings over seeds: beside t-tests that others wrote, and by known laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from saccade.metrics.metric import Quantity
from saccade.metrics.paired import Paired
from saccade.metrics.sample import Sample
from saccade.metrics.seeds import over_seeds, seed_by_seed


def means(values: Tensor) -> Paired:
    """Networks [S] whose number is the mean over images of values [S,N]."""
    quantities = tuple(Quantity.mean("number", row) for row in values)
    return Paired(quantities, Sample(values.shape[1]))


def test_seeds_that_are_all_alike_leave_the_paired_t_test_over_images() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 60, generator=generator, dtype=torch.float64) + 0.2
    told = over_seeds(means(torch.stack([first] * 3 + [second] * 3)), [0, 1, 2], [3, 4, 5])
    expected: Any = scipy.stats.ttest_rel(second.numpy(), first.numpy())
    assert told.value == pytest.approx(float((second - first).mean()))
    assert told.p == pytest.approx(float(expected.pvalue), abs=0.01)


def test_images_that_are_all_alike_leave_welchs_test_over_seeds() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, 5), rng.normal(1, 3, 4)
    values = torch.from_numpy(np.concatenate([one, other]))[:, None].expand(9, 50)
    told = over_seeds(means(values), range(5), range(5, 9))
    expected: Any = scipy.stats.ttest_ind(other, one, equal_var=False)
    assert told.p == pytest.approx(float(expected.pvalue))
    assert told.interval == pytest.approx(tuple(expected.confidence_interval()))


def crossed(n: int, seeds: int, generator: torch.Generator, kind: float, own: float) -> Tensor:
    """Numbers of two settings, equally good: of images, seeds and settings.  -> [2,S,N]"""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return normal(2, seeds, n) + kind * normal(2, 1, n) + own * normal(2, seeds, 1)


@pytest.mark.parametrize(("kind", "own"), [(0.0, 0.0), (1.0, 0.0), (0.0, 0.3), (1.0, 0.3)])
def test_equal_settings_are_said_to_differ_once_in_twenty_times(kind: float, own: float) -> None:
    """At most 5 %, with the bound that chance gives; the t-test over seeds alone is far above."""
    generator, draws = torch.Generator().manual_seed(3), 300
    ours = by_seeds = 0
    for _ in range(draws):
        values = crossed(50, 5, generator, kind, own)
        ours += over_seeds(means(values.flatten(0, 1)), range(5), range(5, 10)).p < 0.05
        per_seed = values.mean(dim=2).numpy()
        welch: Any = scipy.stats.ttest_ind(*per_seed, equal_var=False)
        by_seeds += bool(welch.pvalue < 0.05)
    assert ours <= scipy.stats.binom.ppf(0.999, draws, 0.05)
    assert by_seeds > ours or kind == 0


def test_one_seed_tells_nothing_and_equal_differences_have_no_spread() -> None:
    assert seed_by_seed("accuracy", "%", [0.5], [0.6], 0.2) is None
    told = seed_by_seed("accuracy", "%", [0.5, 0.25], [0.75, 0.5], 0.2)
    assert told is not None and told.interval is None and told.p == 1
    assert "no spread" in told.reason
