"""Expected calibration error: how far confidence and accuracy lie apart, bin by bin.

Guo 2017, On calibration of modern neural networks, Equation 3: the sum over bins of
n_bin / n * |accuracy - confidence|, in 15 bins (m - 1) / 15 < confidence <= m / 15.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.metrics.reliability import bin_sums, equal_width


class CalibrationError:
    """Of the confidence in the named class: the weighted mean gap over bins of one width."""

    def __init__(self, bins: int = 15):
        self.ends = equal_width(bins)
        self.sums = torch.zeros(3, bins, dtype=torch.float64)

    def update(self, prediction: Tensor, batch: Batch) -> None:
        confidences, named = prediction.cpu().max(dim=1)
        self.sums += bin_sums(confidences, named == batch.targets.cpu(), self.ends)

    def merge(self, other: CalibrationError) -> None:
        self.sums += other.sums

    def result(self) -> float:
        counts, confidence, hits = self.sums
        return float((confidence - hits).abs().sum() / counts.sum())
