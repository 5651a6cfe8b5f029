"""Thresholds: from which probability on a label is best given."""

from __future__ import annotations

import torch
from torch import Tensor

FEW = 5  # pictures of a label below which nothing is fitted


def best_f1_thresholds(probabilities: Tensor, targets: Tensor) -> list[float]:
    """For each label the threshold of the highest F1 on validation pictures, midway between two.

    Lipton 2014, "Optimal thresholding of classifiers to maximize F1 measure".  One half for a label
    with fewer than five pictures.  [N,K], [N,K] of 0 and 1 -> K
    """
    return [_best(p, truth > 0.5) for p, truth in zip(probabilities.T, targets.T, strict=True)]


def _best(probabilities: Tensor, true: Tensor) -> float:
    if int(true.sum()) < FEW:
        return 0.5
    values, place = probabilities.double().unique(return_inverse=True)
    hits = torch.zeros_like(values).index_add_(0, place, true.double()).flip(0).cumsum(0)
    named = torch.bincount(place).flip(0).cumsum(0)
    best = int((2 * hits / (named + true.sum())).argmax())
    falling = values.flip(0)
    below = falling[best + 1] if best + 1 < len(falling) else falling.new_zeros(())
    return float((falling[best] + below) / 2)
