"""Log loss: the mean of -log of the probability that the true class was given."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.batch import Batch


class LogLoss:
    """In nats; a probability below 2^-149, float32's smallest, counts as that."""

    def __init__(self) -> None:
        self.total = 0.0
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        given = prediction.gather(1, batch.targets[:, None]).float().clamp_min(2.0**-149)
        self.total -= float(given.to(torch.float64).log().sum())
        self.n += len(batch)

    def result(self) -> float:
        return self.total / self.n if self.n else float("nan")
