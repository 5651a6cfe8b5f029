"""Labelling: any number of labels for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.classes import match_several
from saccade.data.item import Item
from saccade.errors import DataError
from saccade.metrics.multilabel import LabelMetric, best_f1_thresholds
from saccade.models.backbone import heads, summed

SEVERAL = "|"  # between the labels of one picture


@dataclass(frozen=True)
class Labelling:
    """A sigmoid for each of `classes`, binary cross-entropy as the loss."""

    classes: tuple[str, ...]
    label_smoothing: float = 0.0  # share of each target that is drawn to one half
    weights: tuple[float, ...] | None = None  # of a label's being there; None: as its not being
    thresholds: tuple[float, ...] = ()  # from which probability on a label is given; (): one half

    kind = "labelling"

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def targets(self, items: Sequence[Item]) -> Tensor:
        """1 where an item carries a label, by name; a class is one label.  [N,K] float32"""
        for item in items:
            if not isinstance(item.label, str | tuple):
                raise DataError(
                    f"'{item.name}' has the label {item.label!r} where label names are needed",
                    "call the column labels, or train on numbers",
                )
        return torch.from_numpy(match_several(items, self.classes)).float()

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        def loss(logits: Tensor) -> Tensor:
            weights = logits.new_tensor(self.weights) if self.weights else None
            targets = torch.lerp(batch.targets, batch.targets.new_tensor(0.5), self.label_smoothing)
            return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)

        return {"loss": summed(loss, model(batch.images))}

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The probability of each label.  [N,C,H,W] -> [N,K]"""
        return heads(model(images))[0].float().sigmoid()

    def metric(self) -> LabelMetric:
        return LabelMetric(self.classes, self.thresholds)

    def calibrated(self, predictions: Tensor, targets: Tensor) -> tuple[Labelling, dict[str, Any]]:
        """With the threshold of the highest F1 for each label."""
        found = best_f1_thresholds(predictions, targets)
        thresholds = dict(zip(self.classes, found, strict=True))
        return replace(self, thresholds=tuple(found)), {"thresholds": thresholds, "note": ""}

    def answers(self, predictions: Tensor) -> list[str]:
        given = (predictions >= self._given_from(predictions)).tolist()
        return [
            SEVERAL.join(name for name, there in zip(self.classes, row, strict=True) if there)
            for row in given
        ]

    def config(self) -> dict[str, Any]:
        return {"thresholds": list(self.thresholds)}

    def _given_from(self, predictions: Tensor) -> Tensor:
        return predictions.new_tensor(self.thresholds or [0.5] * len(self.classes))
