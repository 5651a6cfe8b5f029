"""Spread: bootstrap intervals for many numbers at once, the pictures drawn once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from saccade.metrics.bootstrap import between
from saccade.metrics.measured import Number
from saccade.metrics.resampling import Resampling, Statistic

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
