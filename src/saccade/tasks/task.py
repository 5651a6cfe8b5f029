"""Task: what is to be learned from a picture.  It introduces networks to data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor, nn

from saccade.batch import Batch
from saccade.data.source import Item
from saccade.metrics.metric import Metric


class Task(Protocol):
    """Targets from labels, losses from batches, predictions from pictures."""

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

    def metrics(self) -> Mapping[str, Metric]:
        """Fresh metrics for one pass over held-out pictures."""
        ...
