"""Task: what is to be learned from a picture; the contract that the engine knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import Item
from saccade.metrics.metric import Metric


class Task(Protocol):
    """Targets from labels, losses from batches, predictions from pictures, and their worth."""

    @property
    def kind(self) -> str:
        """Its name in `tasks.catalogue`."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The names that its answers are made of; none where they are numbers."""
        ...

    @property
    def outputs(self) -> int:
        """How many numbers the network gives for a picture."""
        ...

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The labels of `items` as the numbers of a `Batch`."""
        ...

    def losses(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Scalars by name; `"loss"` is the one to descend."""
        ...

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """What is said of each picture, as a person would want it.  [N,C,H,W] -> [N,...] float32"""
        ...

    def metric(self) -> Metric[Any]:
        """How predictions are measured; all numbers come from the rows that it keeps of them."""
        ...

    def calibrated(self, predictions: Tensor, targets: Tensor) -> tuple[Self, dict[str, Any]]:
        """The task with what validation pictures teach about its answers, and that in facts."""
        ...

    def answers(self, predictions: Tensor) -> list[str]:
        """Each prediction in a word, as a table would hold it.  [N,...]"""
        ...

    def config(self) -> dict[str, Any]:
        """All but the classes, as plain values from which `catalogue.read_task` makes it again."""
        ...
