"""Paired tests of the difference of two networks on the same images.

Accuracies by McNemar's test (1947, Note on the sampling error of the difference between correlated
proportions; for the exact and the mid-p test Fagerland 2013, The McNemar test for binary
matched-pairs data), other metrics, and all of groups, by a paired permutation test (Pitman 1937).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import chunk_sizes
from saccade.metrics.interval_methods import IDENTITY
from saccade.metrics.intervals import Interval
from saccade.metrics.measure import too_few_groups, with_intervals
from saccade.metrics.metric import Metric, MetricValue, Quantity, R
from saccade.metrics.ranking import Ranking
from saccade.metrics.sample import Sample, Spread

LEVEL = 0.05  # of every test
EXACT, SWAPS = 12, 10_000  # units of which all swaps are tried; swaps of more of them
RANKED, RANKED_SWAPS = 500, 2_000  # the same of areas: above so many units they are near to sums


@dataclass(frozen=True)
class Difference:
    """A metric of the second network less that of the first."""

    name: str
    unit: str
    value: float
    interval: Interval | None  # 95 %; None where it cannot be told
    p: float
    method: str  # of the p-value
    reason: str = ""  # why there is no interval


@dataclass(frozen=True)
class Paired:
    """A metric of several networks on the same images."""

    quantities: tuple[Quantity, ...]  # one a network
    sample: Sample

    def metric(self, index: int) -> MetricValue:
        """The value of one network, by its index."""
        return with_intervals([self.quantities[index]], self.sample)[0]

    def difference(self, first: int, second: int) -> Difference:
        """The second network's value less the first's.

        McNemar's test for shares of independent images, else a permutation test: if the networks
        were equally good, their answers to an image, or to a group, could as well be swapped.
        Where the test sees no difference the interval holds 0.
        """
        a, b = self.quantities[first], self.quantities[second]
        if a.correct is not None and b.correct is not None and self.sample.groups is None:
            accuracy = paired_accuracy(a.correct, b.correct)
            p, interval = accuracy.test.mid, with_zero(accuracy.interval, accuracy.test.mid)
            return Difference(a.name, a.unit, accuracy.difference, interval, p, "McNemar")
        spread = self._spread(a, b)
        told = IDENTITY.estimate(spread)
        reason = too_few_groups(self.sample) or told.reason
        if a.ranking and b.ranking and len(self.sample.sizes) <= RANKED:
            p = swapped_rankings(a.ranking, b.ranking, self.sample)
        else:
            p = swapped(self._parts(a, b, spread), self.sample)
        interval = None if reason or told.interval is None else with_zero(told.interval, p)
        return Difference(a.name, a.unit, spread.value, interval, p, "permutation", reason)

    def _spread(self, a: Quantity, b: Quantity) -> Spread:
        """That of the difference."""
        return self.sample.spread(lambda w: b.statistic(w) - a.statistic(w), a.strata)

    def _parts(self, a: Quantity, b: Quantity, spread: Spread) -> Tensor:
        """What each image adds to the difference: exactly where it is a sum, else linearly.  [N]"""
        if a.parts is not None and b.parts is not None:
            return b.parts - a.parts
        return spread.influences + spread.value / self.sample.n


def with_zero(interval: Interval, p: float) -> Interval:
    """The interval, widened to hold 0 where the p-value is `LEVEL` or more."""
    low, high = interval
    return interval if p < LEVEL else Interval(min(low, 0.0), max(high, 0.0))


def swapped(parts: Tensor, sample: Sample, seed: int = 0) -> float:
    """The two-sided p-value of a sum of differences [N], by swapping the networks within units.

    Pitman 1937, Significance tests which may be applied to samples from any populations; all swaps
    of up to `EXACT` units, else `SWAPS` at random, the observed one among them (Phipson & Smyth
    2010, Permutation p-values should never be zero).
    """
    sums = torch.zeros(len(sample.sizes), dtype=torch.float64).index_add_(
        0, sample.unit, parts.double()
    )
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    observed, tolerance = float(sums.sum().abs()), 1e-9 * float(sums.abs().sum())

    def as_far(swaps: Tensor) -> int:
        apart = (1 - 2 * swaps.double()) @ sums
        return int((apart.abs() >= observed - tolerance).sum())

    return _share_as_far(as_far, len(sums), SWAPS, len(sums), seed)


def swapped_rankings(first: Ranking, second: Ranking, sample: Sample, seed: int = 0) -> float:
    """The same of the difference of two areas, each computed anew of every swap."""
    statistic, unit = first.beside(second), sample.unit

    def difference(swaps: Tensor) -> Tensor:
        other = swaps[:, unit]  # [B,N]
        one, two = (
            statistic(torch.cat(sides, dim=1).double())
            for sides in ((~other, other), (other, ~other))
        )
        return two - one

    count = len(sample.sizes)
    observed = float(difference(torch.zeros(1, count, dtype=torch.bool)).abs())

    def as_far(swaps: Tensor) -> int:
        return int((difference(swaps).abs() >= observed - 1e-9).sum())

    return _share_as_far(as_far, count, RANKED_SWAPS, 2 * sample.n, seed)


def _share_as_far(
    as_far: Callable[[Tensor], int], units: int, swaps: int, width: int, seed: int
) -> float:
    """The share of swaps of units that set the networks apart as far as observed.

    `as_far` counts those of swaps [B,U] bool, each of which takes `width` numbers.
    """
    if units <= EXACT:
        every = torch.tensor(list(product((False, True), repeat=units)))
        parts = every.split(list(chunk_sizes(len(every), width)))
        return sum(map(as_far, parts)) / len(every)
    generator = torch.Generator().manual_seed(seed)
    drawn = (
        torch.randint(0, 2, (rows, units), generator=generator).bool()
        for rows in chunk_sizes(swaps - 1, width)
    )
    return (1 + sum(map(as_far, drawn))) / swaps


def paired(metric: Metric[R], rows: Sequence[R], groups: Tensor | None = None) -> list[Paired]:
    """The compared metrics of several networks, from rows of the same images in the same order.

    groups [N] int64: images that belong together, whose number counts
    """
    sample = Sample(len(rows[0]), groups)
    columns = [[q for q in metric.quantities(r) if q.name in metric.compared] for r in rows]
    names = [q.name for q in columns[0] if q.name in metric.compared]
    names = [name for name in names if all(name in _names(c) for c in columns[1:])]
    return [
        Paired(tuple(next(q for q in column if q.name == name) for column in columns), sample)
        for name in names
    ]


def _names(quantities: Sequence[Quantity]) -> set[str]:
    return {quantity.name for quantity in quantities}


class McNemar(NamedTuple):
    """McNemar's test: the discordant images of two networks, and p-values."""

    only_first: int
    only_second: int
    exact: float  # two-sided p-value; conservative
    mid: float  # mid-p value: counts half the probability of the observation; closest to its level


class PairedAccuracy(NamedTuple):
    """The accuracy of the second network less that of the first, on the same images."""

    n: int
    difference: float
    interval: Interval  # 95 %
    test: McNemar

    @property
    def insignificant(self) -> bool:
        """Whether the mid-p value is 0.05 or more."""
        return self.test.mid >= LEVEL


def mcnemar(first: Tensor, second: Tensor) -> McNemar:
    """McNemar's test of two networks; first, second [N] bool say which images each has right."""
    return mcnemar_of(int((first & ~second).sum()), int((second & ~first).sum()))


def mcnemar_of(only_first: int, only_second: int) -> McNemar:
    """McNemar's test from the two counts, in whole numbers until the last division."""
    n, fewer = only_first + only_second, min(only_first, only_second)
    if not n:  # the same images right: nothing speaks against equality
        return McNemar(0, 0, exact=1.0, mid=1.0)
    ways, tail = 1, 0  # binomial coefficients of k; their sum below `fewer`
    for k in range(fewer):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    both = 1 if only_first == only_second else 2  # tails with an outcome as likely as the observed
    rarer = 2 * tail
    return McNemar(
        only_first,
        only_second,
        exact=(rarer + both * ways) / 2**n,
        mid=(2 * rarer + both * ways) / 2 ** (n + 1),
    )


def paired_accuracy(first: Tensor, second: Tensor) -> PairedAccuracy:
    """The difference in accuracy of two networks.  first, second [N] bool: which are right"""
    test = mcnemar(first, second)
    difference = (test.only_second - test.only_first) / len(first)
    return PairedAccuracy(len(first), difference, paired_interval(test, len(first)), test)


def paired_interval(test: McNemar, n: int, confidence: float = 0.95) -> Interval:
    """The interval of the difference of two accuracies, of positive width even without any.

    Bonett & Price 2012, Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data: one image more on either side.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    first, second = (test.only_first + 1) / (n + 2), (test.only_second + 1) / (n + 2)
    middle = second - first
    half = z * sqrt((first + second - middle**2) / (n + 2))
    return Interval(max(-1.0, middle - half), min(1.0, middle + half))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values of several comparisons, for a family-wise error rate.

    Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = highest
    return adjusted
