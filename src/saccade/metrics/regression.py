"""Metrics of regression."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic, mean_of
from saccade.metrics.classification import read_losses
from saccade.metrics.interval_methods import FISHER_Z, IDENTITY, LOG_REST, Mean
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import MetricReport, MetricValue, Predicted, Quantity, Score
from saccade.metrics.sample import Sample

PER_GROUP_COUNT = 3  # the first metrics, which are computed per group, too
PER_GROUP = " per place"  # behind the names of those


@dataclass(frozen=True)
class RegressionMetric:
    """Metrics from predicted and true numbers [N,1], and squared errors in units of `scale`^2.

    The baseline predicts the mean of the truth.
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

    def quantities(self, rows: Predicted) -> Iterator[Quantity]:
        predicted, true = (column.double().flatten() for column in (rows.predictions, rows.targets))
        errors, deviations, unit = predicted - true, true - true.mean(), self.unit
        absolute, square = float(deviations.abs().mean()), float(deviations.square().mean().sqrt())
        root = root_mean_square(errors)
        parts = -errors.square() / deviations.square().sum()
        yield Quantity("R2", r_squared(errors, true), LOG_REST, "", 0.0, parts=parts)
        yield Quantity.mean("mean absolute error", errors.abs(), unit, absolute)
        yield Quantity("root mean squared error", root, Mean(root=True), unit, square)
        yield Quantity("Spearman correlation", spearman(predicted, true), FISHER_Z, "", 0.0)
        yield Quantity("Pearson correlation", correlation(predicted, true), FISHER_Z, "", 0.0)
        yield Quantity("mean error", mean_of(errors), IDENTITY, unit, 0.0)

    def report(self, rows: Predicted, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        """All metrics with their intervals; with `groups` [N] int64 the first ones per group, too.

        Those are of the means over the images of each group, predicted and true.
        """
        metrics = with_intervals(self.quantities(rows), Sample(len(rows), groups), seed)
        if groups is not None and len(groups.unique()) < len(groups):
            first, *others = self._per_group(rows, groups, seed)
            metrics = [metrics[0], first, *metrics[1:], *others]
        return MetricReport(len(rows), tuple(metrics))

    def _per_group(self, rows: Predicted, groups: Tensor, seed: int) -> list[MetricValue]:
        predicted, true = (
            group_means(x.double(), groups) for x in (rows.predictions, rows.targets)
        )
        group_rows = self.rows(predicted, true)
        metrics = with_intervals(self.quantities(group_rows), Sample(len(group_rows)), seed)
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
    """Pearson's correlation, as a statistic.  a, b [N] float64"""
    return lambda weights: weighted_correlation(weights, a[None], b[None])


def spearman(a: Tensor, b: Tensor) -> Statistic:
    """Spearman's correlation (1904): that of the ranks, as a statistic.  a, b [N]"""
    first, second = weighted_ranks(a), weighted_ranks(b)
    return lambda weights: weighted_correlation(weights, first(weights), second(weights))


def weighted_correlation(weights: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Pearson's correlation of weighted pairs.  [B,N], [B,N] or [1,N] twice -> [B]"""
    total = weights.sum(dim=1, keepdim=True)
    x, y = (v - (weights * v).sum(dim=1, keepdim=True) / total for v in (a, b))
    together = (weights * x * y).sum(dim=1)
    return together / ((weights * x * x).sum(dim=1) * (weights * y * y).sum(dim=1)).sqrt()


def weighted_ranks(values: Tensor) -> Callable[[Tensor], Tensor]:
    """The rank of each of N values of which each counts `weights` times: all below, half of equals.

    values [N], weights [B,N] -> [B,N]
    """
    names, index = values.unique(return_inverse=True)

    def ranks(weights: Tensor) -> Tensor:
        equal = weights.new_zeros(len(weights), len(names)).index_add(1, index, weights)
        return (equal.cumsum(dim=1) - equal / 2)[:, index]

    return ranks
