"""Accuracy: the share of pictures whose class is among the k most probable."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.batch import Batch


class Accuracy:
    """Top-k accuracy from 0 to 1.  Of equal scores the first class counts, as in `argmax`."""

    def __init__(self, k: int = 1):
        self.k = k
        self.correct = 0
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        target = batch.targets[:, None]
        given = prediction.gather(1, target)
        first = torch.arange(prediction.shape[1], device=target.device) < target
        ahead = ~(prediction < given) & ((prediction != given) | first)  # NaN is never right
        self.correct += int((ahead.sum(dim=1) < self.k).sum())
        self.n += len(batch)

    def merge(self, other: Accuracy) -> None:
        self.correct += other.correct
        self.n += other.n

    def result(self) -> float:
        return self.correct / self.n if self.n else float("nan")
