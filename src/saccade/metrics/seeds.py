"""Tests of two settings, each trained from several seeds.

A difference of two runs is one of their seeds, too.  What is claimed of settings has to hold for
other seeds and for other images: both are drawn anew in thought (Bouthillier 2021, "Accounting for
variance in machine learning benchmarks").  How often it holds is in benchmarks/results/coverage.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, variance

import torch

from saccade.metrics.bootstrap import mean_over
from saccade.metrics.intervals import Interval, cross_validated_interval, t_quantile, t_test
from saccade.metrics.measure import too_few_groups
from saccade.metrics.metric import Quantity
from saccade.metrics.paired import Difference, Paired
from saccade.metrics.sample import Sample, Spread


def over_seeds(paired: Paired, first: Sequence[int], second: Sequence[int]) -> Difference:
    """The second setting's mean over seeds less the first's, on the same images.

    `first` and `second` are the networks of each, by their indices: two seeds or more.  Student's
    t; the variance is that of the images, by how far each moves the difference of the means, and
    that of the seeds of either setting, less what the images have added to it already (in terms of
    the analysis of variance: images and seeds crossed, both random).  Degrees of freedom by
    Satterthwaite 1946, with all of the variance over seeds, so that few seeds tell little.
    """
    sample = paired.sample
    settings = [[paired.quantities[k] for k in indices] for indices in (first, second)]
    one = settings[0][0]
    means = [mean_over([q.statistic for q in quantities]) for quantities in settings]
    spread = sample.spread(lambda w: means[1](w) - means[0](w), one.strata)
    seeds = [_of_seeds(quantities, sample) for quantities in settings]
    images = spread.error**2
    error = sqrt(images + sum(max(0.0, all_ - of_images) for all_, of_images, _ in seeds))
    parts = [(images, spread.freedom), *((all_, freedom) for all_, _, freedom in seeds)]
    divisor = sum(part**2 / freedom for part, freedom in parts)
    reason = too_few_groups(sample)
    if not error:
        reason = reason or "no spread to test by"
        return Difference(one.name, one.unit, spread.value, None, 1.0, "t", reason)
    freedom = max(1.0, error**4 / divisor)
    half = t_quantile(freedom) * error
    interval = None if reason else Interval(spread.value - half, spread.value + half)
    p = t_test(spread.value / error, freedom)
    return Difference(one.name, one.unit, spread.value, interval, p, "t", reason)


def _of_seeds(quantities: Sequence[Quantity], sample: Sample) -> tuple[float, float, int]:
    """The variance of a mean over seeds, how much of it is by these images, degrees of freedom."""
    spreads: list[Spread] = [sample.spread(q.statistic, q.strata) for q in quantities]
    count, moves = len(spreads), torch.stack([spread.moves for spread in spreads])  # [S,U]
    of_images = float(moves.var(dim=0).sum()) / count
    return variance(spread.value for spread in spreads) / count, of_images, count - 1


def seed_by_seed(
    name: str, unit: str, first: Sequence[float], second: Sequence[float], common: float
) -> Difference | None:
    """The mean difference of two settings, each seed of which has test images of its own.

    Both settings have those of a seed in common.  Student's t with the correction of Nadeau &
    Bengio (2003, Inference for the generalization error, section 4): `common` is the correlation of
    the differences of two seeds, by images that they have in common.  None for one seed.
    """
    ratio = common / (1 - common)
    differences = [b - a for a, b in zip(first, second, strict=True)]
    if len(differences) < 2:
        return None
    middle = fmean(differences)
    if len(set(differences)) == 1:
        reason = "the same in every seed: no spread to test by"
        return Difference(name, unit, middle, None, 1.0, "t", reason)
    interval = cross_validated_interval(differences, ratio)
    count = len(differences)
    error = sqrt(variance(differences) * (1 / count + ratio))
    return Difference(name, unit, middle, interval, t_test(middle / error, count - 1), "t")
