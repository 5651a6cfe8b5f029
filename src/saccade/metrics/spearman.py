"""Spearman's correlation: whether predicted numbers stand in the order of the true ones.

Spearman 1904, The proof and measurement of association between two things.
"""

from __future__ import annotations

import torch
from torch import Tensor


def spearman(prediction: Tensor, targets: Tensor) -> Tensor:
    """The correlation of ranks of each number, then the mean; NaN if one side never varies.

    [N] or [N,D], [N] or [N,D] -> []
    """
    n = len(prediction)
    pairs = zip(prediction.reshape(n, -1).T, targets.reshape(n, -1).T, strict=True)
    return torch.stack([_correlation(ranks(a), ranks(b)) for a, b in pairs]).mean()


def ranks(values: Tensor) -> Tensor:
    """From 1; equal values share the mean of their ranks.  [N] -> [N] float64"""
    _, place, times = values.unique(return_inverse=True, return_counts=True)
    return (times.cumsum(dim=0) - (times - 1) / 2.0).double()[place]


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()
