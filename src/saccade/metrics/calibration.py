"""Temperature scaling: one number that makes confidences honest and leaves every answer as it is.

Guo 2017, On calibration of modern neural networks, Section 4.2: logits are divided by the
temperature at which the log loss on validation pictures is least.
"""

from __future__ import annotations

from math import exp, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

from torch import Tensor

from saccade.metrics.interval import Interval
from saccade.metrics.log_loss import log_losses

COLDEST, HOTTEST = 0.01, 100.0  # temperatures outside have no meaning


class Temperature(NamedTuple):
    """A fitted temperature; above 1 the network was too sure of itself, below 1 too unsure."""

    value: float
    interval: Interval | None  # 95 %; None where nothing could be fitted
    n: int  # validation pictures
    before: float  # log loss in nats
    after: float
    note: str = ""  # why nothing could be fitted, and `value` is 1


def tempered(probabilities: Tensor, temperature: float) -> Tensor:
    """What a softmax would have said of its logits divided by `temperature`.  [N,K] -> [N,K]"""
    return (_logits(probabilities) / temperature).softmax(dim=1).to(probabilities.dtype)


def fit_temperature(probabilities: Tensor, targets: Tensor) -> Temperature:
    """The temperature of least log loss on validation pictures.  [N,K], [N] int64

    The loss is convex in 1 / temperature: where its slope changes sign is the one minimum.
    """
    logits, n = _logits(probabilities), len(targets)
    before = float(log_losses(probabilities, targets).mean()) if n else float("nan")
    slopes, _ = _slopes(logits, targets, 1 / COLDEST)
    if not n or float(slopes.mean()) <= 0:
        return Temperature(1.0, None, n, before, before, f"no mistake to fit on in {n} pictures")
    slopes, _ = _slopes(logits, targets, 1 / HOTTEST)
    if float(slopes.mean()) >= 0:
        return Temperature(
            1.0, None, n, before, before, "confidence says nothing of these pictures"
        )
    inverse = _zero_of_slope(logits, targets)
    slopes, curvature = _slopes(logits, targets, inverse)
    # Huber's error of the zero of a mean, on the scale of the logarithm
    error = sqrt(float(slopes.square().mean()) / n) / (curvature * inverse)
    half = NormalDist().inv_cdf(0.975) * error
    middle = -log(inverse)
    after = float(log_losses(tempered(probabilities.double(), 1 / inverse), targets).mean())
    return Temperature(
        1 / inverse, Interval(exp(middle - half), exp(middle + half)), n, before, after
    )


def _logits(probabilities: Tensor) -> Tensor:
    """Logits of `probabilities`, up to a constant a row.  [N,K] -> [N,K] float64"""
    return probabilities.double().clamp_min(2.0**-149).log()


def _zero_of_slope(logits: Tensor, targets: Tensor) -> float:
    """1 / temperature by Newton's steps, halving the bracket where one would leave it."""
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
    """How each picture's loss changes with 1 / temperature [N], and how the mean slope does."""
    probabilities = (logits * inverse).softmax(dim=1)
    mean = (probabilities * logits).sum(dim=1)
    spread = (probabilities * (logits - mean[:, None]).square()).sum(dim=1)
    return mean - logits.gather(1, targets[:, None])[:, 0], float(spread.mean())
