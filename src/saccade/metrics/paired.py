"""Paired comparison: whether networks differ on the same images by more than chance.

Accuracies by McNemar's test (1947, Note on the sampling error of the difference between correlated
proportions; for the exact and the mid-p test Fagerland 2013, The McNemar test for binary
matched-pairs data), all else by drawing the same images again for all of the networks (Efron 1979,
Bootstrap methods).
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
    """One number of the second network less that of the first."""

    name: str
    unit: str
    value: float
    interval: Interval | None  # 95 %; None where every replicate is alike
    p: float
    method: str  # of the p-value


@dataclass(frozen=True)
class Paired:
    """One number of several networks on the same images, and on the same images drawn again."""

    quantities: tuple[Quantity, ...]  # one a network
    replicates: Tensor  # [networks,B] float64
    resampling: Resampling

    def metric(self, index: int) -> MetricValue:
        """That of one network."""
        quantity = self.quantities[index]
        if by_formula(quantity, self.resampling):
            return with_formula(quantity, self.resampling.n)
        return with_bootstrap(quantity, self.replicates[index], self.resampling)

    def difference(self, first: int, second: int) -> Difference:
        """The second network's less the first's: McNemar for shares, else a paired bootstrap."""
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
    """The numbers by which networks are compared, from rows of the same images in the same order.

    With `groups` [N] int64, images that belong together, whole groups are drawn.
    """
    draws = resampling(metric, rows[0], groups)
    columns = [[q for q in metric.quantities(r) if q.name in metric.compared] for r in rows]
    all_replicates = replicates([q.statistic for column in columns for q in column], draws)
    values = all_replicates.view(len(rows), -1, all_replicates.shape[1]).transpose(0, 1)
    return [Paired(row, drawn, draws) for row, drawn in zip(zip(*columns), values, strict=True)]


def bootstrap_difference(first: Tensor, second: Tensor) -> tuple[Interval | None, float]:
    """The 95 % interval of the second less the first, and the p-value of none.  [B], [B]

    The p-value is twice the share of replicates beyond no difference, the observed one counted
    among them (Davison & Hinkley 1997, Bootstrap Methods, 4.2 and 4.4).
    """
    differences = second - first
    differences = differences[differences.isfinite()]
    beyond = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return quantile_interval(differences, 0.025, 0.975), min(
        1.0, 2 * (beyond + 1) / (len(differences) + 1)
    )


class McNemar(NamedTuple):
    """Images that only one of two gets right, and how easily chance alone parts them so."""

    only_first: int
    only_second: int
    exact: float  # two-sided p-value; never rejects too often, and too seldom
    mid: float  # half of the probability of what was seen counted; closest to its level


class PairedAccuracy(NamedTuple):
    """Accuracy of the second less that of the first, on the same images."""

    n: int
    difference: float
    interval: Interval  # 95 %
    test: McNemar

    @property
    def insignificant(self) -> bool:
        """Whether a difference like this is no rarer than 1 in 20 for two equally good networks."""
        return self.test.mid >= 0.05


def mcnemar(first: Tensor, second: Tensor) -> McNemar:
    """first [N] bool, second [N] bool: which images each gets right, in the same order."""
    return mcnemar_of(int((first & ~second).sum()), int((second & ~first).sum()))


def mcnemar_of(only_first: int, only_second: int) -> McNemar:
    """The test from its two counts, in whole numbers until the last division."""
    n, fewer = only_first + only_second, min(only_first, only_second)
    ways, tail = 1, 0  # ways to part n so that k are on one side; those of fewer than `fewer`
    for k in range(fewer):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    both = 1 if only_first == only_second else 2  # sides on which what was seen can lie
    rarer = 2 * tail
    return McNemar(
        only_first,
        only_second,
        exact=(rarer + both * ways) / 2**n,
        mid=(2 * rarer + both * ways) / 2 ** (n + 1),
    )


def paired_accuracy(first: Tensor, second: Tensor) -> PairedAccuracy:
    """What two networks' right answers say of both.  first [N] bool, second [N] bool"""
    test = mcnemar(first, second)
    difference = (test.only_second - test.only_first) / len(first)
    return PairedAccuracy(len(first), difference, paired_interval(test, len(first)), test)


def paired_interval(test: McNemar, n: int, confidence: float = 0.95) -> Interval:
    """Of the difference of two accuracies, with width even when no image changed side.

    Bonett & Price 2012, Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data: one image more on either side.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    first, second = (test.only_first + 1) / (n + 2), (test.only_second + 1) / (n + 2)
    middle = second - first
    half = z * sqrt((first + second - middle**2) / (n + 2))
    return Interval(max(-1.0, middle - half), min(1.0, middle + half))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of several comparisons, raised so that 1 in 20 holds for all of them together.

    Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = highest
    return adjusted
