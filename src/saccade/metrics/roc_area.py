"""ROC area: how often a picture of the class scores above one that is not of it.

Hanley & McNeil 1982, The meaning and use of the area under a ROC curve; equal scores count half.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.metrics.membership import membership
from saccade.metrics.resampling import Statistic


def roc_area(scores: Tensor, positive: Tensor) -> Statistic:
    """With each picture as often as its weight says; NaN unless there are pictures of both kinds.

    scores [N], positive [N] bool
    """
    values, place = scores.unique(return_inverse=True)

    def statistic(weights: Tensor) -> Tensor:
        empty = weights.new_zeros(len(weights), len(values))
        hits = empty.index_add(1, place, weights * positive)
        others = empty.index_add(1, place, weights * ~positive)
        below = others.cumsum(dim=1) - others / 2
        return (hits * below).sum(dim=1) / (hits.sum(dim=1) * others.sum(dim=1))

    return statistic


def roc_areas(predictions: Tensor, targets: Tensor) -> Tensor:
    """The area of each class against all others; their mean is `.nanmean()`.  [N,K], [N] -> [K]"""
    positive = membership(targets, predictions.shape[1])
    once = torch.ones(1, len(predictions), dtype=torch.float64)
    pairs = zip(predictions.T, positive.T, strict=True)
    return torch.cat([roc_area(scores, members)(once) for scores, members in pairs])
