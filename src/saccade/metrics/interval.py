"""Intervals: how far a measured number may lie from the true one."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """Both ends, on the scale of the number itself."""

    low: float
    high: float


def span(low: str, high: str) -> str:
    """Both ends, written already; a dash would read badly beside a minus."""
    return f"{low} to {high}" if "-" in low + high else f"{low}–{high}"


def wilson(successes: float, n: int, confidence: float = 0.95) -> Interval:
    """The Wilson score interval of a proportion (Wilson 1927, JASA 22:209-212)."""
    if n == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def linear(
    estimates: Sequence[float], intervals: Sequence[Interval], factors: Sequence[float]
) -> Interval:
    """The interval of a weighted sum of independent numbers, from the interval of each.

    Zou & Donner 2008, Construction of confidence limits about effect measures: each
    number's distance to its own end counts like a standard deviation.  With Wilson's intervals and
    factors 1, -1 it is Newcombe's method 10 for a difference of two proportions.
    """
    total = sum(f * e for f, e in zip(factors, estimates, strict=True))
    below = above = 0.0
    for factor, estimate, (low, high) in zip(factors, estimates, intervals, strict=True):
        ends = (factor * (estimate - low), factor * (high - estimate))
        below += (ends[0] if factor > 0 else ends[1]) ** 2
        above += (ends[1] if factor > 0 else ends[0]) ** 2
    return Interval(total - sqrt(below), total + sqrt(above))


def f1_interval(right: float, true: float, named: float, confidence: float = 0.95) -> Interval:
    """The interval of one class's F1.

    Of the pictures that are of the class or taken for it, `right` is binomial; F1 is 2 J / (1 + J)
    of that share J, so that the ends of Wilson's interval of J become those of F1.
    """
    low, high = wilson(right, round(true + named - right), confidence)
    return Interval(2 * low / (1 + low), 2 * high / (1 + high))
