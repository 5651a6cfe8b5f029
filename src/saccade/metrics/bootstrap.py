"""Bootstrap intervals: how far a number moves when the pictures are drawn again.

Efron 1987, Better bootstrap confidence intervals.  A number that is the same in every replicate,
such as the kappa of a perfect test, gets None: resampling can then say nothing of its spread.
"""

from __future__ import annotations

from statistics import NormalDist

import torch
from torch import Tensor

from saccade.metrics.interval import Interval
from saccade.metrics.resampling import Resampling, Statistic

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
