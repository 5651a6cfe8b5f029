"""Class counts: of each class how many pictures there are, were named, and were named rightly.

Precision, recall, F1, balanced accuracy, kappa and Matthews' coefficient need no more than these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.metrics.resampling import Statistic


class ClassCounts(NamedTuple):
    """Pictures of each class, [...,K] each; leading axes are counts of other resamplings."""

    right: Tensor  # of the class and taken for it
    true: Tensor  # of the class
    named: Tensor  # taken for the class

    @property
    def n(self) -> Tensor:
        """All pictures.  [...]"""
        return self.true.sum(dim=-1)

    def plus(self, more: ClassCounts) -> ClassCounts:
        """Those of both, of different pictures."""
        return ClassCounts(*(a + b for a, b in zip(self, more, strict=True)))


CountScore = Callable[[ClassCounts], Tensor]  # counts [...,K] -> [...], or [...,K] class by class


def class_counts(
    predicted: Tensor, targets: Tensor, num_classes: int, weights: Tensor
) -> ClassCounts:
    """Counts with each picture as often as `weights` says.

    predicted [N] int64, targets [N] int64, weights [B,N] -> [B,K] each
    """

    def per_class(classes: Tensor, amounts: Tensor) -> Tensor:
        return amounts.new_zeros(len(amounts), num_classes).index_add_(1, classes, amounts)

    right = weights * (predicted == targets)
    return ClassCounts(
        per_class(targets, right), per_class(targets, weights), per_class(predicted, weights)
    )


def counts_once(predicted: Tensor, targets: Tensor, num_classes: int) -> ClassCounts:
    """Counts with each picture once.  [N] int64, [N] int64 -> [K] each"""
    once = torch.ones(1, len(targets), dtype=torch.float64)
    return ClassCounts(*(part[0] for part in class_counts(predicted, targets, num_classes, once)))


def from_confusion(confusion: Tensor) -> ClassCounts:
    """The counts of a confusion matrix, a row a true class.  [...,K,K] -> [...,K] each"""
    right = confusion.diagonal(dim1=-2, dim2=-1)
    parts = (right, confusion.sum(dim=-1), confusion.sum(dim=-2))
    return ClassCounts(*(part.double() for part in parts))


def counted(score: CountScore, predicted: Tensor, targets: Tensor, num_classes: int) -> Statistic:
    """`score` as a statistic to be resampled."""
    return lambda weights: score(class_counts(predicted, targets, num_classes, weights))


class Counted:
    """`score` of the counts of the most probable classes."""

    def __init__(self, num_classes: int, score: CountScore):
        self.score = score
        self.counts = ClassCounts(*torch.zeros(3, num_classes, dtype=torch.float64))

    def update(self, prediction: Tensor, batch: Batch) -> None:
        predicted, targets = prediction.argmax(dim=1).cpu(), batch.targets.cpu()
        self.counts = self.counts.plus(counts_once(predicted, targets, len(self.counts.true)))

    def merge(self, other: Counted) -> None:
        self.counts = self.counts.plus(other.counts)

    def result(self) -> float | Tensor:
        score = self.score(self.counts)
        return float(score) if score.ndim == 0 else score
