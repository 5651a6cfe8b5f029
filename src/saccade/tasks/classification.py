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

SIDE = 0.3  # weight of the loss of a classifier at the side (Szegedy 2014, Section 5)


def heads(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The logits of every classifier of a network, the one at its end first."""
    return output if isinstance(output, tuple) else (output,)


@dataclass(frozen=True)
class Classification:
    """Softmax over `classes`, cross-entropy as the loss."""

    classes: tuple[str, ...]
    label_smoothing: float = 0.0  # share of the target spread over all classes (Szegedy 2015, 7)
    weights: tuple[float, ...] | None = None  # of each class in the loss; None: all alike
    temperature: float = 1.0  # divides the logits of predictions (Guo 2017, Equation 9)

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The position of each label in `classes`, by name.  [N] int64"""
        return torch.from_numpy(match(items, self.classes))

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        first, *sides = (self._loss(logits, batch) for logits in heads(model(batch.images)))
        return {"loss": first + SIDE * sum(sides)}

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """Probabilities.  [N,C,H,W] -> [N,K]"""
        return (heads(model(images))[0].float() / self.temperature).softmax(dim=1)

    def _loss(self, logits: Tensor, batch: Batch) -> Tensor:
        logits = logits.float()
        weights = logits.new_tensor(self.weights) if self.weights else None
        smoothing = self.label_smoothing
        return F.cross_entropy(logits, batch.targets, weights, label_smoothing=smoothing)

    def metrics(self) -> dict[str, Metric]:
        return {
            "accuracy": Accuracy(),
            "top5": Accuracy(k=5),
            "log_loss": LogLoss(),
            "confusion": Confusion(len(self.classes)),
        }
