"""Metrics of single-label classification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import torch
from torch import Tensor

from saccade.metrics.bootstrap import mean_of
from saccade.metrics.calibration import (
    adaptive_calibration_error,
    brier_scores,
    expected_calibration_error,
    log_losses,
)
from saccade.metrics.counts import (
    ClassCounts,
    CountScore,
    Macro,
    Weighted,
    balanced_accuracy,
    balanced_accuracy_interval,
    baseline,
    class_table,
    cohen_kappa,
    confusion_matrix,
    constant_counts,
    count_statistic,
    f1,
    from_confusion,
    imbalanced,
    matthews_corrcoef,
    precision,
)
from saccade.metrics.measure import resampling, with_intervals
from saccade.metrics.metric import MetricReport, Predicted, Quantity, Score
from saccade.metrics.ranking import average_precision, macro_mean, roc_auc

MAX_SORTED = 500_000  # images times classes, above which metrics that sort each class take minutes
COUNT_SCORES: dict[str, tuple[CountScore, str]] = {  # metrics of class counts, and their units
    "macro precision": (Macro(precision), "%"),
    "macro F1": (Macro(f1), "%"),
    "weighted F1": (Weighted(f1), "%"),
    "Cohen's kappa": (cohen_kappa, ""),
    "Matthews correlation": (matthews_corrcoef, ""),
}


@dataclass(frozen=True)
class ClassMetric:
    """Metrics from probabilities [N,K], the predicted and the true class [N] int64, and log losses.

    The primary metric is accuracy, or balanced accuracy where classes are imbalanced.  The
    bootstrap is stratified by the true class.
    """

    classes: tuple[str, ...]

    score: ClassVar[Score] = Score("accuracy")
    compared: ClassVar[tuple[str, ...]] = ("accuracy", "balanced accuracy", "log loss")

    def rows(self, predictions: Tensor, targets: Tensor) -> Predicted:
        """The rows of a batch: predictions [N,K] are probabilities, targets [N] int64."""
        predictions, targets = predictions.cpu(), targets.cpu()
        losses = log_losses(predictions, targets)
        return Predicted(predictions, predictions.argmax(dim=1), targets, losses)

    def read(self, table: Mapping[str, Sequence[str]]) -> Predicted:
        index = {name: k for k, name in enumerate(self.classes)}
        answers, targets = (
            torch.tensor([index[cell] for cell in table[title]])
            for title in ("prediction", "label")
        )
        return Predicted(read_columns(table, self.classes), answers, targets, read_losses(table))

    def correct(self, rows: Predicted) -> Tensor:
        """Whether each prediction is correct; one with a NaN never is.  -> [N] bool"""
        return (rows.answers == rows.targets) & ~rows.losses.isnan()

    def strata(self, rows: Predicted) -> Tensor:
        """The true classes.  -> [N] int64"""
        return rows.targets

    def confusion(self, rows: Predicted) -> Tensor:
        """The confusion matrix, a row per true and a column per predicted class.  -> [K,K] int64"""
        return confusion_matrix(rows.answers, rows.targets, len(self.classes))

    def quantities(self, rows: Predicted) -> Iterator[Quantity]:
        counts = from_confusion(self.confusion(rows))
        accuracies = [self._accuracy(rows, counts), self._balanced_accuracy(rows, counts)]
        yield from reversed(accuracies) if imbalanced(counts) else accuracies
        yield from chain(
            self._top_five(rows, counts),
            self._count_metrics(rows, counts),
            self._probability_metrics(rows, counts),
            self._ranking_metrics(rows, counts),
        )

    def report(self, rows: Predicted, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        metrics = with_intervals(self.quantities(rows), resampling(self, rows, groups, seed))
        confusion = self.confusion(rows)
        table = class_table(self.classes, from_confusion(confusion))
        return MetricReport(len(rows), tuple(metrics), table, tuple(map(tuple, confusion.tolist())))

    def _accuracy(self, rows: Predicted, counts: ClassCounts) -> Quantity:
        return Quantity.proportion("accuracy", self.correct(rows), baseline(counts).majority)

    def _balanced_accuracy(self, rows: Predicted, counts: ClassCounts) -> Quantity:
        return Quantity(
            "balanced accuracy",
            count_statistic(balanced_accuracy, rows.answers, rows.targets, len(self.classes)),
            "%",
            baseline(counts).balanced,
            balanced_accuracy_interval(counts),
            "Wilson, by class",
        )

    def _top_five(self, rows: Predicted, counts: ClassCounts) -> Iterator[Quantity]:
        """Top-5 accuracy, where there are more than five classes."""
        if len(self.classes) > 5:
            order = rows.predictions.sort(dim=1, descending=True, stable=True).indices[:, :5]
            correct = (order == rows.targets[:, None]).any(dim=1)
            largest = counts.support.topk(5).values.sum() / counts.n
            yield Quantity.proportion("top-5 accuracy", correct, float(largest))

    def _count_metrics(self, rows: Predicted, counts: ClassCounts) -> Iterator[Quantity]:
        """The metrics of class counts; the baseline predicts the largest class."""
        constant = constant_counts(counts)
        for name, (score, unit) in COUNT_SCORES.items():
            statistic = count_statistic(score, rows.answers, rows.targets, len(self.classes))
            yield Quantity(name, statistic, unit, float(score(constant)))

    def _probability_metrics(self, rows: Predicted, counts: ClassCounts) -> Iterator[Quantity]:
        """Log loss, Brier score and calibration errors; the baseline predicts the class shares."""
        probabilities, targets, prior = rows.predictions, rows.targets, baseline(counts)
        yield Quantity("log loss", mean_of(rows.losses), "nats", prior.log_loss)
        squares = brier_scores(probabilities, targets)
        yield Quantity("Brier score", mean_of(squares), "", prior.brier)
        error = expected_calibration_error(probabilities.amax(dim=1), self.correct(rows))
        yield Quantity("expected calibration error", error, "%", inflated=True)
        if probabilities.numel() <= MAX_SORTED:
            error = adaptive_calibration_error(probabilities, targets)
            yield Quantity("adaptive calibration error", error, "%", inflated=True)

    def _ranking_metrics(self, rows: Predicted, counts: ClassCounts) -> Iterator[Quantity]:
        """Means of ROC AUC and average precision over the classes with images, one-vs-rest."""
        if rows.predictions.numel() > MAX_SORTED:
            return
        members = rows.targets[:, None] == torch.arange(len(self.classes))
        yield Quantity("ROC AUC", macro_mean(roc_auc, rows.predictions, members), "", 0.5)
        share = float((counts.support[counts.support > 0] / counts.n).mean())
        precisions = macro_mean(average_precision, rows.predictions, members)
        yield Quantity("average precision", precisions, "", share)


def probability_title(name: str) -> str:
    """The title of the probabilities of a class in predictions.csv."""
    return f"p({name})"


def read_columns(table: Mapping[str, Sequence[str]], classes: Sequence[str]) -> Tensor:
    """The probabilities of predictions.csv.  -> [N,K] float64"""
    columns = [[float(cell) for cell in table[probability_title(name)]] for name in classes]
    return torch.tensor(columns, dtype=torch.float64).T


def read_losses(table: Mapping[str, Sequence[str]]) -> Tensor:
    """The losses of predictions.csv.  -> [N] float64"""
    return torch.tensor([float(cell) for cell in table["loss"]], dtype=torch.float64)
