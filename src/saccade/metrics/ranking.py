"""Average precision: the area under precision over recall, as a sum of steps.

AP = sum over thresholds of (recall gained) x (precision there), without interpolation, which
flatters: Davis & Goadrich 2006, The relationship between precision-recall and ROC curves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic
from saccade.metrics.counts import membership
from saccade.metrics.intervals import Interval, wilson


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


# ROC area: how often a picture of the class scores above one that is not of it.
#
# Hanley & McNeil 1982, The meaning and use of the area under a ROC curve; equal scores count half.


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


# Spearman's correlation: whether predicted numbers stand in the order of the true ones.
#
# Spearman 1904, The proof and measurement of association between two things.


def spearman(prediction: Tensor, targets: Tensor) -> Tensor:
    """The correlation of ranks of each number, then the mean; NaN if one side never varies.

    [N] or [N,D], [N] or [N,D] -> []
    """
    n = len(prediction)
    pairs = zip(prediction.reshape(n, -1).T, targets.reshape(n, -1).T, strict=True)
    return torch.stack([_correlation(ranks(a), ranks(b)) for a, b in pairs]).mean()


def ranks(values: Tensor) -> Tensor:
    """From 1; equal values share the mean of their ranks.  [N] -> [N] float64"""
    _, place, times = values.unique(return_inverse=True, return_counts=True)
    return (times.cumsum(dim=0) - (times - 1) / 2.0).double()[place]


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()


# Selective prediction: saying "unknown" where the network is unsure.
#
# El-Yaniv & Wiener 2010, On the foundations of noise-free selective classification; Geifman 2019,
# Bias-reduced uncertainty estimation for deep neural classifiers (AURC and its excess).
#
# Confidence speaks of pictures like those measured.  On a picture of something else it may be
# high.


class Threshold(NamedTuple):
    """What is said with at least `value` is answered, all else is unknown."""

    value: float
    n: int  # pictures it was chosen on
    coverage: float  # share answered
    coverage_interval: Interval
    precision: float  # share of the answered that is right; chosen on, so a little too good
    precision_interval: Interval


@dataclass(frozen=True)
class Selected:
    """A threshold, and what it does to other pictures than those that it was chosen on."""

    wished: str  # "precision" or "coverage"
    share: float  # of it that was wished
    chosen: Threshold
    held: Threshold

    def to_dict(self) -> dict[str, Any]:
        chosen, held = self.chosen._asdict(), self.held._asdict()
        return {"wished": self.wished, "share": self.share, "chosen": chosen, "held": held}


class RiskCoverage(NamedTuple):
    """Share wrong among the surest pictures, for every share answered."""

    coverage: Tensor  # [N], 1/n to 1
    risk: Tensor  # [N]; among equally sure pictures what to expect in any order
    area: float  # AURC: the mean risk
    excess: float  # AURC less that of a confidence that ranks every mistake last


def threshold_for_precision(confidences: Tensor, right: Tensor, wished: float) -> Threshold | None:
    """The one that answers most with at least `wished` of it right; None if none does.

    confidences [N], right [N] bool
    """
    reached = [t for t in thresholds(confidences, right) if t.precision >= wished]
    return max(reached, key=lambda t: t.coverage, default=None)


def threshold_for_coverage(confidences: Tensor, right: Tensor, wished: float) -> Threshold | None:
    """The highest that still answers a share of at least `wished`; None without pictures.

    confidences [N], right [N] bool
    """
    reached = [t for t in thresholds(confidences, right) if t.coverage >= wished]
    return min(reached, key=lambda t: t.coverage, default=None)


def threshold_at(value: float, confidences: Tensor, right: Tensor) -> Threshold:
    """What the threshold `value` does to pictures that it was not chosen on.

    confidences [N], right [N] bool; the precision of no answer is NaN
    """
    there = confidences.double() >= value
    n, answered, good = len(there), int(there.sum()), int((right & there).sum())
    share = good / answered if answered else math.nan
    coverage = answered / n
    return Threshold(value, n, coverage, wilson(answered, n), share, wilson(good, answered))


def thresholds(confidences: Tensor, right: Tensor) -> list[Threshold]:
    """Every threshold that differs, the highest first, midway between two confidences."""
    n = len(confidences)
    values, place, times = confidences.double().unique(return_inverse=True, return_counts=True)
    hits = torch.zeros_like(values).index_add_(0, place, right.double())
    answered, good = (part.flip(0).cumsum(0).tolist() for part in (times, hits))
    values = values.flip(0)
    midway = ((values + torch.cat([values[1:], values.new_zeros(1)])) / 2).tolist()
    if midway:
        midway[-1] = 0.0  # below the least sure picture: everything is answered
    return [
        Threshold(t, n, a / n, wilson(a, n), g / a, wilson(g, a))
        for t, a, g in zip(midway, answered, good, strict=True)
    ]


def risk_coverage(confidences: Tensor, right: Tensor) -> RiskCoverage:
    """The curve and its area.  confidences [N], right [N] bool"""
    n = len(confidences)
    values, place, times = confidences.unique(return_inverse=True, return_counts=True)
    wrong = torch.zeros(len(values), dtype=torch.float64).index_add_(0, place, (~right).double())
    expected = (wrong / times).repeat_interleave(times).flip(0)  # the surest first
    steps = torch.arange(1, n + 1, dtype=torch.float64)
    risk = expected.cumsum(0) / steps
    best = (steps - int(right.sum())).clamp_min(0) / steps
    area = float(risk.mean())
    return RiskCoverage(steps / n, risk, area, area - float(best.mean()))
