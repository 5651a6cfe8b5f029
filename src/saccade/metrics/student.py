"""Student's t: what a few repetitions say of a mean, and of the difference of two.

Student 1908, The probable error of a mean.  The probabilities are the finite sums for whole degrees
of freedom of Abramowitz & Stegun 1964, 26.7.3 and 26.7.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan, cos, inf, pi, sin, sqrt
from statistics import mean, stdev
from typing import NamedTuple

from saccade.metrics.interval import Interval


class PairedMeans(NamedTuple):
    """Mean of the second less that of the first, repetition by repetition."""

    n: int
    difference: float
    interval: Interval  # 95 %
    p_value: float  # two-sided


def within(t: float, freedom: int) -> float:
    """The probability that Student's variable lies between -t and t."""
    angle = atan(t / sqrt(freedom))
    if freedom == 1:
        return 2 * angle / pi
    first = 1 if freedom % 2 == 0 else 2
    term = 1.0 if freedom % 2 == 0 else cos(angle)
    total = term
    for k in range(first, freedom - 2, 2):
        term *= k / (k + 1) * cos(angle) ** 2
        total += term
    total *= sin(angle)
    return total if freedom % 2 == 0 else 2 / pi * (angle + total)


def quantile(confidence: float, freedom: int) -> float:
    """The t within which Student's variable lies with probability `confidence`."""
    low, high = 0.0, 1.0
    while within(high, freedom) < confidence:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, freedom) < confidence else (low, middle)
    return high


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Of the mean of all repetitions there could be; None for a single one."""
    if len(values) < 2:
        return None
    half = quantile(confidence, len(values) - 1) * stdev(values) / sqrt(len(values))
    return Interval(mean(values) - half, mean(values) + half)


def paired_means(first: Sequence[float], second: Sequence[float]) -> PairedMeans | None:
    """Two lists of the same repetitions in the same order; None for a single one.

    Where every repetition gives the same difference the test has no spread to go by: its p-value is
    then 1 for no difference, and 0 for any other.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    interval = mean_interval(differences)
    if interval is None:
        return None
    n, middle = len(differences), mean(differences)
    error = stdev(differences) / sqrt(n)
    t = abs(middle) / error if error else inf if middle else 0.0
    return PairedMeans(n, middle, interval, 1 - within(t, n - 1) if t < inf else 0.0)
