"""Adaptive calibration error: every class's probability held to how often the class is true.

Nixon 2019, Measuring calibration in deep learning: the mean over classes and ranges
of |share of the class - mean probability|, ranges of a class holding N / R pictures each.  With
many classes most probabilities are near 0 and so is this mean: compare it within one class list.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.metrics.membership import membership
from saccade.metrics.resampling import Statistic, mean_over

RANGES = 15


def adaptive_calibration_error(probabilities: Tensor, targets: Tensor) -> Tensor:
    """The mean over classes; equal probabilities share their truths alike.  [N,K], [N] -> []"""
    once = torch.ones(1, len(targets), dtype=torch.float64)
    return adaptive_error(probabilities, targets)(once)[0]


def adaptive_error(probabilities: Tensor, targets: Tensor) -> Statistic:
    """The same as a statistic; its ranges stay those of the pictures as they are."""
    members = membership(targets, probabilities.shape[1]).double()
    pairs = zip(probabilities.double().T, members.T, strict=True)
    return mean_over([_gap(p, truth) for p, truth in pairs])


def _gap(probabilities: Tensor, truth: Tensor) -> Statistic:
    """The mean over the ranges of one class.  [N], [N]"""
    shares = _shares(probabilities)
    excess = shares * (truth - probabilities)[:, None]

    def statistic(weights: Tensor) -> Tensor:
        counts, gaps = weights @ shares, (weights @ excess).abs()
        return (gaps / counts.clamp_min(1e-9)).sum(dim=1) / (counts > 0).sum(dim=1)

    return statistic


def _shares(probabilities: Tensor) -> Tensor:
    """How much of each picture lies in each range: equal probabilities lie alike.  [N] -> [N,R]"""
    _, place, times = probabilities.unique(return_inverse=True, return_counts=True)
    ends = times.cumsum(dim=0)[:, None]  # of equal values, by rising probability
    borders = (len(probabilities) * torch.arange(RANGES + 1) / RANGES).ceil()
    inside = ends.minimum(borders[1:]) - (ends - times[:, None]).maximum(borders[:-1])
    return (inside.clamp_min(0).double() / times[:, None])[place]
