"""Task: everything that depends on the kind of an answer; nobody else asks which kind it is.

A new kind is one file here, one row in `tasks.catalogue` and its sections in `report.tasks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import Item
from saccade.metrics.metric import Metric
from saccade.models.create import create_model
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, Rejection


class Capability(StrEnum):
    """What some kinds of answers allow and others do not, as an error names it."""

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
    """What a model card says of a kind of answers."""

    tag: str  # as model hubs call it
    answers: str  # what an answer is made of: classes, labels, a number
    use: str  # what the network is meant for
    limits: str  # what an answer does not promise


class Task(Protocol):
    """Targets from labels, losses from batches, predictions from images, and their worth."""

    kind: ClassVar[str]  # its name in bundles and logs
    card: ClassVar[Card]
    labels: ClassVar[tuple[type, ...]]  # of labels that its answers can be measured by
    heads: ClassVar[tuple[str, ...]] = ()  # of probes.fit, that suit its features; the usual first
    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    classes: tuple[str, ...]  # the names that its answers are made of; none where they are numbers

    @classmethod
    def of(
        cls, items: Sequence[Item], classes: tuple[str, ...], label_smoothing: float, weights: str
    ) -> Self:
        """The task to train on `items`; raises `DataError` where they leave nothing to learn.

        `weights` of classes is none, auto (by rarity) or as in "cat=2 dog=0.5".
        """
        ...

    @classmethod
    def read(cls, classes: tuple[str, ...], config: Mapping[str, Any]) -> Self:
        """The task that `config` gave; raises `KeyError` for what is missing."""
        ...

    @classmethod
    def plain(cls, classes: tuple[str, ...]) -> Self:
        """The task before it has learned anything, enough to read answers that are stored."""
        ...

    def config(self) -> dict[str, Any]:
        """All that predictions need but the classes, as plain values."""
        ...

    @property
    def outputs(self) -> int:
        """How many numbers the network gives for an image."""
        ...

    def network(self, name: str) -> nn.Module:
        """The network of the catalogue, with a last layer for this task."""
        return create_model(name, self.outputs)

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The labels of `items` for a `Batch`; raises `DataError` for labels of another kind."""
        ...

    def losses(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Scalars by name; `"loss"` is the one to descend."""
        ...

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The answer to each image, as a person would want it.  [N,C,H,W] -> [N,...] float32"""
        ...

    def head_targets(self, targets: Tensor) -> Tensor:
        """What a head in closed form learns for `targets`."""
        return targets

    def head_predictions(self, outputs: Tensor) -> Tensor:
        """What a head that learned `head_targets` predicts."""
        return outputs

    def metric(self) -> Metric[Any]:
        """How predictions are measured; all numbers come from the rows that it keeps of them."""
        ...

    def calibrate(self, predictions: Tensor, targets: Tensor) -> tuple[Self, dict[str, Any]]:
        """The task with what validation images teach about its answers, and that in facts.

        The fact `note` says why there is nothing to be learned, or is empty.
        """
        ...

    @classmethod
    def calibration(cls, facts: Mapping[str, Any]) -> str:
        """What `calibrated` learned, in a sentence."""
        ...

    def answers(
        self,
        names: Sequence[str],
        predictions: Tensor,
        top: int = 5,
        rejection: Rejection = ALWAYS_ANSWER,
        novelty: Tensor | None = None,
    ) -> list[Answer]:
        """The answer to each image, for people.  [N,...], novelty [N]

        `top` and `rejection` are for answers of classes.
        """
        ...

    def cells(self, predictions: Tensor) -> list[str]:
        """Each prediction in a word, as a label stands in a table.  [N,...]"""
        ...

    @classmethod
    def classes_in(cls, cell: str) -> tuple[str, ...]:
        """The classes that a label names as it stands in a table."""
        return ()
