"""What a network is worth that says a number for each picture."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from saccade.metrics.measured import Measured, Number
from saccade.metrics.resampling import Resampling, Statistic, mean_of
from saccade.metrics.spearman import ranks
from saccade.metrics.spread import Wanted, with_spread


def numbers_measured(
    predictions: Tensor,
    targets: Tensor,
    unit: str = "",
    groups: Tensor | None = None,
    seed: int = 0,
) -> Measured:
    """All numbers of `predictions` [N,1] about `targets` [N,1], in the unit of what is measured.

    The baseline names the mean of the truth.  Rank correlation is bootstrapped on the ranks that
    all pictures have together.  With `groups` [N], pictures of one place each, what is said of a
    place is the mean over its pictures, and so is its truth: there are numbers "per place", too.
    """
    predicted, true = predictions.double().flatten(), targets.double().flatten()
    found = _of_pictures(predicted, true, unit, groups, seed)
    if groups is not None and len(groups.unique()) < len(groups):
        places = _of_pictures(_means(predicted, groups), _means(true, groups), unit, None, seed)
        first, *others = [replace(p, name=f"{p.name} per place") for p in places[:3]]
        found = [found[0], first, *found[1:], *others]
    return Measured(len(true), tuple(found))


def _means(values: Tensor, groups: Tensor) -> Tensor:
    """The mean of each group.  [N], [N] -> [G]"""
    names, place = groups.unique(return_inverse=True)
    return values.new_zeros(len(names)).index_add(0, place, values) / place.bincount()


def _of_pictures(
    predicted: Tensor, true: Tensor, unit: str, groups: Tensor | None, seed: int
) -> list[Number]:
    """All numbers of predictions [N] about truths [N]."""
    n, missed, spread = len(true), predicted - true, true - true.mean()
    wanted = [
        Wanted("R squared", r_squared(missed, true), "", 0.0),
        Wanted("mean absolute error", mean_of(missed.abs()), unit, float(spread.abs().mean())),
        Wanted("root mean square error", _root(missed), unit, float(spread.square().mean().sqrt())),
        Wanted("Spearman", _correlation(ranks(predicted), ranks(true)), "", 0.0),
        Wanted("Pearson", _correlation(predicted, true), "", 0.0),
        Wanted("bias", mean_of(missed), unit, 0.0),
    ]
    return with_spread(wanted, Resampling(n, None, groups, seed))


def r_squared(missed: Tensor, true: Tensor) -> Statistic:
    """1 - residual / total sum of squares about the mean of those drawn; NaN if they are alike."""

    def statistic(weights: Tensor) -> Tensor:
        n = weights.sum(dim=1)
        mean = weights @ true / n
        total = (weights * (true - mean[:, None]).square()).sum(dim=1)
        return torch.where(total > 0, 1 - weights @ missed.square() / total, torch.nan)

    return statistic


def _root(missed: Tensor) -> Statistic:
    return lambda weights: (weights @ missed.square() / weights.sum(dim=1)).sqrt()


def _correlation(a: Tensor, b: Tensor) -> Statistic:
    """Pearson's correlation of the pictures drawn."""

    def centred(weights: Tensor, values: Tensor) -> Tensor:
        return values - (weights @ values / weights.sum(dim=1))[:, None]

    def statistic(weights: Tensor) -> Tensor:
        x, y = centred(weights, a), centred(weights, b)
        together = (weights * x * y).sum(dim=1)
        return together / ((weights * x * x).sum(dim=1) * (weights * y * y).sum(dim=1)).sqrt()

    return statistic
