"""Multilabel classification: any number of labels for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.classes import labels_of, multilabel_targets
from saccade.data.item import SEPARATOR, Item
from saccade.errors import DataError
from saccade.metrics.metric import Metric
from saccade.metrics.multilabel import LabelMetric, best_f1_thresholds
from saccade.models.backbone import all_outputs
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, Rejection, most_probable
from saccade.tasks.class_weights import counts_of_classes, weights_of_classes
from saccade.tasks.classification import Prediction
from saccade.tasks.own import NONE, OwnParts
from saccade.tasks.task import Capability, Card, Task


@dataclass(frozen=True)
class Multilabel(Task):
    """A sigmoid for each of `classes`, with binary cross-entropy as the loss."""

    classes: tuple[str, ...]
    label_smoothing: float = 0.0  # 0 and 1 become s / 2 and 1 - s / 2
    weights: tuple[float, ...] | None = None  # of each label's positives (`pos_weight`); None: 1
    thresholds: tuple[float, ...] = ()  # probability from which a label is predicted; (): 0.5
    own: OwnParts = NONE

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
        limits="It gives its own labels only; no label does not mean that nothing is there.",
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
            labels = SEPARATOR.join(labels_of(items[0])) or "none"
            raise DataError(
                f"all images to train on carry the same labels: {labels}",
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
        """1 where an item has a label, else 0; a class is one label.  -> [N,K] float32"""
        for item in items:
            if not isinstance(item.label, str | tuple):
                raise DataError(
                    f"'{item.name}' has the label {item.label!r} where label names are needed",
                    "call the column labels, or train on numbers",
                )
        return torch.from_numpy(multilabel_targets(items, self.classes)).float()

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        targets = torch.lerp(batch.targets, batch.targets.new_tensor(0.5), self.label_smoothing)

        def loss(logits: Tensor) -> Tensor:
            weights = logits.new_tensor(self.weights) if self.weights else None
            return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)

        return self.own.losses(loss, targets, model, batch)

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The probability of each label.  [N,C,H,W] -> [N,K]"""
        return all_outputs(model(images))[0].float().sigmoid()

    def metric(self) -> Metric[Any]:
        return self.own.beside(LabelMetric(self.classes, self.thresholds))

    def calibrate(self, predictions: Tensor, targets: Tensor) -> tuple[Multilabel, dict[str, Any]]:
        """The task with the threshold of the highest F1 for each label.  [N,K], [N,K]"""
        values = best_f1_thresholds(predictions, targets)
        thresholds = dict(zip(self.classes, values, strict=True))
        return replace(self, thresholds=tuple(values)), {"thresholds": thresholds, "note": ""}

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
        """The predicted labels, and the `top` most probable ones.  predictions [N,K]"""
        labels = [self.classes_in(cell) for cell in self.cells(predictions)]
        ranked = most_probable(self.classes, predictions, top)
        pairs = zip(names, ranked, labels, strict=True)
        return [
            MultilabelPrediction(name, *classes, labels=chosen) for name, classes, chosen in pairs
        ]

    def cells(self, predictions: Tensor) -> list[str]:
        mask = (predictions >= self._thresholds_for(predictions)).tolist()
        return [
            SEPARATOR.join(name for name, present in zip(self.classes, row, strict=True) if present)
            for row in mask
        ]

    @classmethod
    def classes_in(cls, cell: str) -> tuple[str, ...]:
        return tuple(cell.split(SEPARATOR)) if cell else ()

    def _thresholds_for(self, predictions: Tensor) -> Tensor:
        return predictions.new_tensor(self.thresholds or [0.5] * len(self.classes))


def _weights_of_labels(
    rule: str, items: Sequence[Item], classes: tuple[str, ...]
) -> tuple[float, ...] | None:
    """The weight of each label's positives; auto: negatives / positives."""
    if rule != "auto":
        return weights_of_classes(rule, items, classes)
    counts = counts_of_classes(items, classes)
    return tuple((len(items) - count) / max(1, count) for count in counts)


@dataclass(frozen=True, repr=False)
class MultilabelPrediction(Prediction):
    """The predicted labels of one image, and its most probable classes, the best first."""

    no_class: ClassVar[str] = "none"

    labels: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        return ", ".join(self.labels) or self.no_class

    @property
    def predicted_classes(self) -> tuple[str, ...]:
        return self.labels

    @property
    def sort_value(self) -> float:
        """How probable the least probable of its labels is; of none, that none is there.

        Of labels beyond the most probable classes no more is known than that they are less so.
        """
        known = dict(zip(self.classes, self.probabilities, strict=True))
        stated = [known.get(label, self.probabilities[-1]) for label in self.labels]
        return min(stated, default=1 - self.probabilities[0])

    def columns(self) -> list[str]:
        return ["labels", *super().columns()[1:]]

    def cells(self) -> list[str]:
        return [SEPARATOR.join(self.labels), *super().cells()[1:]]

    def __str__(self) -> str:
        return f"{self.best}\n{super().__str__()}"

    def __repr__(self) -> str:
        return f"MultilabelPrediction({self.name}: {self.best})"
