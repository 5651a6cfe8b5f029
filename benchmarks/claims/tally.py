"""How often intervals hold the truth, of many sets drawn from one law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import nan
from typing import Any

import torch

from claims.laws import Groups, Law
from saccade.metrics.bootstrap import Resampling, quantile_interval, replicates
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import Quantity
from saccade.metrics.sample import Sample

CHANCE = 1e-3  # that a truth which is 0 may seem to be more, of a million draws
REPLICATES = 400  # of the bootstrap beside ours
EACH = 4  # of so many sets one is measured by it,
MOST = 1000  # unless it has more images

Ends = tuple[float, float] | None


@dataclass
class Tally:
    """Of one number under one law: how often intervals held the truth."""

    draws: int = 0
    given: int = 0  # intervals
    held: int = 0
    width: float = 0.0  # summed

    def add(self, interval: Ends, truth: float) -> None:
        """Count one set."""
        self.draws += 1
        if interval is not None:
            low, high = interval
            self.given += 1
            self.held += low - CHANCE <= truth <= high + 1e-9
            self.width += high - low

    @property
    def coverage(self) -> float:
        """The share of the intervals given that hold the truth."""
        return self.held / self.given if self.given else nan

    @property
    def mean_width(self) -> float:
        """Of the intervals given."""
        return self.width / self.given if self.given else nan

    @property
    def kept_back(self) -> float:
        """The share of sets without an interval."""
        return 1 - self.given / self.draws


Tallies = dict[str, list[Tally]]  # by number: ours, and the bootstrap's


def covered(law: Law, n: int, draws: int, *, peers: bool = False) -> Tallies:
    """Tallies of each metric, for sets of n independent images."""
    generator = torch.Generator().manual_seed(n)
    return _tallies(law, lambda: law.sample(n, generator), draws, peers)


def covered_in_groups(law: Law, groups: Groups, draws: int, *, peers: bool = False) -> Tallies:
    """The same for sets of images in groups."""
    generator = torch.Generator().manual_seed(groups.count)
    return _tallies(law, lambda: law.groups(groups, generator), draws, peers)


def _tallies(law: Law, draw: Callable[[], tuple[Any, Sample]], draws: int, peers: bool) -> Tallies:
    tallies: Tallies = {}
    for number in range(draws):
        rows, sample = draw()
        quantities = [*law.metric.quantities(rows)]
        ours = [value.interval for value in with_intervals(quantities, sample, number)]
        beside = peers and number % EACH == 0 and sample.n <= MOST
        theirs = bootstrap(quantities, sample, number) if beside else None
        for k, quantity in enumerate(quantities):
            row = tallies.setdefault(quantity.name, [Tally(), Tally()])
            row[0].add(ours[k], law.truth[quantity.name])
            if theirs is not None:
                row[1].add(theirs[k], law.truth[quantity.name])
        _add_classes(tallies, law, rows, sample)
    return tallies


def _add_classes(tallies: Tallies, law: Law, rows: Any, sample: Sample) -> None:
    """Precision, recall and F1 of each class, all in one tally of each.

    Beside them statsmodels' Wilson intervals of the first two, as if images were independent.
    """
    for row, truth in zip(law.table(rows, sample.groups), law.class_truth, strict=True):
        for value in (row.precision, row.recall, row.f1):
            pair = tallies.setdefault(f"{value.name} of a class", [Tally(), Tally()])
            ends = value.interval
            pair[0].add(ends and (ends.low, ends.high), truth[value.name])
            if value.name != "F1" and value.n:
                pair[1].add(_wilson(round(value.value * value.n), value.n), truth[value.name])


def _wilson(successes: int, n: int) -> Ends:
    """Wilson's interval as statsmodels has it, where it is installed."""
    try:
        peer = import_module("statsmodels.stats.proportion")
    except ImportError:
        return None
    return peer.proportion_confint(successes, n, method="wilson")


def bootstrap(quantities: Sequence[Quantity], sample: Sample, seed: int) -> list[Ends]:
    """Percentile intervals, of whole images or groups drawn again."""
    resampling = Resampling(sample.n, sample.groups, seed, REPLICATES)
    values = replicates([quantity.statistic for quantity in quantities], resampling)
    return [quantile_interval(row, 0.025, 0.975) for row in values]
