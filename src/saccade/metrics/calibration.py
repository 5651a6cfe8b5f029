"""Calibration: whether predicted probabilities agree with the frequencies of what is true.

Log loss and Brier score of each image, the reliability diagram (DeGroot & Fienberg 1983, The
comparison and evaluation of forecasters), and temperature scaling (Guo 2017, On calibration of
modern neural networks, Section 4.2), which calibrates confidences and changes no predicted class.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.intervals import Interval, proportion_interval

MIN_PROBABILITY = 2.0**-149  # float32's smallest positive number; smaller ones count as it
COLDEST, HOTTEST = 0.01, 100.0  # range of fitted temperatures
TINY = 1e-300  # in place of a variance of nothing


def log_losses(probabilities: Tensor, targets: Tensor) -> Tensor:
    """The log loss of each image: -log of the probability of the true class, in nats.

    Good 1952, Rational decisions.  [N,K], [N] int64 -> [N] float64
    """
    true_probability = probabilities.gather(1, targets[:, None])[:, 0]
    return -true_probability.double().clamp_min(MIN_PROBABILITY).log()


def brier_scores(probabilities: Tensor, targets: Tensor) -> Tensor:
    """The Brier score of each image: the squared distance of probabilities from the one-hot truth.

    Brier 1950, Verification of forecasts expressed in terms of probability: summed over all
    classes, 0 when certain and right, 2 when certain and wrong.  [N,K], [N] int64 -> [N] float64
    """
    truth = torch.nn.functional.one_hot(targets, probabilities.shape[1])
    return (probabilities.double() - truth).square().sum(dim=1)


class Bin(NamedTuple):
    """A bin of a reliability diagram: images with a confidence in (low, high]."""

    low: float
    high: float
    n: int
    confidence: float  # the mean
    accuracy: float
    interval: Interval  # of the accuracy; Wilson, 95 %


def equal_width(bins: int) -> Tensor:
    """Ends of bins of equal width from 0 to 1.  -> [bins + 1] float64"""
    return torch.linspace(0, 1, bins + 1, dtype=torch.float64)


def equal_count(confidences: Tensor, bins: int) -> Tensor:
    """Ends of bins of about equal count; fewer bins where many are equal.  [N] -> [<=bins+1]"""
    inner = torch.linspace(0, 1, bins + 1, dtype=torch.float64)[1:-1]
    ends = confidences.double().quantile(inner, interpolation="lower").unique()
    return torch.cat([torch.zeros(1).double(), ends[(ends > 0) & (ends < 1)], torch.ones(1)])


def reliability(confidences: Tensor, correct: Tensor, ends: Tensor) -> tuple[Bin, ...]:
    """The bins of a reliability diagram that have images.

    confidences [N] of the predicted class, correct [N] bool, ends [bins + 1]
    """
    counts, confidence, hits = _bin_sums(confidences, correct, ends)
    rows = zip(ends, ends[1:], counts, confidence, hits)
    return tuple(
        Bin(
            float(low),
            float(high),
            int(n),
            float(total / n),
            float(good / n),
            proportion_interval(int(good), int(n)),
        )
        for low, high, n, total, good in rows
        if n
    )


def _bin_sums(confidences: Tensor, correct: Tensor, ends: Tensor) -> Tensor:
    """In each bin the number of images, their summed confidence, and the correct ones.

    confidences [N], correct [N] bool, ends [bins + 1] -> [3,bins] float64
    """
    bin_index = torch.bucketize(confidences, ends[1:-1].to(confidences.dtype))
    confidences = confidences.double()
    rows = torch.stack([torch.ones_like(confidences), confidences, correct.double()])
    return rows.new_zeros(3, len(ends) - 1).index_add_(1, bin_index, rows)


class Temperature(NamedTuple):
    """A fitted temperature: above 1 the network was overconfident, below 1 underconfident."""

    value: float
    interval: Interval | None  # 95 %; None where nothing could be fitted
    n: int  # validation images
    before: float  # log loss in nats
    after: float
    note: str = ""  # why nothing could be fitted, and `value` is 1


def apply_temperature(probabilities: Tensor, temperature: float) -> Tensor:
    """The softmax of the logits divided by `temperature`.  [N,K] -> [N,K]"""
    return (_logits(probabilities) / temperature).softmax(dim=1).to(probabilities.dtype)


def fit_temperature(probabilities: Tensor, targets: Tensor) -> Temperature:
    """The temperature with the lowest log loss on validation images.  [N,K], [N] int64

    The loss is convex in 1 / temperature: where its slope changes sign is the one minimum.
    """
    logits, n = _logits(probabilities), len(targets)
    before = float(log_losses(probabilities, targets).mean()) if n else float("nan")
    slopes, _ = _slopes(logits, targets, 1 / COLDEST)
    if not n or float(slopes.mean()) <= 0:
        return Temperature(1.0, None, n, before, before, _note(n, right=True))
    slopes, _ = _slopes(logits, targets, 1 / HOTTEST)
    if float(slopes.mean()) >= 0:
        return Temperature(1.0, None, n, before, before, _note(n, right=False))
    inverse = _zero_of_slope(logits, targets)
    z = NormalDist().inv_cdf(0.975)
    slopes, curvature = _slopes(logits, targets, inverse)
    wider = sqrt(max(1.0, float(slopes.square().mean()) / curvature))  # than by the probabilities
    low, high = (1 / _inverse_with_score(logits, targets, e) for e in (z * wider, -z * wider))
    after = float(
        log_losses(apply_temperature(probabilities.double(), 1 / inverse), targets).mean()
    )
    return Temperature(1 / inverse, Interval(low, high), n, before, after)


def _inverse_with_score(logits: Tensor, targets: Tensor, score: float) -> float:
    """1 / temperature at which Rao's score statistic is `score`, or the nearest end of its range.

    Rao 1948, Large sample tests of statistical hypotheses; the variance is that which the
    probabilities say.  [N,K], [N] int64
    """

    def statistic(inverse: float) -> float:
        slopes, curvature = _slopes(logits, targets, inverse)
        return float(slopes.mean()) * sqrt(len(slopes) / max(curvature, TINY))

    low, high = 1 / HOTTEST, 1 / COLDEST
    if statistic(low) >= score:
        return low
    if statistic(high) <= score:
        return high
    for _ in range(40):
        middle = sqrt(low * high)
        low, high = (middle, high) if statistic(middle) < score else (low, middle)
    return sqrt(low * high)


def _note(n: int, *, right: bool) -> str:
    """Why no temperature could be fitted to n validation images."""
    images = f"{n:,} validation image{'s' * (n != 1)}"
    if right:
        return f"the {images} show too few mistakes to fit a temperature to"
    return f"on {images} the predictions are right no more often where they are more confident"


def _logits(probabilities: Tensor) -> Tensor:
    """Logits of `probabilities`, up to a constant per row.  [N,K] -> [N,K] float64"""
    return probabilities.double().clamp_min(MIN_PROBABILITY).log()


def _zero_of_slope(logits: Tensor, targets: Tensor) -> float:
    """1 / temperature by Newton's method, bisecting where a step leaves the bracket.

    logits [N,K], targets [N] int64
    """
    low, high, inverse = 1 / HOTTEST, 1 / COLDEST, 1.0
    for _ in range(60):
        slopes, curvature = _slopes(logits, targets, inverse)
        slope = float(slopes.mean())
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        new = inverse - slope / curvature if curvature > 0 else high
        if not low < new < high:
            new = sqrt(low * high)
        if abs(new - inverse) <= 1e-9 * inverse:
            break
        inverse = new
    return inverse


def _slopes(logits: Tensor, targets: Tensor, inverse: float) -> tuple[Tensor, float]:
    """The derivative of each loss by 1 / temperature, and the second one of their mean.

    logits [N,K], targets [N] int64 -> [N], []
    """
    probabilities = (logits * inverse).softmax(dim=1)
    mean = (probabilities * logits).sum(dim=1)
    spread = (probabilities * (logits - mean[:, None]).square()).sum(dim=1)
    return mean - logits.gather(1, targets[:, None])[:, 0], float(spread.mean())


COVERAGE = 0.9  # of conformal intervals


def conformal_quantile(scores: Tensor) -> float | None:
    """The conformal quantile: the score of a new image exceeds it in one of ten cases at most.

    None for too few scores.  Lei 2018, "Distribution-free predictive inference for regression",
    Section 2.2 (split conformal).  scores [N], the nonconformity of held-out images
    """
    rank = ceil(COVERAGE * (len(scores) + 1))
    return None if rank > len(scores) else float(scores.sort().values[rank - 1])
