"""R squared: the share of the spread of the true numbers that is predicted.

Sums of squares about means are merged as Chan, Golub & LeVeque 1979 say (Updating formulae and a
pairwise algorithm for computing sample variances), so that large numbers lose nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.metrics.deviation import deviations


class RSquared:
    """1 - residual / total sum of squares of each number, then the mean over numbers.

    0 is as good as naming the mean of the truth, below 0 is worse; NaN if the truth never varies.
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean = torch.zeros(1, dtype=torch.float64)  # of the truth; [D] from the first batch on
        self.total = torch.zeros(1, dtype=torch.float64)
        self.residual = torch.zeros(1, dtype=torch.float64)

    def update(self, prediction: Tensor, batch: Batch) -> None:
        if not len(batch):
            return
        new, truth = RSquared(), batch.targets.cpu().double().reshape(len(batch), -1)
        new.n, new.mean = len(truth), truth.mean(dim=0)
        new.total = (truth - new.mean).square().sum(dim=0)
        new.residual = deviations(prediction, batch.targets).square().sum(dim=0)
        self.merge(new)

    def merge(self, other: RSquared) -> None:
        n = self.n + other.n
        if not other.n:
            return
        apart = other.mean - self.mean
        self.total = self.total + other.total + apart.square() * (self.n * other.n / n)
        self.mean = self.mean + apart * (other.n / n)
        self.residual = self.residual + other.residual
        self.n = n

    def result(self) -> float:
        varies = self.total > 0
        return float(torch.where(varies, 1 - self.residual / self.total, torch.nan).mean())
