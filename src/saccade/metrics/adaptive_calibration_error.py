"""Adaptive calibration error: every class's probability held to how often the class is true.

Nixon 2019, Measuring calibration in deep learning: the mean over classes and ranges
of |share of the class - mean probability|, ranges of a class holding N / R pictures each.  With
many classes most probabilities are near 0 and so is this mean: compare it within one class list.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.metrics.membership import membership

RANGES = 15


def adaptive_calibration_error(probabilities: Tensor, targets: Tensor) -> Tensor:
    """The mean over classes; equal probabilities share their truths alike.  [N,K], [N] -> []"""
    members = membership(targets, probabilities.shape[1])
    pairs = zip(probabilities.double().T, members.double().T, strict=True)
    return torch.stack([_gap(p, truth) for p, truth in pairs]).mean()


def _gap(probabilities: Tensor, truth: Tensor) -> Tensor:
    """The mean over ranges for one class.  [N], [N] -> []"""
    n = len(probabilities)
    values, place, times = probabilities.unique(return_inverse=True, return_counts=True)
    share = torch.zeros_like(values).index_add_(0, place, truth) / times
    gaps = (share - values).repeat_interleave(times)  # by rising probability
    ranges = min(RANGES, n)
    which = torch.arange(n) * ranges // n
    sums = gaps.new_zeros(ranges).index_add_(0, which, gaps)
    return (sums.abs() / torch.bincount(which)).mean()
