"""The bootstrap: intervals of statistics, from resampling the images with replacement.

Efron 1979, Bootstrap methods; Davison & Hinkley 1997, Bootstrap Methods and their Application,
3.8 (groups).  A statistic that is equal in every replicate, such as the kappa of a
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

    With `groups` (images of one patient, plant or place) whole groups are drawn (cluster
    bootstrap).
    """

    n: int
    groups: Tensor | None = None  # [N] int64
    seed: int = 0
    replicates: int = 2000

    def affordable(self) -> Resampling:
        """With fewer replicates for many images, so that `MAX_DRAWS` are drawn."""
        limit = max(MIN_REPLICATES, MAX_DRAWS // max(1, self.n))
        return replace(self, replicates=min(self.replicates, limit))

    def weights(self) -> Iterator[Tensor]:
        """The weights of all replicates in chunks [B,N] float64, the same at every call."""
        generator = torch.Generator().manual_seed(self.seed)
        unit = torch.arange(self.n)
        if self.groups is not None:
            unit = self.groups.unique(return_inverse=True)[1]
        units = int(unit.max()) + 1 if self.n else 0
        for count in chunk_sizes(self.replicates, max(units, self.n)):
            uniform = torch.rand(count, units, generator=generator, dtype=torch.float64)
            drawn = (uniform * units).long()
            counts = torch.zeros_like(uniform).scatter_add_(1, drawn, torch.ones_like(uniform))
            yield counts[:, unit]


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
