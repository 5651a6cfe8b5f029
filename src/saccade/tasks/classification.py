"""Classification: one class of several for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.batch import Batch
from saccade.data.classes import match
from saccade.data.source import Item
from saccade.metrics.accuracy import Accuracy
from saccade.metrics.confusion import Confusion
from saccade.metrics.log_loss import LogLoss
from saccade.metrics.metric import Metric


@dataclass(frozen=True)
class Classification:
    """Softmax over `classes`, cross-entropy as the loss."""

    classes: tuple[str, ...]
    label_smoothing: float = 0.0  # share of the target spread over all classes (Szegedy 2015, 7)
    weights: tuple[float, ...] | None = None  # of each class in the loss; None: all alike

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The position of each label in `classes`, by name.  [N] int64"""
        return torch.from_numpy(match(items, self.classes))

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        logits = model(batch.images).float()
        weights = logits.new_tensor(self.weights) if self.weights else None
        loss = F.cross_entropy(logits, batch.targets, weights, label_smoothing=self.label_smoothing)
        return {"loss": loss}

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """Probabilities.  [N,C,H,W] -> [N,K]"""
        return model(images).float().softmax(dim=1)

    def metrics(self) -> dict[str, Metric]:
        return {
            "accuracy": Accuracy(),
            "top5": Accuracy(k=5),
            "log_loss": LogLoss(),
            "confusion": Confusion(len(self.classes)),
        }
