"""A person's own metric, beside those of a task: a function of predictions and targets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from saccade.errors import UsageError
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import Metric, MetricReport, Predicted, Quantity, Score, key
from saccade.metrics.sample import Sample
from saccade.own import PREFIX, Own

SETTING = "train.metric"
TAKEN = frozenset(  # keys of the loss and of the metrics of every task
    [
        *("loss", "accuracy", "balanced_accuracy", "top-5_accuracy", "macro_precision"),
        *("macro_f1", "weighted_f1", "cohen's_kappa", "matthews_correlation", "log_loss"),
        *("brier_score", "expected_calibration_error", "adaptive_calibration_error", "roc_auc"),
        *("average_precision", "mean_average_precision", "micro_f1", "subset_accuracy", "r2"),
        *("mean_absolute_error", "root_mean_squared_error", "spearman_correlation"),
        *("pearson_correlation", "mean_error", "deviance_explained", "mean_poisson_deviance"),
    ]
)


@dataclass(frozen=True)
class WithOwn:
    """The metrics of a task, and after them one of a person's own, which validation is watched by.

    The function takes predictions [N,...] (probabilities of classes, or numbers) and targets
    [N,...] as tensors on the CPU, and returns a number.  More is better, unless it has an attribute
    `higher_is_better` that is False, as torchmetrics' have.
    """

    metric: Metric[Any]
    own: Own

    def __post_init__(self) -> None:
        title = self.own.removeprefix(PREFIX)
        if key(title) in TAKEN:
            what = f"{SETTING}={self.own} has the name of what is measured anyway"
            raise UsageError(what, f"give the function another name, such as my_{key(title)}")

    @property
    def score(self) -> Score:
        """The own metric, under its key in the log."""
        rises = getattr(self.own.need(SETTING), "higher_is_better", True) is not False
        title = self.own.removeprefix(PREFIX)
        return Score(key(title), rises, unit="", title=title)

    @property
    def compared(self) -> tuple[str, ...]:
        """The metrics for comparing two networks: those of the task, which every run has."""
        return self.metric.compared

    def rows(self, predictions: Any, targets: Any) -> Any:
        """The rows of the task's metric."""
        return self.metric.rows(predictions, targets)

    def read(self, table: Mapping[str, Sequence[str]]) -> Any:
        """The rows that predictions.csv holds."""
        return self.metric.read(table)

    def correct(self, rows: Any) -> Tensor | None:
        """Whether each prediction is correct."""
        return self.metric.correct(rows)

    def quantities(self, rows: Any) -> Iterator[Quantity]:
        """Those of the task, then the own one."""
        yield from self.metric.quantities(rows)
        yield self._quantity(rows)

    def report(self, rows: Any, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        """The report of the task's metric, with the own one and its interval at the end."""
        report = self.metric.report(rows, groups, seed)
        (own,) = with_intervals([self._quantity(rows)], Sample(len(rows), groups), seed)
        return replace(report, metrics=(*report.metrics, own))

    def _quantity(self, rows: Predicted) -> Quantity:
        return Quantity(self.own.removeprefix(PREFIX), resampled(self.own.function(SETTING), rows))


def resampled(function: Callable[[Tensor, Tensor], Any], rows: Predicted) -> Callable:
    """A function of predictions and targets as a statistic of weights [B,N] -> [B].

    Where it raises on a sample in which not every image is, the value of that sample is NaN.
    """

    def value(weights: Tensor) -> float:
        index = torch.arange(len(weights)).repeat_interleave(weights.long())
        whole = len(index) == len(weights) and bool((weights == 1).all())
        try:
            return float(function(rows.predictions[index], rows.targets[index]))
        except Exception as error:
            if not whole:
                return math.nan
            shapes = " and ".join(str(list(x.shape)) for x in (rows.predictions, rows.targets))
            raise UsageError(
                f"{SETTING} fails on tensors {shapes}: {type(error).__name__}: {error}",
                "it takes predictions and targets as tensors, and gives one number",
            ) from error

    return lambda weights: torch.tensor([value(row) for row in weights], dtype=torch.float64)
