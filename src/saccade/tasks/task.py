"""The interface of a task: everything that depends on the type of the labels.

A new kind is one file here, one row in `tasks.catalogue` and its sections in `report.tasks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import Item
from saccade.metrics.metric import Metric
from saccade.models.create import create_model
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, Rejection
from saccade.tasks.own import OwnParts


class Capability(StrEnum):
    """What some tasks support and others do not, as an error names it."""

    LABEL_SMOOTHING = "train.label_smoothing"
    CLASS_WEIGHTS = "train.class_weights"
    MIXING = "mixing of images"
    CROPPING = "cropping of images"
    SUPPORT_VECTORS = "a support vector machine"
    CONFIDENCE = "a threshold of confidence"
    NOVELTY = "novelty"
    LABEL_ISSUES = "a search for label issues"


@dataclass(frozen=True)
class Card:
    """The texts of a task for a model card."""

    tag: str  # of model hubs
    answers: str  # what an answer is made of: classes, labels, a number
    use: str  # intended use
    limits: str  # limitations


class Task(Protocol):
    """Targets from labels, losses of batches, predictions for images, and their metric."""

    kind: ClassVar[str]  # its name in bundles and logs
    card: ClassVar[Card]
    labels: ClassVar[tuple[type, ...]]  # types of labels that its predictions are measured by
    heads: ClassVar[tuple[str, ...]] = ()  # of probes.fit; the usual one first
    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    classes: tuple[str, ...]  # that it predicts; () where it predicts numbers
    own: OwnParts  # loss and metric of a person's own

    def with_own(self, parts: OwnParts) -> Self:
        """The same task with loss and metric of a person's own."""
        return replace(self, own=parts)  # type: ignore[type-var]  # a task is a dataclass

    @classmethod
    def of(
        cls, items: Sequence[Item], classes: tuple[str, ...], label_smoothing: float, weights: str
    ) -> Self:
        """The task to train on `items`; raises `DataError` where they leave nothing to learn.

        `weights` of classes is none, auto (inverse frequency) or as in "cat=2 dog=0.5".
        """
        ...

    @classmethod
    def read(cls, classes: tuple[str, ...], config: Mapping[str, Any]) -> Self:
        """The task that `config` gave; raises `KeyError` for what is missing."""
        ...

    @classmethod
    def plain(cls, classes: tuple[str, ...]) -> Self:
        """The task before training, enough to read stored predictions."""
        ...

    def config(self) -> dict[str, Any]:
        """All that predictions need, without the classes, as JSON values."""
        ...

    @property
    def outputs(self) -> int:
        """K, the number of the network's outputs for an image."""
        ...

    def network(self, name: str) -> nn.Module:
        """The network of the catalogue, with a last layer for this task."""
        return create_model(name, self.outputs)

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The labels of items for a `Batch`, [N,...]; raises `DataError` for another type."""
        ...

    def losses(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Scalar losses by name; `"loss"` is the one that is minimised."""
        ...

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The prediction for each image, in the labels' unit.  [N,C,H,W] -> [N,...] float32"""
        ...

    def head_targets(self, targets: Tensor) -> Tensor:
        """The targets of a head in closed form.  [N,...] -> same"""
        return targets

    def head_predictions(self, outputs: Tensor) -> Tensor:
        """The task's predictions from those of a head fitted to `head_targets`.  [N,K] -> [N,K]"""
        return outputs

    def metric(self) -> Metric[Any]:
        """The metric of predictions against targets."""
        ...

    def calibrate(self, predictions: Tensor, targets: Tensor) -> tuple[Self, dict[str, Any]]:
        """The task calibrated on validation images, and the facts of that.  [N,...], [N,...]

        The fact `note` says why it could not be calibrated, or is empty.
        """
        ...

    @classmethod
    def calibration(cls, facts: Mapping[str, Any]) -> str:
        """The facts of `calibrate` in a sentence."""
        ...

    def answers(
        self,
        names: Sequence[str],
        predictions: Tensor,
        top: int = 5,
        rejection: Rejection = ALWAYS_ANSWER,
        novelty: Tensor | None = None,
    ) -> list[Answer]:
        """The answer to each image, for people.  predictions [N,...], novelty [N]

        `top` and `rejection` are for tasks that predict classes.
        """
        ...

    def cells(self, predictions: Tensor) -> list[str]:
        """Each prediction as text, as a label is written in a table.  predictions [N,...]"""
        ...

    @classmethod
    def classes_in(cls, cell: str) -> tuple[str, ...]:
        """The classes in a label as it is written in a table."""
        return ()
