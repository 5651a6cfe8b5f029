from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from saccade.metrics.bootstrap import Resampling, mean_of, percentile, quantile_interval, replicates
from saccade.metrics.counts import cohen_kappa, count_statistic
from saccade.metrics.ranking import roc_auc


@pytest.fixture
def values() -> torch.Tensor:
    """Forty skewed numbers."""
    return torch.rand(40, generator=torch.Generator().manual_seed(0)).double().log().neg()


def test_intervals_agree_with_scipy(values) -> None:
    ours = percentile(mean_of(values), Resampling(40, replicates=20_000))
    expected = scipy.stats.bootstrap(
        (values.numpy(),), np.mean, n_resamples=20_000, method="percentile", rng=0, batch=1000
    ).confidence_interval
    assert ours == pytest.approx(tuple(expected), abs=0.02)  # the chance of 20,000 replicates


def test_the_same_seed_gives_the_same_interval_and_another_a_close_one(values) -> None:
    first, again = (percentile(mean_of(values), Resampling(40, seed=3)) for _ in range(2))
    other = percentile(mean_of(values), Resampling(40, seed=4))
    assert first == again
    assert first != other
    assert first == pytest.approx(other, abs=0.05)


def test_a_replicate_has_as_many_images() -> None:
    weights = torch.cat(list(Resampling(6, replicates=300).weights()))
    assert (weights.sum(dim=1) == 6).all()
    assert (weights[:, 5] == 0).any()
    assert (weights.mean(dim=0) - 1).abs().max() < 0.2


def test_groups_are_drawn_whole() -> None:
    groups = torch.tensor([7, 7, 3, 3, 3, 9])
    weights = torch.cat(list(Resampling(6, groups, replicates=200).weights()))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 2] == weights[:, 3]).all() and (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, 0] + weights[:, 2] + weights[:, 5] == 3).all()


def test_the_spread_of_replicates_is_what_theory_says(values) -> None:
    spread = replicates([mean_of(values)], Resampling(40, replicates=20_000)).std().item()
    assert spread == pytest.approx(float(values.std(correction=0)) / 40**0.5, rel=0.03)
    groups = torch.arange(40) // 4
    means = values.view(10, 4).mean(dim=1)
    spread = replicates([mean_of(values)], Resampling(40, groups=groups, replicates=20_000)).std()
    assert float(spread) == pytest.approx(float(means.std(correction=0)) / 10**0.5, rel=0.03)


def test_a_number_that_never_moves_has_no_interval() -> None:
    targets = torch.arange(20) % 2
    perfect = count_statistic(cohen_kappa, targets, targets, 2)
    assert percentile(perfect, Resampling(20)) is None
    assert quantile_interval(torch.tensor([]), 0.1, 0.9) is None


def test_replicates_without_a_class_are_left_out_of_its_area() -> None:
    scores, positive = (
        torch.rand(8, generator=torch.Generator().manual_seed(0)),
        torch.arange(8) < 1,
    )
    result = replicates([roc_auc(scores, positive)], Resampling(8, replicates=300))
    assert 0 < int(result.isfinite().sum()) < 300


def test_many_images_are_drawn_less_often_and_never_less_than_200_times() -> None:
    """4,000,000 draws a number: 2,000 replicates of 2,000 images, 400 of 10,000."""
    counts = [Resampling(n).affordable().replicates for n in (10, 2_000, 10_000, 1_000_000)]
    assert counts == [2000, 2000, 400, 200]
    assert Resampling(10, replicates=50).affordable().replicates == 50


def test_all_statistics_see_the_same_draws(values) -> None:
    drawn = replicates([mean_of(values), mean_of(2 * values)], Resampling(40, replicates=50))
    torch.testing.assert_close(drawn[1], 2 * drawn[0])
    assert replicates([], Resampling(40, replicates=50)).shape == (0, 50)


def test_the_interval_of_kappa_holds_the_truth_about_as_often_as_it_says() -> None:
    generator, covered = torch.Generator().manual_seed(0), 0
    for _ in range(200):  # 80 % right among three classes alike: kappa = (0.8 - 1/3) / (2/3) = 0.7
        targets = torch.randint(0, 3, (120,), generator=generator)
        moved = torch.rand(120, generator=generator) < 0.2
        step = torch.randint(1, 3, (120,), generator=generator)
        predicted = torch.where(moved, (targets + step) % 3, targets)
        interval = percentile(
            count_statistic(cohen_kappa, predicted, targets, 3), Resampling(120, replicates=400)
        )
        assert interval is not None
        covered += interval.low <= 0.7 <= interval.high
    assert 0.9 <= covered / 200 <= 0.985
