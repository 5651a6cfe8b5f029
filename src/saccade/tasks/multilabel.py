"""Multilabel: any number of labels for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.classes import labels_of, multilabel_targets
from saccade.data.item import Item
from saccade.data.splits import SEPARATOR
from saccade.errors import DataError
from saccade.metrics.multilabel import LabelMetric, best_f1_thresholds
from saccade.models.backbone import all_outputs, total_loss
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, Rejection, most_probable
from saccade.tasks.class_weights import counts_of_classes, weights_of_classes
from saccade.tasks.classification import Prediction
from saccade.tasks.task import Capability, Card, Task


@dataclass(frozen=True)
class Multilabel(Task):
    """A sigmoid for each of `classes`, binary cross-entropy as the loss."""

    classes: tuple[str, ...]
    label_smoothing: float = 0.0  # share of each target that is drawn to one half
    weights: tuple[float, ...] | None = None  # of a label's being there; None: as its not being
    thresholds: tuple[float, ...] = ()  # from which probability on a label is given; (): one half

    kind = "multilabel"
    labels = (tuple, str)
    heads = ("logistic",)
    capabilities = frozenset(
        {
            Capability.LABEL_SMOOTHING,
            Capability.CLASS_WEIGHTS,
            Capability.MIXING,
            Capability.CROPPING,
        }
    )
    card = Card(
        tag="image-classification",
        answers="labels",
        use="It is meant for images that carry any number of its labels, none among them.",
        limits="It knows its own labels only; no label does not mean that nothing is there.",
    )

    @classmethod
    def of(
        cls,
        items: Sequence[Item],
        classes: tuple[str, ...],
        label_smoothing: float = 0.0,
        weights: str = "none",
    ) -> Multilabel:
        if len({frozenset(labels_of(item)) for item in items}) == 1:
            found = SEPARATOR.join(labels_of(items[0])) or "none"
            raise DataError(
                f"all images to train on carry the same labels: {found}",
                "there is nothing to be learned; add images without one of them",
            )
        return cls(classes, label_smoothing, _weights_of_labels(weights, items, classes))

    @classmethod
    def read(cls, classes: tuple[str, ...], config: Mapping[str, Any]) -> Multilabel:
        return cls(classes, thresholds=tuple(config["thresholds"]))

    @classmethod
    def plain(cls, classes: tuple[str, ...]) -> Multilabel:
        return cls(classes)

    def config(self) -> dict[str, Any]:
        return {"thresholds": list(self.thresholds)}

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
        return torch.from_numpy(multilabel_targets(items, self.classes)).float()

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        def loss(logits: Tensor) -> Tensor:
            weights = logits.new_tensor(self.weights) if self.weights else None
            targets = torch.lerp(batch.targets, batch.targets.new_tensor(0.5), self.label_smoothing)
            return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)

        return {"loss": total_loss(loss, model(batch.images))}

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The probability of each label.  [N,C,H,W] -> [N,K]"""
        return all_outputs(model(images))[0].float().sigmoid()

    def metric(self) -> LabelMetric:
        return LabelMetric(self.classes, self.thresholds)

    def calibrate(self, predictions: Tensor, targets: Tensor) -> tuple[Multilabel, dict[str, Any]]:
        """With the threshold of the highest F1 for each label."""
        found = best_f1_thresholds(predictions, targets)
        thresholds = dict(zip(self.classes, found, strict=True))
        return replace(self, thresholds=tuple(found)), {"thresholds": thresholds, "note": ""}

    @classmethod
    def calibration(cls, facts: Mapping[str, Any]) -> str:
        return "From which probability on a label is given was chosen on validation, by F1."

    def answers(
        self,
        names: Sequence[str],
        predictions: Tensor,
        top: int = 5,
        rejection: Rejection = ALWAYS_ANSWER,
        novelty: Tensor | None = None,
    ) -> list[Answer]:
        """The labels that each image is given, and the `top` most probable ones.  [N,K]"""
        given = [self.classes_in(cell) for cell in self.cells(predictions)]
        ranked = most_probable(self.classes, predictions, top)
        pairs = zip(names, ranked, given, strict=True)
        return [MultilabelPrediction(name, *classes, labels=some) for name, classes, some in pairs]

    def cells(self, predictions: Tensor) -> list[str]:
        given = (predictions >= self._given_from(predictions)).tolist()
        return [
            SEPARATOR.join(name for name, there in zip(self.classes, row, strict=True) if there)
            for row in given
        ]

    @classmethod
    def classes_in(cls, cell: str) -> tuple[str, ...]:
        return tuple(cell.split(SEPARATOR)) if cell else ()

    def _given_from(self, predictions: Tensor) -> Tensor:
        return predictions.new_tensor(self.thresholds or [0.5] * len(self.classes))


def _weights_of_labels(
    rule: str, items: Sequence[Item], classes: tuple[str, ...]
) -> tuple[float, ...] | None:
    """The weight of each label's being there; auto: images without it for one with it."""
    if rule != "auto":
        return weights_of_classes(rule, items, classes)
    counts = counts_of_classes(items, classes)
    return tuple((len(items) - count) / max(1, count) for count in counts)


@dataclass(frozen=True, repr=False)
class MultilabelPrediction(Prediction):
    """The labels of one image, the most probable first, and how many of all are given."""

    labels: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        return ", ".join(self.labels) or "none"

    def columns(self) -> list[str]:
        return ["labels", *super().columns()[1:]]

    def cells(self) -> list[str]:
        return [SEPARATOR.join(self.labels), *super().cells()[1:]]

    def __str__(self) -> str:
        return f"{self.best}\n{super().__str__()}"

    def __repr__(self) -> str:
        return f"Labels({self.name}: {self.best})"
