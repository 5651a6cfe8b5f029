"""Classification: one class of several for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.classes import match
from saccade.data.item import Item
from saccade.metrics.calibration import fit_temperature
from saccade.metrics.classification import ClassMetric
from saccade.models.backbone import heads, summed


@dataclass(frozen=True)
class Classification:
    """Softmax over `classes`, cross-entropy as the loss."""

    classes: tuple[str, ...]
    label_smoothing: float = 0.0  # share of the target spread over all classes (Szegedy 2015, 7)
    weights: tuple[float, ...] | None = None  # of each class in the loss; None: all alike
    temperature: float = 1.0  # divides the logits of predictions (Guo 2017, Equation 9)

    kind = "classification"

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The position of each label in `classes`, by name.  [N] int64"""
        return torch.from_numpy(match(items, self.classes))

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        def loss(logits: Tensor) -> Tensor:
            weights = logits.new_tensor(self.weights) if self.weights else None
            smoothing = self.label_smoothing
            return F.cross_entropy(logits, batch.targets, weights, label_smoothing=smoothing)

        return {"loss": summed(loss, model(batch.images))}

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """Probabilities.  [N,C,H,W] -> [N,K]"""
        return (heads(model(images))[0].float() / self.temperature).softmax(dim=1)

    def metric(self) -> ClassMetric:
        return ClassMetric(self.classes)

    def calibrated(
        self, predictions: Tensor, targets: Tensor
    ) -> tuple[Classification, dict[str, Any]]:
        """With the temperature of least log loss; `predictions` are of temperature 1."""
        found = fit_temperature(predictions, targets)
        return replace(self, temperature=found.value), {
            "temperature": found.value,
            "interval": found.interval,
            "note": found.note,
        }

    def answers(self, predictions: Tensor) -> list[str]:
        return [self.classes[k] for k in predictions.argmax(dim=1).tolist()]

    def config(self) -> dict[str, Any]:
        return {"temperature": self.temperature}
