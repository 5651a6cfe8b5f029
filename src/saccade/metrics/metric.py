"""Metric: a number about predictions, gathered batch by batch."""

from __future__ import annotations

from typing import Protocol, Self

from torch import Tensor

from saccade.batch import Batch


class Metric(Protocol):
    """Sees every held-out picture once, in any order and in batches of any size."""

    def update(self, prediction: Tensor, batch: Batch) -> None:
        """Take in what a task predicted for `batch`."""
        ...

    def merge(self, other: Self) -> None:
        """Take in all that `other`, the same metric in another process, has seen."""
        ...

    def result(self) -> float | Tensor:
        """The number, or the table of numbers, over everything seen; NaN where undefined."""
        ...
