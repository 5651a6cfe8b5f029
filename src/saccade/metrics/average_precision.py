"""Average precision: the area under precision over recall, as a sum of steps.

AP = sum over thresholds of (recall gained) x (precision there), without interpolation, which
flatters: Davis & Goadrich 2006, The relationship between precision-recall and ROC curves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.metrics.membership import membership
from saccade.metrics.resampling import Statistic


def average_precision(scores: Tensor, positive: Tensor) -> Statistic:
    """With each picture as often as its weight says; NaN without a picture of the class.

    scores [N], positive [N] bool
    """
    values, place = (-scores).unique(return_inverse=True)

    def statistic(weights: Tensor) -> Tensor:
        empty = weights.new_zeros(len(weights), len(values))
        hits = empty.index_add(1, place, weights * positive)
        drawn = empty.index_add(1, place, weights).cumsum(dim=1)
        precision = (hits.cumsum(dim=1) / drawn).nan_to_num(0.0)
        return (hits * precision).sum(dim=1) / hits.sum(dim=1)

    return statistic


def average_precisions(predictions: Tensor, targets: Tensor) -> Tensor:
    """Of each class against all others.  [N,K], [N] int64 or [N,K] labels -> [K]"""
    positive = membership(targets, predictions.shape[1])
    once = torch.ones(1, len(predictions), dtype=torch.float64)
    pairs = zip(predictions.T, positive.T, strict=True)
    return torch.cat([average_precision(scores, members)(once) for scores, members in pairs])


def mean_average_precision(predictions: Tensor, targets: Tensor) -> Tensor:
    """mAP: the mean over the classes or labels that have a picture.  [N,K], [N,K] -> []"""
    return average_precisions(predictions, targets).nanmean()
