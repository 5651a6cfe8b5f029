"""Resampling: the pictures drawn again with replacement, class by class and whole groups.

Efron 1979, Bootstrap methods; Davison & Hinkley 1997, Bootstrap Methods and their Application,
3.2 (strata), 3.8 (groups).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import torch
from torch import Tensor

from saccade.metrics.intervals import Interval
from saccade.metrics.metric import Number

Statistic = Callable[[Tensor], Tensor]  # how often each picture is there [B,N] float64 -> [B]
PORTION = 250_000  # weights at a time: 2 MB, which a processor keeps near


@dataclass(frozen=True)
class Resampling:
    """How often each of `n` pictures is drawn, replicate by replicate.

    With `strata`, usually the true classes, each keeps its size.  With `groups` (pictures of one
    patient, plant or place) whole groups are drawn; a group is of the stratum of most of its
    pictures.
    """

    n: int
    strata: Tensor | None = None  # [N] int64
    groups: Tensor | None = None  # [N] int64
    seed: int = 0
    replicates: int = 2000

    def weights(self) -> Iterator[Tensor]:
        """Portions [B,N] float64 of all replicates; the same at every call."""
        generator = torch.Generator().manual_seed(self.seed)
        place, strata = self.units()
        start, size = blocks(strata)
        order = strata.argsort(stable=True)
        units = len(strata)
        for portion in portions(self.replicates, max(units, self.n)):
            chance = torch.rand(portion, units, generator=generator, dtype=torch.float64)
            drawn = order[start + (chance * size).long()]
            times = torch.zeros_like(chance).scatter_add_(1, drawn, torch.ones_like(chance))
            yield times[:, place]

    def left_out(self) -> Iterator[Tensor]:
        """Portions [B,N] in which each picture, or each group, is missing once: the jackknife."""
        place, strata = self.units()
        first = 0
        for portion in portions(len(strata), max(len(strata), self.n)):
            missing = torch.arange(first, first + portion)
            first += portion
            yield (place != missing[:, None]).double()

    def units(self) -> tuple[Tensor, Tensor]:
        """The unit of each picture [N], and the stratum of each unit, what is drawn whole [U]."""
        strata = torch.zeros(self.n, dtype=torch.int64) if self.strata is None else self.strata
        if self.groups is None:
            return torch.arange(self.n), strata
        groups, place = self.groups.unique(return_inverse=True)
        kinds, kind = strata.unique(return_inverse=True)
        cells = torch.bincount(place * len(kinds) + kind, minlength=len(groups) * len(kinds))
        return place, cells.view(len(groups), len(kinds)).argmax(dim=1)


def blocks(strata: Tensor) -> tuple[Tensor, Tensor]:
    """Of units sorted by stratum, where the block of each begins, and its size.  [U] -> 2 x [U]"""
    _, sizes = strata.unique(return_counts=True)
    starts = sizes.cumsum(dim=0) - sizes
    return starts.repeat_interleave(sizes), sizes.repeat_interleave(sizes)


def portions(total: int, width: int) -> Iterator[int]:
    """Numbers of rows, together `total`, of at most `PORTION` cells each."""
    most = max(1, PORTION // max(width, 1))
    for first in range(0, total, most):
        yield min(most, total - first)


def mean_over(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of several statistics, of those that are numbers."""
    return lambda weights: torch.stack([one(weights) for one in statistics]).nanmean(dim=0)


def mean_of(values: Tensor) -> Statistic:
    """The mean of a number that each picture has, as a statistic.  [N]"""
    values = values.double()
    return lambda weights: weights @ values / weights.sum(dim=1)


# Bootstrap intervals: how far a number moves when the pictures are drawn again.
#
# Efron 1987, Better bootstrap confidence intervals.  A number that is the same in every replicate,
# such as the kappa of a perfect test, gets None: resampling can then say nothing of its spread.


NORMAL = NormalDist()


def percentile(
    statistic: Statistic, resampling: Resampling, confidence: float = 0.95
) -> Interval | None:
    """The middle `confidence` of the replicates."""
    values = replicates(statistic, resampling)
    tail = (1 - confidence) / 2
    return between(values, tail, 1 - tail)


def bca(statistic: Statistic, resampling: Resampling, confidence: float = 0.95) -> Interval | None:
    """Bias-corrected and accelerated (Efron 1987): better for skewed numbers.

    Needs a jackknife besides, N more evaluations.
    """
    values = replicates(statistic, resampling)
    whole = statistic(torch.ones(1, resampling.n, dtype=torch.float64))[0]
    below = ((values < whole).double().mean() + (values == whole).double().mean() / 2).item()
    if not 0 < below < 1:
        return None
    bias = NORMAL.inv_cdf(below)
    without = torch.cat([statistic(weights) for weights in resampling.left_out()])
    pull = without.nanmean() - without[without.isfinite()]
    spread = pull.square().sum() ** 1.5
    acceleration = float(pull.pow(3).sum() / (6 * spread)) if spread > 0 else 0.0

    def level(share: float) -> float:
        moved = bias + NORMAL.inv_cdf(share)
        return NORMAL.cdf(bias + moved / (1 - acceleration * moved))

    tail = (1 - confidence) / 2
    return between(values, level(tail), level(1 - tail))


def replicates(statistic: Statistic, resampling: Resampling) -> Tensor:
    """The statistic of every replicate in which it is defined.  [<=replicates] float64"""
    values = torch.cat([statistic(weights) for weights in resampling.weights()])
    return values[values.isfinite()]


def between(values: Tensor, low: float, high: float) -> Interval | None:
    """Two quantiles of the replicates; None where they are all alike."""
    if len(values) == 0 or bool(values.max() == values.min()):
        return None
    ends = values.quantile(torch.tensor([low, high], dtype=values.dtype))
    return Interval(*ends.tolist())


# Spread: bootstrap intervals for many numbers at once, the pictures drawn once for all of them.


DRAWS = 4_000_000  # pictures drawn for each number: 2,000 replicates up to 2,000 pictures
FEWEST = 200  # replicates; an end of the interval is then good to a fifth of its width


@dataclass(frozen=True)
class Wanted:
    """A number still without its interval."""

    name: str
    statistic: Statistic
    unit: str = ""
    baseline: float | None = None


def with_spread(wanted: Sequence[Wanted], resampling: Resampling) -> list[Number]:
    """Each number with its 95 % percentile interval; None where replicates are all alike."""
    affordable = max(FEWEST, DRAWS // max(1, resampling.n))
    resampling = replace(resampling, replicates=min(resampling.replicates, affordable))
    drawn = [[w.statistic(weights) for w in wanted] for weights in resampling.weights()]
    once = torch.ones(1, resampling.n, dtype=torch.float64)
    method = "bootstrap" if resampling.groups is None else "bootstrap of groups"
    numbers = []
    for one, values in zip(wanted, map(torch.cat, zip(*drawn)), strict=True):
        interval = between(values[values.isfinite()], 0.025, 0.975)
        value = float(one.statistic(once)[0])
        number = Number(one.name, value, resampling.n, interval, one.unit, one.baseline, method)
        numbers.append(number)
    return numbers
