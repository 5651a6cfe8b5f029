"""How often two networks on the same images are said to differ: equal ones, and unequal ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Any

import torch
from torch import Tensor

from claims.laws import UNEQUAL, Groups, Law, Normal, classes, independent, labels, numbers
from saccade.metrics.bootstrap import Resampling, replicates
from saccade.metrics.paired import paired
from saccade.metrics.sample import Sample

SHARED = 0.5  # of the variance of the errors of two networks: what is hard for one is for the other
LEVEL = 0.05
REPLICATES = 400
IMAGES = 200_000  # that the true scores are from


@dataclass(frozen=True)
class Pair:
    """Two networks on images of one law, as good as the other or not."""

    first: Law
    second: Law

    @property
    def equal(self) -> bool:
        """Whether no difference is to be found."""
        return self.first is self.second

    @property
    def name(self) -> str:
        """Of the law, and of what the second is better at."""
        rest = self.second.name.split(", ", 1)[1]
        return self.first.name if self.equal else f"{self.first.name} against {rest}"

    def draw(self, normal: Normal) -> tuple[list[Any], Tensor]:
        """The rows of both networks, and the targets."""
        targets = self.first.targets(normal)
        common: dict[int, Tensor] = {}

        def correlated(columns: int) -> Tensor:
            shared = common.setdefault(columns, normal(columns))
            return SHARED**0.5 * shared + (1 - SHARED) ** 0.5 * normal(columns)

        laws = self.first, self.second
        rows = [law.metric.rows(law.predict(targets, correlated), targets) for law in laws]
        return rows, targets


@dataclass
class Calls:
    """How often a difference was called one, by ours and by the others."""

    draws: int = 0
    ours: int = 0
    peer: int = 0
    peers: int = 0  # draws that the peer was asked
    held: int = 0  # intervals of ours that hold the true difference
    given: int = 0

    @property
    def share(self) -> float:
        """Of the draws, said to differ."""
        return self.ours / self.draws

    @property
    def peer_share(self) -> float:
        """The same of the peer."""
        return self.peer / self.peers if self.peers else nan


def pairs() -> Iterator[Pair]:
    """Equal pairs, then unequal ones."""
    for law in (
        classes(0.7, [0.5, 0.5], images=IMAGES),
        classes(0.9, [0.95, 0.05], images=IMAGES),
        classes(0.9, UNEQUAL, images=IMAGES),
        classes(0.95, [0.1] * 10, images=IMAGES),
        labels([0.5, 0.2, 0.1], 2.0, images=IMAGES),
        numbers("normal", 0.5, images=IMAGES),
        numbers("log-normal", 0.3, images=IMAGES),
        numbers("heavy-tailed", 0.5, images=IMAGES),
    ):
        yield Pair(law, law)
    yield Pair(classes(0.8, [0.5, 0.5], images=IMAGES), classes(0.9, [0.5, 0.5], images=IMAGES))
    yield Pair(
        classes(0.85, [0.6, 0.3, 0.1], images=IMAGES), classes(0.9, [0.6, 0.3, 0.1], images=IMAGES)
    )
    yield Pair(numbers("normal", 0.5, images=IMAGES), numbers("normal", 0.4, images=IMAGES))


def called(pair: Pair, n: int, draws: int, groups: Groups | None = None) -> dict[str, Calls]:
    """How often each compared metric is said to differ, at a level of 5 %.

    Beside ours, for a fourth of the sets: McNemar's exact test by statsmodels for accuracy of
    independent images, else the percentile bootstrap of whole images or groups.
    """
    generator, calls = torch.Generator().manual_seed(n), {}
    for number in range(draws):
        if groups is None:
            normal, sample = independent(n, generator), Sample(n)
        else:
            normal, group = groups.draw(generator)
            sample = Sample(len(group), group)
        rows, _ = pair.draw(normal)
        for one in paired(pair.first.metric, rows, sample.groups):
            name = one.quantities[0].name
            difference, count = one.difference(0, 1), calls.setdefault(name, Calls())
            count.draws += 1
            count.ours += difference.p < LEVEL
            if difference.interval is not None:
                truth = pair.second.truth[name] - pair.first.truth[name]
                count.given += 1
                count.held += difference.interval.low <= truth <= difference.interval.high
            if number % 4 == 0:
                count.peers += 1
                count.peer += _peer(one.quantities, sample, number) < LEVEL
    return calls


def _peer(quantities: tuple[Any, ...], sample: Sample, seed: int) -> float:
    """The p-value of another method."""
    a, b = quantities
    if a.correct is not None and sample.groups is None:
        from scipy.stats import binomtest

        only = int((a.correct & ~b.correct).sum()), int((b.correct & ~a.correct).sum())
        return float(binomtest(only[0], sum(only)).pvalue) if sum(only) else 1.0
    resampling = Resampling(sample.n, sample.groups, seed, REPLICATES)
    values = replicates([a.statistic, b.statistic], resampling)
    apart = values[1] - values[0]
    apart = apart[apart.isfinite()]
    tail = min(float((apart <= 0).double().mean()), float((apart >= 0).double().mean()))
    return min(1.0, 2 * tail)
