"""Accuracy: the share of pictures whose class is among the k most probable."""

from __future__ import annotations

from torch import Tensor

from saccade.batch import Batch


class Accuracy:
    """Top-k accuracy from 0 to 1.  Of equal scores the first class counts, as in `Tensor.topk`."""

    def __init__(self, k: int = 1):
        self.k = k
        self.correct = 0
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        best = prediction.topk(min(self.k, prediction.shape[1]), dim=1).indices
        self.correct += int((best == batch.targets[:, None]).any(dim=1).sum())
        self.n += len(batch)

    def result(self) -> float:
        return self.correct / self.n if self.n else float("nan")
