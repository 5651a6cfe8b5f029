"""Reliability: whether what is said with 80 % is right in 80 of 100 pictures.

DeGroot & Fienberg 1983, The comparison and evaluation of forecasters.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.interval import Interval, wilson


class Bin(NamedTuple):
    """Pictures whose confidence is in (low, high]; at best its mean is their accuracy."""

    low: float
    high: float
    n: int
    confidence: float  # the mean
    accuracy: float
    interval: Interval  # of the accuracy; Wilson, 95 %


def equal_width(bins: int) -> Tensor:
    """Ends of bins of one width from 0 to 1.  [bins + 1]"""
    return torch.linspace(0, 1, bins + 1, dtype=torch.float64)


def equal_count(confidences: Tensor, bins: int) -> Tensor:
    """Ends of bins of about as many pictures each; fewer bins where many are equal.  [<=bins+1]"""
    inner = torch.linspace(0, 1, bins + 1, dtype=torch.float64)[1:-1]
    ends = confidences.double().quantile(inner, interpolation="lower").unique()
    return torch.cat([torch.zeros(1).double(), ends[(ends > 0) & (ends < 1)], torch.ones(1)])


def reliability(confidences: Tensor, right: Tensor, ends: Tensor) -> tuple[Bin, ...]:
    """The diagram's bins that hold pictures.

    confidences [N] of the named class, right [N] bool, ends [bins + 1]
    """
    counts, confidence, hits = bin_sums(confidences, right, ends)
    rows = zip(ends, ends[1:], counts, confidence, hits)
    return tuple(
        Bin(
            float(low),
            float(high),
            int(n),
            float(total / n),
            float(good / n),
            wilson(float(good), int(n)),
        )
        for low, high, n, total, good in rows
        if n
    )


def bin_sums(confidences: Tensor, right: Tensor, ends: Tensor) -> Tensor:
    """In each bin the pictures, their summed confidence and the right ones.  [3,bins] float64"""
    place = torch.bucketize(confidences, ends[1:-1].to(confidences.dtype))
    confidences = confidences.double()
    rows = torch.stack([torch.ones_like(confidences), confidences, right.double()])
    return rows.new_zeros(3, len(ends) - 1).index_add_(1, place, rows)
