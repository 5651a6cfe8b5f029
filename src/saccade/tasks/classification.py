"""Classification: one class for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.classes import class_indices
from saccade.data.item import SEPARATOR, Item
from saccade.metrics.calibration import fit_temperature
from saccade.metrics.classification import ClassMetric
from saccade.metrics.conformal import PredictionSets
from saccade.metrics.metric import Metric
from saccade.models.backbone import all_outputs
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, Rejection, most_probable
from saccade.tasks.class_weights import weights_of_classes
from saccade.tasks.own import NONE, OwnParts
from saccade.tasks.task import Capability, Card, Task
from saccade.words import html_table, percent

UNKNOWN = "unknown"  # in place of a class that is not probable enough
SET = "prediction_set"  # the column


@dataclass(frozen=True)
class Classification(Task):
    """Softmax over `classes`, with cross-entropy as the loss."""

    classes: tuple[str, ...]
    label_smoothing: float = 0.0  # share of the target spread over all classes (Szegedy 2015, 7)
    weights: tuple[float, ...] | None = None  # of each class in the loss; None: equal
    temperature: float = 1.0  # divides the logits of predictions (Guo 2017, Equation 9)
    own: OwnParts = NONE

    kind = "classification"
    labels = (str,)
    heads = ("logistic", "ridge", "nearest_mean", "knn")
    capabilities = frozenset(Capability)
    card = Card(
        tag="image-classification",
        answers="classes",
        use="It is meant for images that show one of its classes each.",
        limits="It always names one of its classes, even for an image of none.",
    )

    @classmethod
    def of(
        cls,
        items: Sequence[Item],
        classes: tuple[str, ...],
        label_smoothing: float = 0.0,
        weights: str = "none",
    ) -> Classification:
        return cls(classes, label_smoothing, weights_of_classes(weights, items, classes))

    @classmethod
    def read(cls, classes: tuple[str, ...], config: Mapping[str, Any]) -> Classification:
        return cls(classes, temperature=float(config["temperature"]))

    @classmethod
    def plain(cls, classes: tuple[str, ...]) -> Classification:
        return cls(classes)

    def config(self) -> dict[str, Any]:
        return {"temperature": self.temperature}

    @property
    def outputs(self) -> int:
        return len(self.classes)

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The index of each item's label in `classes`.  -> [N] int64"""
        return torch.from_numpy(class_indices(items, self.classes))

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        def loss(logits: Tensor) -> Tensor:
            weights = logits.new_tensor(self.weights) if self.weights else None
            smoothing = self.label_smoothing
            hard = batch.targets.ndim == 1
            if weights is not None and hard and not weights[batch.targets].any():
                return 0 * logits.sum()  # a mean of nothing would be no number
            return F.cross_entropy(logits, batch.targets, weights, label_smoothing=smoothing)

        return self.own.losses(loss, batch.targets, model, batch)

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The probability of each class.  [N,C,H,W] -> [N,K]"""
        return (all_outputs(model(images))[0].float() / self.temperature).softmax(dim=1)

    def metric(self) -> Metric[Any]:
        return self.own.beside(ClassMetric(self.classes))

    def calibrate(
        self, predictions: Tensor, targets: Tensor
    ) -> tuple[Classification, dict[str, Any]]:
        """The task with the temperature of least log loss (Guo 2017, Section 4.2).

        predictions [N,K] of temperature 1, targets [N] int64
        """
        fitted = fit_temperature(predictions, targets)
        return replace(self, temperature=fitted.value), {
            "temperature": fitted.value,
            "interval": fitted.interval,
            "note": fitted.note,
        }

    @classmethod
    def calibration(cls, facts: Mapping[str, Any]) -> str:
        temperature = f"temperature {facts['temperature']:.2f}, from validation"
        return f"Probabilities were scaled by {temperature}."

    def answers(
        self,
        names: Sequence[str],
        predictions: Tensor,
        top: int = 5,
        rejection: Rejection = ALWAYS_ANSWER,
        novelty: Tensor | None = None,
    ) -> list[Answer]:
        """The `top` most probable classes, or unknown.  predictions [N,K], novelty [N]"""
        novelties = [None] * len(names) if novelty is None else novelty.tolist()
        ranked = most_probable(self.classes, predictions, top)
        sets = self._sets(predictions, rejection.sets)
        rows = zip(names, ranked, novelties, sets, strict=True)
        return [
            Prediction(
                name, classes, shares, _accepted(shares, value, rejection), value, prediction_set
            )
            for name, (classes, shares), value, prediction_set in rows
        ]

    def _sets(
        self, predictions: Tensor, sets: PredictionSets | None
    ) -> Sequence[tuple[str, ...] | None]:
        """The classes in the set of each image, the most probable first.  [N,K]"""
        if sets is None:
            return [None] * len(predictions)
        members = sets.members(predictions)
        order = predictions.argsort(dim=1, descending=True, stable=True).tolist()
        rows = zip(members.tolist(), order, strict=True)
        return [tuple(self.classes[k] for k in ranked if row[k]) for row, ranked in rows]

    def cells(self, predictions: Tensor) -> list[str]:
        return [self.classes[k] for k in predictions.argmax(dim=1).tolist()]

    @classmethod
    def classes_in(cls, cell: str) -> tuple[str, ...]:
        return (cell,)


def _accepted(probabilities: Sequence[float], novelty: float | None, rejection: Rejection) -> bool:
    familiar = novelty is None or novelty <= rejection.max_novelty
    return probabilities[0] >= rejection.min_confidence and familiar


@dataclass(frozen=True, repr=False)
class Prediction:
    """The most probable classes of one image, the best first."""

    no_class: ClassVar[str] = UNKNOWN

    name: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    accepted: bool = True  # whether the first is probable enough and the image not too novel
    novelty: float | None = None  # share of validation images nearer to the training images
    prediction_set: tuple[str, ...] | None = None  # classes, one of which is the true one

    @property
    def best(self) -> str:
        return self.classes[0] if self.accepted else UNKNOWN

    @property
    def predicted_classes(self) -> tuple[str, ...]:
        return self.classes[:1] if self.accepted else ()

    @property
    def sort_value(self) -> float:
        return self.probabilities[0]

    def columns(self) -> list[str]:
        ranks = range(1, len(self.classes) + 1)
        pairs = [title for k in ranks for title in (f"class_{k}", f"probability_{k}")]
        novelty = [] if self.novelty is None else ["novelty"]
        return ["prediction", *pairs, *novelty, *([] if self.prediction_set is None else [SET])]

    def cells(self) -> list[str]:
        pairs = zip(self.classes, self.probabilities, strict=True)
        ranks = [cell for name, p in pairs for cell in (name, f"{p:.6f}")]
        novelty = [] if self.novelty is None else [f"{self.novelty:.6f}"]
        classes = [] if self.prediction_set is None else [SEPARATOR.join(self.prediction_set)]
        return [self.best, *ranks, *novelty, *classes]

    def __str__(self) -> str:
        pairs = zip(self.probabilities, self.classes, strict=True)
        lines = [f"{100 * p:5.1f} %  {name}" for p, name in pairs]
        if self.novelty is not None:
            lines.append(f"novelty {self.novelty:.3f}")
        if self.prediction_set is not None:
            lines.append(f"set: {', '.join(self.prediction_set)}")
        return "\n".join(lines if self.accepted else [UNKNOWN, *lines])

    def __repr__(self) -> str:
        return f"Prediction({self.name}: {self.best}, {percent(self.probabilities[0])})"

    def _repr_html_(self) -> str:
        rows = [(c, percent(p)) for c, p in zip(self.classes, self.probabilities, strict=True)]
        return html_table((self.name, ""), rows)
