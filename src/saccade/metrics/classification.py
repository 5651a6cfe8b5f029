"""Metrics of single-label classification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import torch
from torch import Tensor

from saccade.metrics.calibration import brier_scores, log_losses
from saccade.metrics.calibration_error import (
    adaptive_calibration_error,
    adaptive_cells,
    expected_calibration_error,
    expected_cells,
)
from saccade.metrics.class_table import class_rows
from saccade.metrics.counts import (
    ClassCounts,
    CountScore,
    Macro,
    Size,
    Weighted,
    agreement_size,
    balanced_accuracy,
    baseline,
    cohen_kappa,
    confusion_matrix,
    constant_counts,
    count_statistic,
    f1,
    from_confusion,
    images_of_either,
    imbalanced,
    macro_size,
    matthews_corrcoef,
    own_images,
    precision,
    predicted_images,
    weighted_size,
)
from saccade.metrics.interval_methods import Mean, Proportion
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import MetricReport, Predicted, Quantity, Score
from saccade.metrics.ranking import area, average_precision, roc_auc
from saccade.metrics.sample import Sample

FEWEST_IMAGES = 5  # of each class, for an interval of macro means
MAX_SORTED = 500_000  # images times classes, above which metrics that sort each class take minutes
COUNT_SCORES: dict[str, tuple[CountScore, Size, str]] = {  # of class counts, and their units
    "macro precision": (Macro(precision), macro_size(predicted_images), "%"),
    "macro F1": (Macro(f1), macro_size(images_of_either), "%"),
    "weighted F1": (Weighted(f1), weighted_size, "%"),
    "Cohen's kappa": (cohen_kappa, agreement_size, ""),
    "Matthews correlation": (matthews_corrcoef, agreement_size, ""),
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
        metrics = with_intervals(self.quantities(rows), Sample(len(rows), groups), seed)
        table = class_rows(self.classes, rows.answers, rows.targets, groups)
        confusion = self.confusion(rows).tolist()
        return MetricReport(len(rows), tuple(metrics), table, tuple(map(tuple, confusion)))

    def _accuracy(self, rows: Predicted, counts: ClassCounts) -> Quantity:
        return Quantity.proportion("accuracy", self.correct(rows), baseline(counts).majority)

    def _balanced_accuracy(self, rows: Predicted, counts: ClassCounts) -> Quantity:
        return Quantity(
            "balanced accuracy",
            count_statistic(balanced_accuracy, rows.answers, rows.targets, len(self.classes)),
            Proportion(macro_size(own_images)(counts)),
            "%",
            baseline(counts).balanced,
            strata=rows.targets,
            parts=self.correct(rows) / counts.support[rows.targets] / (counts.support > 0).sum(),
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
        present = counts.support[counts.support > 0]
        few = (
            f"a class of fewer than {FEWEST_IMAGES} images" if present.min() < FEWEST_IMAGES else ""
        )
        for name, (score, size, unit) in COUNT_SCORES.items():
            statistic = count_statistic(score, rows.answers, rows.targets, len(self.classes))
            unknown = few if name.startswith("macro") else ""
            method = Proportion(size(counts), low=0.0 if unit else -1.0, unknown=unknown)
            yield Quantity(name, statistic, method, unit, float(score(constant)), rows.targets)

    def _probability_metrics(self, rows: Predicted, counts: ClassCounts) -> Iterator[Quantity]:
        """Log loss, Brier score and calibration errors; the baseline predicts the class shares."""
        probabilities, targets, prior = rows.predictions, rows.targets, baseline(counts)
        correct = self.correct(rows)
        mistakes, squares = int((~correct).sum()), brier_scores(probabilities, targets)
        second = second_best(probabilities)
        losses = (log_losses(probabilities, second), brier_scores(probabilities, second))
        methods = (Mean(loss=float(loss.mean()), mistakes=mistakes) for loss in losses)
        log_method, square_method = methods
        yield Quantity.mean("log loss", rows.losses, "nats", prior.log_loss, log_method)
        yield Quantity.mean("Brier score", squares, "", prior.brier, square_method)
        seen = probabilities.amax(dim=1), correct
        error, cells = expected_calibration_error(*seen), expected_cells(*seen)
        yield Quantity("expected calibration error", error, cells, "%")
        if probabilities.numel() <= MAX_SORTED:
            error = adaptive_calibration_error(probabilities, targets)
            cells = adaptive_cells(probabilities, targets)
            yield Quantity("adaptive calibration error", error, cells, "%")

    def _ranking_metrics(self, rows: Predicted, counts: ClassCounts) -> Iterator[Quantity]:
        """Means of ROC AUC and average precision over the classes with images, one-vs-rest."""
        if rows.predictions.numel() > MAX_SORTED:
            return
        members = rows.targets[:, None] == torch.arange(len(self.classes))
        share = float((counts.support[counts.support > 0] / counts.n).mean())
        for name, score, chance in (
            ("ROC AUC", roc_auc, 0.5),
            ("average precision", average_precision, share),
        ):
            statistic, method = area(score, rows.predictions, members)
            yield Quantity(name, statistic, method, "", chance, rows.targets)


def second_best(probabilities: Tensor) -> Tensor:
    """The second most probable class, which a mistake takes the most probable for.  [N,K] -> [N]"""
    return probabilities.topk(min(2, probabilities.shape[1]), dim=1).indices[:, -1]


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
