"""Averaged: the mean over pictures of a number that each picture has."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from saccade.batch import Batch

PictureScore = Callable[[Tensor, Tensor], Tensor]  # prediction [N,...], targets [N,...] -> [N]


class Averaged:
    """The mean of `score`, summed in float64."""

    def __init__(self, score: PictureScore):
        self.score = score
        self.total = 0.0
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        self.total += float(self.score(prediction.cpu(), batch.targets.cpu()).double().sum())
        self.n += len(batch)

    def merge(self, other: Averaged) -> None:
        self.total += other.total
        self.n += other.n

    def result(self) -> float:
        return self.total / self.n if self.n else float("nan")
