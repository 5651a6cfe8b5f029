"""Paired comparison: whether two networks differ on the same pictures by more than chance.

McNemar 1947, Note on the sampling error of the difference between correlated proportions; for the
exact and the mid-p test Fagerland 2013, The McNemar test for binary matched-pairs data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import DRAWS, FEWEST, Resampling, Statistic, between
from saccade.metrics.intervals import Interval


class McNemar(NamedTuple):
    """Pictures that only one of two gets right, and how easily chance alone parts them so."""

    only_first: int
    only_second: int
    exact: float  # two-sided p-value; never rejects too often, and too seldom
    mid: float  # half of the probability of what was seen counted; closest to its level


class PairedAccuracy(NamedTuple):
    """Accuracy of the second less that of the first, on the same pictures."""

    n: int
    difference: float
    interval: Interval  # 95 %
    test: McNemar

    @property
    def inside_noise(self) -> bool:
        """Whether a difference like this is no rarer than 1 in 20 for two equally good networks."""
        return self.test.mid >= 0.05


def mcnemar(first: Tensor, second: Tensor) -> McNemar:
    """first [N] bool, second [N] bool: which pictures each gets right, in the same order."""
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
    """Of the difference of two accuracies, with width even when no picture changed side.

    Bonett & Price 2012, Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data: one picture more on either side.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    first, second = (test.only_first + 1) / (n + 2), (test.only_second + 1) / (n + 2)
    middle = second - first
    half = z * sqrt((first + second - middle**2) / (n + 2))
    return Interval(max(-1.0, middle - half), min(1.0, middle + half))


def difference(first: Statistic, second: Statistic) -> Statistic:
    """The second less the first on the same drawn pictures, to be resampled: a paired bootstrap."""
    return lambda weights: second(weights) - first(weights)


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


# Paired bootstrap: the same pictures drawn again for all of several networks.
#
# Efron 1979, Bootstrap methods.  The p-value is twice the share of replicates beyond no
# difference, the observed one counted among them (Davison & Hinkley 1997, Bootstrap Methods, 4.2
# and 4.4).


class Drawn(NamedTuple):
    """A number of several networks, on all pictures and on pictures drawn again."""

    values: tuple[float, ...]
    replicates: Tensor  # [R,B] float64, a row a network

    def interval(self, which: int) -> Interval | None:
        """Of one network's number, 95 %."""
        row = self.replicates[which]
        return between(row[row.isfinite()], 0.025, 0.975)

    def difference(self, first: int, second: int) -> tuple[Interval | None, float]:
        """The 95 % interval of the second less the first, and the p-value of none."""
        apart = self.replicates[second] - self.replicates[first]
        apart = apart[apart.isfinite()]
        beyond = min(int((apart <= 0).sum()), int((apart >= 0).sum()))
        return between(apart, 0.025, 0.975), min(1.0, 2 * (beyond + 1) / (len(apart) + 1))


def paired_bootstrap(statistics: Sequence[Statistic], resampling: Resampling) -> Drawn:
    """The same number of several networks; as many replicates as many pictures allow."""
    affordable = max(FEWEST, DRAWS // max(1, resampling.n))
    resampling = replace(resampling, replicates=min(resampling.replicates, affordable))
    once = torch.ones(1, resampling.n, dtype=torch.float64)
    rows = [torch.stack([s(weights) for s in statistics]) for weights in resampling.weights()]
    return Drawn(tuple(float(s(once)[0]) for s in statistics), torch.cat(rows, dim=1))
