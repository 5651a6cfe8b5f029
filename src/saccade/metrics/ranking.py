"""Ranking metrics: average precision and ROC AUC of a class; ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic, mean_over
from saccade.metrics.interval_methods import Area

ClassStatistic = Callable[[Tensor, Tensor], Statistic]  # scores [N], positive [N] bool


def average_precision(scores: Tensor, positive: Tensor) -> Statistic:
    """Average precision: the area under the precision-recall curve, as a statistic.

    The sum over thresholds of (increase of recall) x precision, without interpolation, which is too
    optimistic: Davis & Goadrich 2006, The relationship between precision-recall and ROC curves.
    NaN without an image of the class.  scores [N], positive [N] bool
    """
    values, index = (-scores).unique(return_inverse=True)

    def statistic(weights: Tensor) -> Tensor:
        empty = weights.new_zeros(len(weights), len(values))
        hits = empty.index_add(1, index, weights * positive)
        drawn = empty.index_add(1, index, weights).cumsum(dim=1)
        precision = (hits.cumsum(dim=1) / drawn).nan_to_num(0.0)
        return (hits * precision).sum(dim=1) / hits.sum(dim=1)

    return statistic


def roc_auc(scores: Tensor, positive: Tensor) -> Statistic:
    """ROC AUC: the probability that a positive image scores above a negative one; ties count half.

    Hanley & McNeil 1982, The meaning and use of the area under a ROC curve.  NaN unless there are
    images of both kinds.  scores [N], positive [N] bool
    """
    values, index = scores.unique(return_inverse=True)

    def statistic(weights: Tensor) -> Tensor:
        empty = weights.new_zeros(len(weights), len(values))
        hits = empty.index_add(1, index, weights * positive)
        others = empty.index_add(1, index, weights * ~positive)
        below = others.cumsum(dim=1) - others / 2
        return (hits * below).sum(dim=1) / (hits.sum(dim=1) * others.sum(dim=1))

    return statistic


def macro_mean(statistic: ClassStatistic, scores: Tensor, positive: Tensor) -> Statistic:
    """The mean of a statistic over the classes that have an image; NaN where none has.

    scores [N,K], positive [N,K] bool
    """
    classes = positive.any(dim=0).nonzero()[:, 0].tolist()
    if not classes:
        return lambda weights: weights.new_full((len(weights),), torch.nan)
    return mean_over([statistic(scores[:, k], positive[:, k]) for k in classes])


@dataclass(frozen=True)
class Ranking:
    """What a mean area is computed from: the scores of each class, and who belongs to it."""

    statistic: ClassStatistic
    scores: Tensor  # [N,K]
    positive: Tensor  # [N,K] bool

    def beside(self, other: Ranking) -> Statistic:
        """The statistic of 2N images, these and then those of another network.

        Scores are ranks within their network, since those of two may have other scales.
        """
        columns = [torch.stack([*map(ranks, one.scores.T)], dim=1) for one in (self, other)]
        positive = torch.cat([self.positive, other.positive])
        return macro_mean(self.statistic, torch.cat(columns), positive)


def area(statistic: ClassStatistic, scores: Tensor, positive: Tensor) -> tuple[Statistic, Area]:
    """The mean of an area over the classes that have an image, and how its interval is computed.

    scores [N,K], positive [N,K] bool
    """
    n, present = len(positive), positive.any(dim=0)
    one = torch.ones(1, n, dtype=torch.float64)
    values = [
        float(statistic(scores[:, k], positive[:, k])(one))
        for k in present.nonzero()[:, 0].tolist()
    ]
    rarer = positive.sum(dim=0)[present].double()
    rarer = torch.minimum(rarer, n - rarer).clamp_min(1)
    size = len(rarer) ** 2 / float((1 / rarer).sum()) if len(rarer) else 1.0
    return macro_mean(statistic, scores, positive), Area(size, max(values, default=0.0) == 1.0)


def ranks(values: Tensor) -> Tensor:
    """The ranks of values, from 1; equal values have their mean rank.  [N] -> [N] float64"""
    _, index, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(dim=0) - (counts - 1) / 2.0).double()[index]
