"""Metrics of regression."""

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

PER_GROUP_COUNT = 3  # the first metrics, which are computed per group, too
PER_GROUP = " per place"  # behind the names of those


@dataclass(frozen=True)
class RegressionMetric:
    """Metrics from predicted and true numbers [N,1], and squared errors in units of `scale`^2.

    The baseline predicts the mean of the truth.  Rank correlation is bootstrapped on the ranks
    among all images.
    """

    scale: float = 1.0  # the standard deviation of the training targets
    unit: str = ""  # of the numbers

    score: ClassVar[Score] = Score("r2", unit="", title="R2")
    compared: ClassVar[tuple[str, ...]] = ("R2", "mean absolute error")

    def rows(self, predictions: Tensor, targets: Tensor) -> Predicted:
        """The rows of a batch: predictions and targets [N,1]."""
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
        """None: a number is not simply right or wrong."""

    def strata(self, rows: Predicted) -> None:
        """None: the bootstrap is not stratified."""

    def quantities(self, rows: Predicted) -> Iterator[Quantity]:
        predicted, true = (column.double().flatten() for column in (rows.predictions, rows.targets))
        errors, deviations, unit = predicted - true, true - true.mean(), self.unit
        absolute, square = float(deviations.abs().mean()), float(deviations.square().mean().sqrt())
        yield Quantity("R2", r_squared(errors, true), "", 0.0)
        yield Quantity("mean absolute error", mean_of(errors.abs()), unit, absolute)
        yield Quantity("root mean squared error", root_mean_square(errors), unit, square)
        yield Quantity("Spearman correlation", correlation(ranks(predicted), ranks(true)), "", 0.0)
        yield Quantity("Pearson correlation", correlation(predicted, true), "", 0.0)
        yield Quantity("mean error", mean_of(errors), unit, 0.0)

    def report(self, rows: Predicted, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        """All metrics with their intervals; with `groups` [N] int64 the first ones per group, too.

        Those are of the means over the images of each group, predicted and true.
        """
        metrics = with_intervals(self.quantities(rows), resampling(self, rows, groups, seed))
        if groups is not None and len(groups.unique()) < len(groups):
            first, *others = self._per_group(rows, groups, seed)
            metrics = [metrics[0], first, *metrics[1:], *others]
        return MetricReport(len(rows), tuple(metrics))

    def _per_group(self, rows: Predicted, groups: Tensor, seed: int) -> list[MetricValue]:
        predicted, true = (
            group_means(x.double(), groups) for x in (rows.predictions, rows.targets)
        )
        group_rows = self.rows(predicted, true)
        metrics = with_intervals(
            self.quantities(group_rows), resampling(self, group_rows, None, seed)
        )
        return [
            replace(metric, name=metric.name + PER_GROUP) for metric in metrics[:PER_GROUP_COUNT]
        ]


def residuals(predictions: Tensor, targets: Tensor) -> Tensor:
    """Predicted less true.  [N] or [N,D], [N] or [N,D] -> [N,D] float64"""
    n = len(predictions)
    return predictions.cpu().double().reshape(n, -1) - targets.cpu().double().reshape(n, -1)


def group_means(values: Tensor, groups: Tensor) -> Tensor:
    """The mean of each group.  [N,1], [N] int64 -> [G,1]"""
    names, index = groups.unique(return_inverse=True)
    sums = values.new_zeros(len(names), 1).index_add(0, index, values)
    return sums / index.bincount()[:, None]


def r_squared(errors: Tensor, true: Tensor) -> Statistic:
    """R^2: 1 - residual / total sum of squares, as a statistic; NaN where all truth is equal.

    0 is as good as predicting the mean of the truth, below 0 is worse.
    errors, true [N] float64
    """

    def statistic(weights: Tensor) -> Tensor:
        n = weights.sum(dim=1)
        mean = weights @ true / n
        total = (weights * (true - mean[:, None]).square()).sum(dim=1)
        return torch.where(total > 0, 1 - weights @ errors.square() / total, torch.nan)

    return statistic


def root_mean_square(errors: Tensor) -> Statistic:
    """The root mean squared error, as a statistic.  errors [N] float64"""
    return lambda weights: (weights @ errors.square() / weights.sum(dim=1)).sqrt()


def correlation(a: Tensor, b: Tensor) -> Statistic:
    """Pearson's correlation, as a statistic; of ranks it is Spearman's (1904).  a, b [N] float64"""

    def centred(weights: Tensor, values: Tensor) -> Tensor:
        return values - (weights @ values / weights.sum(dim=1))[:, None]

    def statistic(weights: Tensor) -> Tensor:
        x, y = centred(weights, a), centred(weights, b)
        together = (weights * x * y).sum(dim=1)
        return together / ((weights * x * x).sum(dim=1) * (weights * y * y).sum(dim=1)).sqrt()

    return statistic
