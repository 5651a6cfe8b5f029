"""Deviation: how far predicted numbers lie from true ones; mean absolute and squared."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from saccade.data.batch import Batch
from saccade.metrics.bootstrap import Resampling, Statistic, Wanted, mean_of, with_spread
from saccade.metrics.metric import Measured, Number
from saccade.metrics.ranking import ranks


def deviations(prediction: Tensor, targets: Tensor) -> Tensor:
    """Predicted less true.  [N] or [N,D], [N] or [N,D] -> [N,D] float64"""
    n = len(prediction)
    return prediction.cpu().double().reshape(n, -1) - targets.cpu().double().reshape(n, -1)


def absolute_errors(prediction: Tensor, targets: Tensor) -> Tensor:
    """Of each picture, the mean over its numbers; MAE is their mean.  [N,D], [N,D] -> [N]"""
    return deviations(prediction, targets).abs().mean(dim=1)


class RootMeanSquare:
    """RMSE: the root of the mean square of each number, then the mean over numbers."""

    def __init__(self) -> None:
        self.squares = torch.zeros(1, dtype=torch.float64)  # [D] from the first batch on
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        squares = deviations(prediction, batch.targets).square().sum(dim=0)
        self.squares = self.squares + squares
        self.n += len(batch)

    def merge(self, other: RootMeanSquare) -> None:
        self.squares = self.squares + other.squares
        self.n += other.n

    def result(self) -> float:
        return float((self.squares / self.n).sqrt().mean())


# R squared: the share of the spread of the true numbers that is predicted.
#
# Sums of squares about means are merged as Chan, Golub & LeVeque 1979 say (Updating formulae and a
# pairwise algorithm for computing sample variances), so that large numbers lose nothing.


class RSquared:
    """1 - residual / total sum of squares of each number, then the mean over numbers.

    0 is as good as naming the mean of the truth, below 0 is worse; NaN if the truth never varies.
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean = torch.zeros(1, dtype=torch.float64)  # of the truth; [D] from the first batch on
        self.total = torch.zeros(1, dtype=torch.float64)
        self.residual = torch.zeros(1, dtype=torch.float64)

    def update(self, prediction: Tensor, batch: Batch) -> None:
        if not len(batch):
            return
        new, truth = RSquared(), batch.targets.cpu().double().reshape(len(batch), -1)
        new.n, new.mean = len(truth), truth.mean(dim=0)
        new.total = (truth - new.mean).square().sum(dim=0)
        new.residual = deviations(prediction, batch.targets).square().sum(dim=0)
        self.merge(new)

    def merge(self, other: RSquared) -> None:
        n = self.n + other.n
        if not other.n:
            return
        apart = other.mean - self.mean
        self.total = self.total + other.total + apart.square() * (self.n * other.n / n)
        self.mean = self.mean + apart * (other.n / n)
        self.residual = self.residual + other.residual
        self.n = n

    def result(self) -> float:
        varies = self.total > 0
        return float(torch.where(varies, 1 - self.residual / self.total, torch.nan).mean())


# What a network is worth that says a number for each picture.


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
