"""Remembered: a number that needs all predictions at once, as whatever goes by rank does."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from saccade.batch import Batch

WholeScore = Callable[[Tensor, Tensor], Tensor]  # all predictions, all targets -> [] or [K]


class Remembered:
    """`score` of everything seen, kept on the CPU."""

    def __init__(self, score: WholeScore):
        self.score = score
        self.predictions: list[Tensor] = []
        self.targets: list[Tensor] = []

    def update(self, prediction: Tensor, batch: Batch) -> None:
        self.predictions.append(prediction.cpu())
        self.targets.append(batch.targets.cpu())

    def merge(self, other: Remembered) -> None:
        self.predictions += other.predictions
        self.targets += other.targets

    def result(self) -> float | Tensor:
        if not self.predictions:
            return float("nan")
        score = self.score(torch.cat(self.predictions), torch.cat(self.targets))
        return float(score) if score.ndim == 0 else score
