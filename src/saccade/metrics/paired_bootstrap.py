"""Paired bootstrap: the same pictures drawn again for all of several networks.

Efron 1979, Bootstrap methods.  The p-value is twice the share of replicates beyond no difference,
the observed one counted among them (Davison & Hinkley 1997, Bootstrap Methods, 4.2 and 4.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import between
from saccade.metrics.interval import Interval
from saccade.metrics.resampling import Resampling, Statistic
from saccade.metrics.spread import DRAWS, FEWEST


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
