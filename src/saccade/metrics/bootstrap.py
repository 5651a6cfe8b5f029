"""The bootstrap: intervals of statistics, from resampling the images with replacement.

Efron 1979, Bootstrap methods; Davison & Hinkley 1997, Bootstrap Methods and their Application,
3.2 (strata), 3.8 (groups).  A statistic that is equal in every replicate, such as the kappa of a
perfect prediction, has no interval: resampling then says nothing of its spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from saccade.metrics.intervals import Interval

Statistic = Callable[[Tensor], Tensor]  # weights, how often each image counts [B,N] float64 -> [B]

CHUNK_SIZE = 250_000  # weights at a time: 2 MB, which fit into a processor's cache
MAX_DRAWS = 4_000_000  # images drawn for a statistic: 2,000 replicates up to 2,000 images
MIN_REPLICATES = 200  # an end of the interval is then good to a fifth of its width


@dataclass(frozen=True)
class Resampling:
    """A bootstrap of `n` images: how often each is drawn in each replicate.

    With `strata`, usually the true classes, each keeps its size.  With `groups` (images of one
    patient, plant or place) whole groups are drawn (cluster bootstrap); the stratum of a group is
    that of most of its images.
    """

    n: int
    strata: Tensor | None = None  # [N] int64
    groups: Tensor | None = None  # [N] int64
    seed: int = 0
    replicates: int = 2000

    @property
    def method(self) -> str:
        """The name of this method of an interval."""
        return "bootstrap" if self.groups is None else "cluster bootstrap"

    def affordable(self) -> Resampling:
        """With fewer replicates for many images, so that `MAX_DRAWS` are drawn."""
        limit = max(MIN_REPLICATES, MAX_DRAWS // max(1, self.n))
        return replace(self, replicates=min(self.replicates, limit))

    def weights(self) -> Iterator[Tensor]:
        """The weights of all replicates in chunks [B,N] float64, the same at every call."""
        generator = torch.Generator().manual_seed(self.seed)
        unit, strata = self.units()
        start, size = blocks(strata)
        order = strata.argsort(stable=True)
        units = len(strata)
        for count in chunk_sizes(self.replicates, max(units, self.n)):
            uniform = torch.rand(count, units, generator=generator, dtype=torch.float64)
            drawn = order[start + (uniform * size).long()]
            counts = torch.zeros_like(uniform).scatter_add_(1, drawn, torch.ones_like(uniform))
            yield counts[:, unit]

    def units(self) -> tuple[Tensor, Tensor]:
        """The unit (group, or image) of each image, the stratum of each unit.  -> [N], [U] int64"""
        strata = torch.zeros(self.n, dtype=torch.int64) if self.strata is None else self.strata
        if self.groups is None:
            return torch.arange(self.n), strata
        groups, unit = self.groups.unique(return_inverse=True)
        names, stratum = strata.unique(return_inverse=True)
        counts = torch.bincount(unit * len(names) + stratum, minlength=len(groups) * len(names))
        return unit, counts.view(len(groups), len(names)).argmax(dim=1)


def blocks(strata: Tensor) -> tuple[Tensor, Tensor]:
    """Of units sorted by stratum, the start and the size of each one's stratum.  [U] -> [U], [U]"""
    _, sizes = strata.unique(return_counts=True)
    starts = sizes.cumsum(dim=0) - sizes
    return starts.repeat_interleave(sizes), sizes.repeat_interleave(sizes)


def chunk_sizes(total: int, width: int) -> Iterator[int]:
    """Numbers of rows of chunks of at most `CHUNK_SIZE` cells, `total` rows together."""
    rows = max(1, CHUNK_SIZE // max(width, 1))
    for first in range(0, total, rows):
        yield min(rows, total - first)


def mean_of(values: Tensor) -> Statistic:
    """The mean of a value of each image, as a statistic.  [N]"""
    values = values.double()
    return lambda weights: weights @ values / weights.sum(dim=1)


def mean_over(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of several statistics, without those that are NaN."""
    return lambda weights: torch.stack([s(weights) for s in statistics]).nanmean(dim=0)


def replicates(statistics: Sequence[Statistic], resampling: Resampling) -> Tensor:
    """All statistics on the same replicates; NaN where undefined.  -> [S,B] float64"""
    if not statistics:
        return torch.empty(0, resampling.replicates, dtype=torch.float64)
    chunks = [torch.stack([s(w) for s in statistics]) for w in resampling.weights()]
    return torch.cat(chunks, dim=1)


def percentile(
    statistic: Statistic, resampling: Resampling, confidence: float = 0.95
) -> Interval | None:
    """The percentile interval of a statistic; None where all replicates are equal."""
    tail = (1 - confidence) / 2
    return quantile_interval(replicates([statistic], resampling)[0], tail, 1 - tail)


def quantile_interval(values: Tensor, low: float, high: float) -> Interval | None:
    """The interval between two quantiles of finite replicates [B]; None where all are equal."""
    values = values[values.isfinite()]
    if len(values) == 0 or bool(values.max() == values.min()):
        return None
    ends = values.quantile(torch.tensor([low, high], dtype=values.dtype))
    return Interval(*ends.tolist())
