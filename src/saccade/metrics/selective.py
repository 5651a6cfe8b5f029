"""Selective prediction: "unknown" below a threshold of confidence.

El-Yaniv & Wiener 2010, On the foundations of noise-free selective classification; Geifman 2019,
Bias-reduced uncertainty estimation for deep neural classifiers.  Confidence is meaningful for
images like those measured; out of distribution it may be high.

A threshold is chosen so that it keeps its word on fresh images in at least 95 % of all draws of the
images that it is chosen on: by tests in a fixed order of thresholds (Angelopoulos 2021, Learn then
test: calibrating predictive algorithms to achieve risk control, 2.3), each the exact binomial one
of Clopper & Pearson 1934.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import mean_of
from saccade.metrics.conformal import PredictionSets
from saccade.metrics.intervals import Interval, proportion_interval, t_quantile
from saccade.metrics.metric import MetricValue
from saccade.metrics.sample import Sample
from saccade.words import percent, proportion

LEVEL = 0.05  # the share of draws in which a threshold may miss its target


class Threshold(NamedTuple):
    """A confidence threshold, below which the prediction is "unknown", with its effect."""

    value: float
    n: int  # images
    coverage: float  # share of images with a confidence of at least `value`
    coverage_interval: Interval
    precision: float  # share of these that is correct; NaN where there are none
    precision_interval: Interval

    def __str__(self) -> str:
        text = f"answers {proportion(self.coverage, self.coverage_interval, self.n)}"
        if math.isnan(self.precision):
            return text
        low, high = (f"{100 * end:.1f}" for end in self.precision_interval)
        return f"{text}, {percent(self.precision)} of them right ({low}–{high})"

    def cost(self, unknown: float) -> float:
        """The mean cost of an image of which a wrong answer costs 1 and an unknown `unknown`."""
        wrong = self.coverage * (1 - self.precision) if self.coverage else 0.0
        return wrong + unknown * (1 - self.coverage)


@dataclass(frozen=True)
class SelectedThreshold:
    """A threshold on the validation images that it was chosen on, and on other images."""

    criterion: str  # "precision", "coverage", "recall" or "cost"
    target: float  # of the criterion
    on_validation: Threshold
    on_these: Threshold

    @property
    def summary(self) -> str:
        """A sentence on the threshold and its target."""
        below = f"unknown below a confidence of {self.on_validation.value:.4f}"
        if self.criterion == "cost":
            why = f"as an unknown costs {self.target:g} of a wrong answer"
            there, here = (t.cost(self.target) for t in (self.on_validation, self.on_these))
            return f"{below}, {why}: {there:.3f} an image on validation, {here:.3f} here"
        target = f"{self.criterion} of {percent(self.target)}"
        if not self.on_validation.value:
            return f"a {target} needs no threshold: every image gets an answer"
        return f"{below}, for a {target}, held on fresh images in 95 of 100 such choices"

    def __str__(self) -> str:
        chosen, here = f"chosen on validation: {self.on_validation}", f"{self.on_these}"
        return f"{self.summary}\n{chosen}\nmeasured here:        {here}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "criterion": self.criterion,
            "target": self.target,
            "on_validation": self.on_validation._asdict(),
            "on_these": self.on_these._asdict(),
        }


@dataclass(frozen=True)
class MeasuredSets:
    """Prediction sets, and what they do on other images than those that they are from."""

    sets: PredictionSets
    n_validation: int
    held: MetricValue  # the share of images whose set holds the true class
    size: MetricValue  # classes in a set, on average
    single: MetricValue  # the share of sets of one class

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @property
    def summary(self) -> str:
        """A sentence on the sets."""
        whose = "of each class" if self.sets.by_class else "of all images"
        limits = sorted(set(self.sets.limits))
        ends = f"{limits[0]:.4f}" + (f" to {limits[-1]:.4f}, by class," if limits[1:] else "")
        share = percent(self.sets.level)
        return (
            f"sets of the classes from a probability of {ends} on hold the class of {share} {whose}"
        )

    def __str__(self) -> str:
        lines = (f"{metric.name}: {metric}" for metric in (self.held, self.size, self.single))
        return "\n".join([self.summary, *lines])


class RiskCoverage(NamedTuple):
    """The risk-coverage curve."""

    coverage: Tensor  # [N], 1/n to 1
    risk: Tensor  # [N] error rate of the most confident images; its expectation among ties


@dataclass(frozen=True)
class Cuts:
    """All distinct thresholds of confidence on some images, the highest first."""

    values: Tensor  # [T] float64, midway between two confidences; the last is 0
    answered: Tensor  # [T] float64, images that reach it
    correct: Tensor  # [T] float64, of these
    n: float  # images

    @classmethod
    def of(cls, confidences: Tensor, correct: Tensor) -> Cuts:
        """confidences [N], correct [N] bool"""
        values, index, counts = confidences.double().unique(return_inverse=True, return_counts=True)
        hits = torch.zeros_like(values).index_add_(0, index, correct.double())
        answered, good = (part.flip(0).cumsum(0).double() for part in (counts, hits))
        values = values.flip(0)
        midway = (values + torch.cat([values[1:], values.new_zeros(1)])) / 2
        midway[-1:] = 0.0  # full coverage
        return cls(midway, answered, good, len(confidences))

    def scaled(self, factor: float) -> Cuts:
        """As if there were `factor` times as many images of the same kind."""
        amounts = (self.answered * factor, self.correct * factor, self.n * factor)
        return Cuts(self.values, *amounts)

    def for_precision(self, target: float) -> float | None:
        """The lowest threshold whose answers are surely correct in `target` of the cases, if any.

        Thresholds are tested from high to low until one fails, beginning with several numbers of
        answers, among which the level is divided: too few answers cannot pass, and of many the
        first may have a mistake too much.
        """
        starts = _starts(target, self.n)
        passed = _surely(self.correct, self.answered, target, LEVEL / max(1, len(starts)))
        lowest = -1
        for start in starts:
            first = int((self.answered < start).sum())
            failed = (~passed[first:]).nonzero()
            length = int(failed[0]) if len(failed) else len(passed) - first
            lowest = max(lowest, first + length - 1 if length else -1)
        return None if lowest < 0 else float(self.values[lowest])

    def for_coverage(self, target: float) -> float:
        """The highest threshold that surely `target` of the images reach; 0 if no other."""
        return self._highest(self.answered, target) or 0.0

    def for_recall(self, target: float) -> float | None:
        """The highest threshold with which surely `target` of all images get a correct answer."""
        return self._highest(self.correct, target)

    def _highest(self, hits: Tensor, target: float) -> float | None:
        passed = _surely(hits, torch.full_like(hits, self.n), target, LEVEL).nonzero()
        return float(self.values[passed[0, 0]]) if len(passed) else None


def _surely(hits: Tensor, n: Tensor, target: float, level: float) -> Tensor:
    """Whether a share of which `hits` of `n` were seen is at least `target`: Clopper & Pearson.

    [T], [T] float64 -> [T] bool
    """
    from scipy.special import betainc

    tail = betainc(hits.clamp_min(1e-12).numpy(), (n - hits + 1).numpy(), target)
    return torch.from_numpy(tail <= level) & (hits > 0)


def least_answers(target: float, level: float = LEVEL) -> float:
    """How many answers without a mistake show that `target` of them are correct."""
    return math.log(level) / math.log(target) if target < 1 else math.inf


def _starts(target: float, n: float) -> list[float]:
    """Numbers of answers to begin with, each twice the last; as many as the level is divided in."""
    count = 1
    while True:
        least = least_answers(target, LEVEL / count)
        if least > n:
            return [least_answers(target)] if count > 1 and least_answers(target) <= n else []
        fitting = 1 + int(math.log2(n / least))
        if fitting <= count:
            return [least * 2**k for k in range(fitting)]
        count += 1


def worth(indicator: Tensor, groups: Tensor | None) -> float:
    """How many independent images one of groups is worth, for the share of an indicator [N] bool.

    1 without groups; with few of them less, as Student's t is wider than the normal distribution.
    """
    if groups is None:
        return 1.0
    spread = Sample(len(indicator), groups).spread(mean_of(indicator))
    narrower = t_quantile(math.inf) / t_quantile(max(1.0, spread.sample.units - 1))
    return min(1.0, narrower**2 / spread.design_effect)


def threshold_at(value: float, confidences: Tensor, correct: Tensor) -> Threshold:
    """The threshold `value` on some images.  confidences [N], correct [N] bool"""
    mask = confidences.double() >= value
    n, answered, good = len(mask), int(mask.sum()), int((correct & mask).sum())
    share = good / answered if answered else math.nan
    coverage = answered / n
    intervals = proportion_interval(answered, n), proportion_interval(good, answered)
    return Threshold(value, n, coverage, intervals[0], share, intervals[1])


def surest(confidences: Tensor, answers: Tensor, share: float) -> Tensor:
    """The surest share of the predictions of each class, one at least.  [N], [N] -> [N] bool"""
    sure = torch.zeros_like(answers, dtype=torch.bool)
    for answer in answers.unique():
        members = (answers == answer).nonzero()[:, 0]
        order = confidences[members].argsort(descending=True, stable=True)
        sure[members[order[: max(1, int(share * len(members)))]]] = True
    return sure


def risk_coverage(confidences: Tensor, correct: Tensor) -> RiskCoverage:
    """The risk-coverage curve.  confidences [N], correct [N] bool"""
    n = len(confidences)
    values, index, counts = confidences.unique(return_inverse=True, return_counts=True)
    wrong = torch.zeros(len(values), dtype=torch.float64).index_add_(0, index, (~correct).double())
    expected = (wrong / counts).repeat_interleave(counts).flip(0)  # the most confident first
    steps = torch.arange(1, n + 1, dtype=torch.float64)
    risk = expected.cumsum(0) / steps
    return RiskCoverage(steps / n, risk)
