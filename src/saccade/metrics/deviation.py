"""Deviation: how far predicted numbers lie from true ones; mean absolute and squared."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.batch import Batch


def deviations(prediction: Tensor, targets: Tensor) -> Tensor:
    """Predicted less true.  [N] or [N,D], [N] or [N,D] -> [N,D] float64"""
    n = len(prediction)
    return prediction.cpu().double().reshape(n, -1) - targets.cpu().double().reshape(n, -1)


def absolute_errors(prediction: Tensor, targets: Tensor) -> Tensor:
    """Of each picture, the mean over its numbers; MAE is their mean.  [N,D], [N,D] -> [N]"""
    return deviations(prediction, targets).abs().mean(dim=1)


class RootMeanSquare:
    """RMSE: the root of the mean square of each number, then the mean over numbers."""

    def __init__(self) -> None:
        self.squares = torch.zeros(1, dtype=torch.float64)  # [D] from the first batch on
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        squares = deviations(prediction, batch.targets).square().sum(dim=0)
        self.squares = self.squares + squares
        self.n += len(batch)

    def merge(self, other: RootMeanSquare) -> None:
        self.squares = self.squares + other.squares
        self.n += other.n

    def result(self) -> float:
        return float((self.squares / self.n).sqrt().mean())
