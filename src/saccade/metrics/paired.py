"""Paired tests of the difference of two networks on the same images.

Accuracies by McNemar's test (1947, Note on the sampling error of the difference between correlated
proportions; for the exact and the mid-p test Fagerland 2013, The McNemar test for binary
matched-pairs data), other metrics by a paired bootstrap (Efron 1979, Bootstrap methods).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from torch import Tensor

from saccade.metrics.bootstrap import Resampling, quantile_interval, replicates
from saccade.metrics.intervals import Interval
from saccade.metrics.measure import by_formula, resampling, with_bootstrap, with_formula
from saccade.metrics.metric import Metric, MetricValue, Quantity, R


@dataclass(frozen=True)
class Difference:
    """A metric of the second network less that of the first."""

    name: str
    unit: str
    value: float
    interval: Interval | None  # 95 %; None where all replicates are equal
    p: float
    method: str  # of the p-value


@dataclass(frozen=True)
class Paired:
    """A metric of several networks on the same images, and on the same bootstrap replicates."""

    quantities: tuple[Quantity, ...]  # one a network
    replicates: Tensor  # [networks,B] float64
    resampling: Resampling

    def metric(self, index: int) -> MetricValue:
        """The value of one network, by its index."""
        quantity = self.quantities[index]
        if by_formula(quantity, self.resampling):
            return with_formula(quantity, self.resampling.n)
        return with_bootstrap(quantity, self.replicates[index], self.resampling)

    def difference(self, first: int, second: int) -> Difference:
        """The second network's value less the first's; McNemar for shares, else the bootstrap."""
        a, b = self.quantities[first], self.quantities[second]
        if a.correct is not None and b.correct is not None and not self._grouped:
            accuracy = paired_accuracy(a.correct, b.correct)
            p, method = accuracy.test.mid, "McNemar"
            return Difference(a.name, a.unit, accuracy.difference, accuracy.interval, p, method)
        value = self.metric(second).value - self.metric(first).value
        interval_and_p = bootstrap_difference(self.replicates[first], self.replicates[second])
        return Difference(a.name, a.unit, value, *interval_and_p, self.resampling.method)

    @property
    def _grouped(self) -> bool:
        return self.resampling.groups is not None


def paired(metric: Metric[R], rows: Sequence[R], groups: Tensor | None = None) -> list[Paired]:
    """The compared metrics of several networks, from rows of the same images in the same order.

    With `groups` [N] int64, images that belong together, the bootstrap draws whole groups.
    """
    draws = resampling(metric, rows[0], groups)
    columns = [[q for q in metric.quantities(r) if q.name in metric.compared] for r in rows]
    all_replicates = replicates([q.statistic for column in columns for q in column], draws)
    values = all_replicates.view(len(rows), -1, all_replicates.shape[1]).transpose(0, 1)
    return [Paired(row, drawn, draws) for row, drawn in zip(zip(*columns), values, strict=True)]


def bootstrap_difference(first: Tensor, second: Tensor) -> tuple[Interval | None, float]:
    """The 95 % interval of the second less the first, and its two-sided p-value.

    The p-value is twice the share of replicates on the other side of zero, the observed difference
    counted among them (Davison & Hinkley 1997, Bootstrap Methods, 4.2 and 4.4).
    first, second [B], replicates
    """
    differences = second - first
    differences = differences[differences.isfinite()]
    beyond = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return quantile_interval(differences, 0.025, 0.975), min(
        1.0, 2 * (beyond + 1) / (len(differences) + 1)
    )


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
        return self.test.mid >= 0.05


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
