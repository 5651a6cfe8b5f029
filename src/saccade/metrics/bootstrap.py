"""Bootstrap: how far a number moves when the images are drawn again with replacement.

Efron 1979, Bootstrap methods; Davison & Hinkley 1997, Bootstrap Methods and their Application,
3.2 (strata), 3.8 (groups).  A number that is the same in every replicate, such as the kappa of a
perfect test, has no interval: resampling can then say nothing of its spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from saccade.metrics.intervals import Interval

Statistic = Callable[[Tensor], Tensor]  # how often each image is there [B,N] float64 -> [B]

PORTION = 250_000  # weights at a time: 2 MB, which a processor keeps near
DRAWS = 4_000_000  # images drawn for each number: 2,000 replicates up to 2,000 images
FEWEST = 200  # replicates; an end of the interval is then good to a fifth of its width


@dataclass(frozen=True)
class Resampling:
    """How often each of `n` images is drawn, replicate by replicate.

    With `strata`, usually the true classes, each keeps its size.  With `groups` (images of one
    patient, plant or place) whole groups are drawn; a group is of the stratum of most of its
    images.
    """

    n: int
    strata: Tensor | None = None  # [N] int64
    groups: Tensor | None = None  # [N] int64
    seed: int = 0
    replicates: int = 2000

    @property
    def method(self) -> str:
        """The name of an interval that is made so."""
        return "bootstrap" if self.groups is None else "cluster bootstrap"

    def affordable(self) -> Resampling:
        """With no more replicates than so many images allow."""
        most = max(FEWEST, DRAWS // max(1, self.n))
        return replace(self, replicates=min(self.replicates, most))

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

    def units(self) -> tuple[Tensor, Tensor]:
        """The unit of each image [N], and the stratum of each unit, what is drawn whole [U]."""
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


def mean_of(values: Tensor) -> Statistic:
    """The mean of a number that each image has, as a statistic.  [N]"""
    values = values.double()
    return lambda weights: weights @ values / weights.sum(dim=1)


def mean_over(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of several statistics, of those that are numbers."""
    return lambda weights: torch.stack([one(weights) for one in statistics]).nanmean(dim=0)


def replicates(statistics: Sequence[Statistic], resampling: Resampling) -> Tensor:
    """The statistics S of every replicate B, all of the same draws; NaN where undefined.  [S,B]"""
    if not statistics:
        return torch.empty(0, resampling.replicates, dtype=torch.float64)
    drawn = [torch.stack([one(w) for one in statistics]) for w in resampling.weights()]
    return torch.cat(drawn, dim=1)


def percentile(
    statistic: Statistic, resampling: Resampling, confidence: float = 0.95
) -> Interval | None:
    """The middle `confidence` of the replicates; None where they are all alike."""
    tail = (1 - confidence) / 2
    return quantile_interval(replicates([statistic], resampling)[0], tail, 1 - tail)


def quantile_interval(values: Tensor, low: float, high: float) -> Interval | None:
    """Two quantiles of those replicates [B] that are numbers; None where they are all alike."""
    values = values[values.isfinite()]
    if len(values) == 0 or bool(values.max() == values.min()):
        return None
    ends = values.quantile(torch.tensor([low, high], dtype=values.dtype))
    return Interval(*ends.tolist())
