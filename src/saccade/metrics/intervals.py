"""Intervals by formula: how far a measured number may lie from the true one.

For proportions those of Wilson 1927, for means of a few repetitions Student's (1908), over folds
Nadeau & Bengio's (2003), for sums and differences of numbers that have intervals Zou & Donner's
(2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, mean, stdev
from typing import NamedTuple


class Interval(NamedTuple):
    """Both ends of an interval, on the scale of the metric itself."""

    low: float
    high: float


def interval_text(low: str, high: str) -> str:
    """An interval as text, with "to" in place of a dash beside a minus sign."""
    return f"{low} to {high}" if "-" in low + high else f"{low}–{high}"


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """The Wilson score interval of a proportion (Wilson 1927, JASA 22:209-212)."""
    if n == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def proportion_interval(successes: int, n: int) -> Interval:
    """The 95 % interval of a proportion: of Wilson's and the mid-p interval the wider at each end.

    Wilson's is short of its word near 0 and 1, where the mid-p interval (Lancaster 1961; Fagerland
    2015, Recommended confidence intervals for two independent binomial proportions) is not, and the
    other way round in between.  Together they hold the truth in at least 93.5 % of all cases from
    50 images on, whatever the proportion, and in 92.6 % from 5 on.
    """
    if n == 0:
        return Interval(0.0, 1.0)
    (low, high), tail = wilson(successes, n), 0.025
    below = 0.0 if successes == 0 else _mid_p(successes, n, tail)
    above = 1.0 if successes == n else 1 - _mid_p(n - successes, n, tail)
    return Interval(min(low, below), max(high, above))


def _mid_p(successes: int, n: int, tail: float) -> float:
    """The share of which so many successes or more have the probability `tail`, with half of k."""
    from scipy.special import bdtrc

    low, high = 0.0, successes / n
    for _ in range(60):
        middle = (low + high) / 2
        beyond = (bdtrc(successes, n, middle) + bdtrc(successes - 1, n, middle)) / 2
        low, high = (middle, high) if beyond < tail else (low, middle)
    return low


def t_quantile(freedom: float, confidence: float = 0.95) -> float:
    """The quantile t of Student's distribution: |T| <= t with probability `confidence`."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + confidence / 2))


def t_test(t: float, freedom: float) -> float:
    """The two-sided p-value of Student's t."""
    from scipy.special import stdtr

    return 2 * float(stdtr(freedom, -abs(t)))


def linear(
    estimates: Sequence[float], intervals: Sequence[Interval], factors: Sequence[float]
) -> Interval:
    """The interval of a weighted sum of independent numbers, from the interval of each.

    Zou & Donner 2008, Construction of confidence limits about effect measures: each
    number's distance to its own end counts like a standard deviation.
    """
    total = sum(f * e for f, e in zip(factors, estimates, strict=True))
    below = above = 0.0
    for factor, estimate, (low, high) in zip(factors, estimates, intervals, strict=True):
        ends = (factor * (estimate - low), factor * (high - estimate))
        below += (ends[0] if factor > 0 else ends[1]) ** 2
        above += (ends[1] if factor > 0 else ends[0]) ** 2
    return Interval(total - sqrt(below), total + sqrt(above))


def difference(first: float, own: Interval, second: float, other: Interval) -> Interval:
    """The interval of `first` - `second`, two independent numbers, from the interval of each.

    With Wilson's it is Newcombe's 1998 method 10 for a difference of two proportions.
    """
    return linear([first, second], [own, other], [1, -1])


class PairedTTest(NamedTuple):
    """A paired t-test: the mean of the second less that of the first."""

    n: int
    difference: float
    interval: Interval | None  # 95 %; None where all differences are equal
    p_value: float | None  # two-sided; None where all differences are equal and not 0


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Student's t interval of the mean of repetitions; None for one, or where all are equal.

    Equal repetitions have no spread to tell how far their mean is from the true one.
    """
    if len(set(values)) < 2:
        return None
    half = t_quantile(len(values) - 1, confidence) * stdev(values) / sqrt(len(values))
    return Interval(mean(values) - half, mean(values) + half)


def cross_validated_interval(
    values: Sequence[float], ratio: float, confidence: float = 0.95
) -> Interval | None:
    """The interval of the mean over folds, which share most of their training images.

    The corrected resampled t (Nadeau & Bengio 2003, Inference for the generalization error,
    Machine Learning 52:239-281, section 4): the variance over folds counts 1/k + `ratio` times, of
    test images to training images, in place of 1/k.  None for a single fold.
    """
    if len(values) < 2:
        return None
    k = len(values)
    half = t_quantile(k - 1, confidence) * stdev(values) * sqrt(1 / k + ratio)
    return Interval(mean(values) - half, mean(values) + half)


def paired_t_test(first: Sequence[float], second: Sequence[float]) -> PairedTTest | None:
    """The paired t-test of two lists of the same repetitions in order; None for a single one.

    Where every repetition gives the same difference the test has no spread to go by: no difference
    has a p-value of 1 then, and any other has none.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    n = len(differences)
    if n < 2:
        return None
    middle, error = mean(differences), stdev(differences) / sqrt(n)
    if not error:
        return PairedTTest(n, middle, None, None if middle else 1.0)
    p_value = t_test(middle / error, n - 1)
    return PairedTTest(n, middle, mean_interval(differences), p_value)
