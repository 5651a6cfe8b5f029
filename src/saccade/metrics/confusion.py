"""Confusion: how many pictures of each class were taken for each class."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.batch import Batch


class Confusion:
    """Counts [K,K] int64: a row a true class, a column a predicted class."""

    def __init__(self, num_classes: int):
        self.counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, prediction: Tensor, batch: Batch) -> None:
        num_classes = len(self.counts)
        cells = (batch.targets * num_classes + prediction.argmax(dim=1)).cpu()
        self.counts += torch.bincount(cells, minlength=num_classes**2).view(num_classes, -1)

    def merge(self, other: Confusion) -> None:
        self.counts += other.counts

    def result(self) -> Tensor:
        return self.counts
