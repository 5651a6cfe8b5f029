"""What a network is worth that predicts a number for each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic, mean_of
from saccade.metrics.classification import read_losses
from saccade.metrics.measure import resampling, with_intervals
from saccade.metrics.metric import MetricReport, MetricValue, Predicted, Quantity, Score
from saccade.metrics.ranking import ranks

PER_PLACE = 3  # numbers that are given of whole groups, too: the first ones


@dataclass(frozen=True)
class RegressionMetric:
    """Rows of predicted and true numbers [N,1], and squared errors in units of `scale`.

    The baseline names the mean of the truth.  Rank correlation is bootstrapped on the ranks that
    all images have together.
    """

    scale: float = 1.0  # the standard deviation of the numbers that were trained on
    unit: str = ""  # of the numbers

    score: ClassVar[Score] = Score("r2", unit="")
    compared: ClassVar[tuple[str, ...]] = ("R2", "mean absolute error")

    def rows(self, predictions: Tensor, targets: Tensor) -> Predicted:
        """[N,1], [N,1]"""
        predictions, targets = predictions.cpu(), targets.cpu()
        losses = (residuals(predictions, targets) / self.scale).square().mean(dim=1)
        return Predicted(predictions, predictions, targets, losses)

    def read(self, table: Mapping[str, Sequence[str]]) -> Predicted:
        predicted, true = (
            torch.tensor([[float(cell)] for cell in table[title]], dtype=torch.float64)
            for title in ("prediction", "label")
        )
        return Predicted(predicted, predicted, true, read_losses(table))

    def correct(self, rows: Predicted) -> None:
        """A number is no more than near."""

    def strata(self, rows: Predicted) -> None:
        """Any image is drawn in the place of any other."""

    def quantities(self, rows: Predicted) -> Iterator[Quantity]:
        predicted, true = (part.double().flatten() for part in (rows.predictions, rows.targets))
        missed, spread, unit = predicted - true, true - true.mean(), self.unit
        absolute, square = float(spread.abs().mean()), float(spread.square().mean().sqrt())
        yield Quantity("R2", r_squared(missed, true), "", 0.0)
        yield Quantity("mean absolute error", mean_of(missed.abs()), unit, absolute)
        yield Quantity("root mean squared error", root_mean_square(missed), unit, square)
        yield Quantity("Spearman correlation", correlation(ranks(predicted), ranks(true)), "", 0.0)
        yield Quantity("Pearson correlation", correlation(predicted, true), "", 0.0)
        yield Quantity("mean error", mean_of(missed), unit, 0.0)

    def measured(
        self, rows: Predicted, groups: Tensor | None = None, seed: int = 0
    ) -> MetricReport:
        """With `groups`, images of one place each, some numbers are given "per place", too.

        What is predicted of a place is then the mean over its images, and so is its truth.
        """
        numbers = with_intervals(self.quantities(rows), resampling(self, rows, groups, seed))
        if groups is not None and len(groups.unique()) < len(groups):
            first, *others = self._per_place(rows, groups, seed)
            numbers = [numbers[0], first, *numbers[1:], *others]
        return MetricReport(len(rows), tuple(numbers))

    def _per_place(self, rows: Predicted, groups: Tensor, seed: int) -> list[MetricValue]:
        predicted, true = (
            group_means(x.double(), groups) for x in (rows.predictions, rows.targets)
        )
        places = self.rows(predicted, true)
        numbers = with_intervals(self.quantities(places), resampling(self, places, None, seed))
        return [replace(one, name=f"{one.name} per place") for one in numbers[:PER_PLACE]]


def residuals(predictions: Tensor, targets: Tensor) -> Tensor:
    """Predicted less true.  [N] or [N,D], [N] or [N,D] -> [N,D] float64"""
    n = len(predictions)
    return predictions.cpu().double().reshape(n, -1) - targets.cpu().double().reshape(n, -1)


def group_means(values: Tensor, groups: Tensor) -> Tensor:
    """The mean of each group.  [N,1], [N] int64 -> [G,1]"""
    names, place = groups.unique(return_inverse=True)
    sums = values.new_zeros(len(names), 1).index_add(0, place, values)
    return sums / place.bincount()[:, None]


def r_squared(missed: Tensor, true: Tensor) -> Statistic:
    """1 - residual / total sum of squares about the mean of those drawn; NaN if they are alike.

    0 is as good as naming the mean of the truth, below 0 is worse.  [N] float64, [N] float64
    """

    def statistic(weights: Tensor) -> Tensor:
        n = weights.sum(dim=1)
        mean = weights @ true / n
        total = (weights * (true - mean[:, None]).square()).sum(dim=1)
        return torch.where(total > 0, 1 - weights @ missed.square() / total, torch.nan)

    return statistic


def root_mean_square(missed: Tensor) -> Statistic:
    """RMSE: large misses weigh more than in the mean absolute error.  [N] float64"""
    return lambda weights: (weights @ missed.square() / weights.sum(dim=1)).sqrt()


def correlation(a: Tensor, b: Tensor) -> Statistic:
    """Pearson's of the images drawn; of ranks it is Spearman's 1904.  [N] float64, [N] float64"""

    def centred(weights: Tensor, values: Tensor) -> Tensor:
        return values - (weights @ values / weights.sum(dim=1))[:, None]

    def statistic(weights: Tensor) -> Tensor:
        x, y = centred(weights, a), centred(weights, b)
        together = (weights * x * y).sum(dim=1)
        return together / ((weights * x * x).sum(dim=1) * (weights * y * y).sum(dim=1)).sqrt()

    return statistic
