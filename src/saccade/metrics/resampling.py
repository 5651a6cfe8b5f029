"""Resampling: the pictures drawn again with replacement, class by class and whole groups.

Efron 1979, Bootstrap methods; Davison & Hinkley 1997, Bootstrap Methods and their Application,
3.2 (strata), 3.8 (groups).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

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
