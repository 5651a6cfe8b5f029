"""Ranking metrics and selective prediction.

Average precision and ROC AUC of a class; ranks; and selective prediction: "unknown" below a
confidence (El-Yaniv & Wiener 2010, On the foundations of noise-free selective classification;
Geifman 2019, Bias-reduced uncertainty estimation for deep neural classifiers).  Confidence is
meaningful for images like those measured; out of distribution it may be high.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic, mean_over
from saccade.metrics.intervals import Interval, wilson

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


def ranks(values: Tensor) -> Tensor:
    """The ranks of values, from 1; equal values have their mean rank.  [N] -> [N] float64"""
    _, index, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(dim=0) - (counts - 1) / 2.0).double()[index]


class Threshold(NamedTuple):
    """A confidence threshold, below which the prediction is "unknown", with its effect."""

    value: float
    n: int  # images it was chosen on
    coverage: float  # share of images with a confidence of at least `value`
    coverage_interval: Interval
    precision: float  # share of these that is correct; slightly optimistic, as it was chosen on
    precision_interval: Interval


@dataclass(frozen=True)
class SelectedThreshold:
    """A threshold on the validation images that it was chosen on, and on other images."""

    criterion: str  # "precision" or "coverage"
    target: float  # of the criterion, 0 to 1
    on_validation: Threshold
    on_these: Threshold

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "criterion": self.criterion,
            "target": self.target,
            "on_validation": self.on_validation._asdict(),
            "on_these": self.on_these._asdict(),
        }


class RiskCoverage(NamedTuple):
    """The risk-coverage curve."""

    coverage: Tensor  # [N], 1/n to 1
    risk: Tensor  # [N] error rate of the most confident images; its expectation among ties


def threshold_for_precision(
    confidences: Tensor, correct: Tensor, target: float
) -> Threshold | None:
    """The threshold of the highest coverage with at least the `target` precision, if any.

    confidences [N], correct [N] bool
    """
    reached = [t for t in thresholds(confidences, correct) if t.precision >= target]
    return max(reached, key=lambda t: t.coverage, default=None)


def threshold_for_coverage(confidences: Tensor, correct: Tensor, target: float) -> Threshold | None:
    """The highest threshold with at least the `target` coverage; None without images.

    confidences [N], correct [N] bool
    """
    reached = [t for t in thresholds(confidences, correct) if t.coverage >= target]
    return min(reached, key=lambda t: t.coverage, default=None)


def threshold_at(value: float, confidences: Tensor, correct: Tensor) -> Threshold:
    """The threshold `value` on images that it was not chosen on.

    The precision is NaN where no image reaches it.  confidences [N], correct [N] bool
    """
    mask = confidences.double() >= value
    n, answered, good = len(mask), int(mask.sum()), int((correct & mask).sum())
    share = good / answered if answered else math.nan
    coverage = answered / n
    return Threshold(value, n, coverage, wilson(answered, n), share, wilson(good, answered))


def thresholds(confidences: Tensor, correct: Tensor) -> list[Threshold]:
    """All distinct thresholds, the highest first, midway between two confidences.

    confidences [N], correct [N] bool
    """
    n = len(confidences)
    values, index, counts = confidences.double().unique(return_inverse=True, return_counts=True)
    hits = torch.zeros_like(values).index_add_(0, index, correct.double())
    answered, good = (part.flip(0).cumsum(0).tolist() for part in (counts, hits))
    values = values.flip(0)
    midway = ((values + torch.cat([values[1:], values.new_zeros(1)])) / 2).tolist()
    if midway:
        midway[-1] = 0.0  # full coverage
    return [
        Threshold(t, n, a / n, wilson(a, n), g / a, wilson(g, a))
        for t, a, g in zip(midway, answered, good, strict=True)
    ]


def risk_coverage(confidences: Tensor, correct: Tensor) -> RiskCoverage:
    """The risk-coverage curve.  confidences [N], correct [N] bool"""
    n = len(confidences)
    values, index, counts = confidences.unique(return_inverse=True, return_counts=True)
    wrong = torch.zeros(len(values), dtype=torch.float64).index_add_(0, index, (~correct).double())
    expected = (wrong / counts).repeat_interleave(counts).flip(0)  # the most confident first
    steps = torch.arange(1, n + 1, dtype=torch.float64)
    risk = expected.cumsum(0) / steps
    return RiskCoverage(steps / n, risk)
