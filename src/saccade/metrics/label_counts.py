"""Label counts: class counts where a picture has any number of labels."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.metrics.class_counts import ClassCounts, CountScore


class LabelCounted:
    """`score` of the counts of labels given with a probability of at least `threshold`.

    `f1` gives F1 per label, `Macro(f1)` its mean over the labels that appear.
    """

    def __init__(self, num_labels: int, score: CountScore, threshold: float = 0.5):
        self.score = score
        self.threshold = threshold
        self.counts = ClassCounts(*torch.zeros(3, num_labels, dtype=torch.float64))

    def update(self, prediction: Tensor, batch: Batch) -> None:
        named, true = prediction.cpu() >= self.threshold, batch.targets.cpu() > 0.5
        parts = (part.sum(dim=0).double() for part in (named & true, true, named))
        self.counts = self.counts.plus(ClassCounts(*parts))

    def merge(self, other: LabelCounted) -> None:
        self.counts = self.counts.plus(other.counts)

    def result(self) -> float | Tensor:
        score = self.score(self.counts)
        return float(score) if score.ndim == 0 else score
