"""Metrics of multi-label classification, and the thresholds of the labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from saccade.data.item import SEPARATOR
from saccade.metrics.calibration import MIN_PROBABILITY
from saccade.metrics.class_table import label_rows
from saccade.metrics.classification import read_columns, read_losses
from saccade.metrics.counts import (
    CountScore,
    Macro,
    f1,
    images_of_either,
    label_counts,
    label_statistic,
    macro_size,
    micro_f1,
)
from saccade.metrics.interval_methods import Proportion
from saccade.metrics.measure import unit_weights, with_intervals
from saccade.metrics.metric import MetricReport, Predicted, Quantity, Score
from saccade.metrics.ranking import Ranking, area, average_precision, roc_auc
from saccade.metrics.sample import Sample

MIN_POSITIVES = 5  # images of a label for which a threshold is fitted


@dataclass(frozen=True)
class LabelMetric:
    """Metrics from probabilities [N,K], predicted and true labels [N,K] bool, and mean log losses.

    A label is predicted where its probability is at least its threshold, 0.5 by default.
    """

    labels: tuple[str, ...]
    thresholds: tuple[float, ...] = ()

    score: ClassVar[Score] = Score("mean_average_precision")
    compared: ClassVar[tuple[str, ...]] = ("mean average precision", "subset accuracy", "log loss")

    def rows(self, predictions: Tensor, targets: Tensor) -> Predicted:
        """The rows of a batch: predictions [N,K] are probabilities, targets [N,K] 0 or 1."""
        predictions, targets = predictions.cpu(), targets.cpu()
        answers = predictions >= predictions.new_tensor(self.thresholds or [0.5] * len(self.labels))
        losses = multilabel_losses(predictions, targets)
        return Predicted(predictions, answers, targets > 0.5, losses)

    def read(self, table: Mapping[str, Sequence[str]]) -> Predicted:
        answers, targets = (
            torch.tensor(
                [[name in cell.split(SEPARATOR) for name in self.labels] for cell in cells]
            )
            for cells in (table["prediction"], table["label"])
        )
        return Predicted(read_columns(table, self.labels), answers, targets, read_losses(table))

    def correct(self, rows: Predicted) -> Tensor:
        """Whether all labels of an image are correct.  -> [N] bool"""
        return (rows.answers == rows.targets).all(dim=1)

    def quantities(self, rows: Predicted) -> Iterator[Quantity]:
        probabilities, answers, true = rows.predictions, rows.answers, rows.targets
        shares = true.double().mean(dim=0)
        precisions, method = area(average_precision, probabilities, true)
        prior = float(shares[shares > 0].mean())
        ranking = Ranking(average_precision, probabilities, true)
        yield Quantity("mean average precision", precisions, method, "%", prior, ranking=ranking)
        counts = label_counts(answers, true)
        sizes = macro_size(images_of_either)(counts), float(images_of_either(counts).sum())
        scores = ("macro F1", Macro(f1)), ("micro F1", micro_f1)
        for (name, score), size in zip(scores, sizes, strict=True):
            statistic = label_statistic(score, answers, true)
            baseline = _all_labels_score(score, true)
            yield Quantity(name, statistic, Proportion(max(1.0, size)), "%", baseline)
        majority = ((shares >= 0.5) == true).all(dim=1)  # each label as it mostly is
        baseline = float(majority.double().mean())
        yield Quantity.proportion("subset accuracy", self.correct(rows), baseline)
        areas, method = area(roc_auc, probabilities, true)
        yield Quantity("ROC AUC", areas, method, "", 0.5)
        entropy = float(-(shares.xlogy(shares) + (1 - shares).xlogy(1 - shares)).mean())
        yield Quantity.mean("log loss", rows.losses, "nats", entropy)

    def report(self, rows: Predicted, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        metrics = with_intervals(self.quantities(rows), Sample(len(rows), groups), seed)
        table = label_rows(self.labels, rows.answers, rows.targets, groups)
        return MetricReport(len(rows), tuple(metrics), table)


def _all_labels_score(score: CountScore, true: Tensor) -> float:
    """The score of predicting every label for every image.  true [N,K] bool"""
    return float(label_statistic(score, torch.ones_like(true), true)(unit_weights(len(true)))[0])


def multilabel_losses(probabilities: Tensor, targets: Tensor) -> Tensor:
    """The binary cross-entropy of each image, the mean over its labels, in nats.

    [N,K], [N,K] of 0 and 1 -> [N] float64
    """
    probability_of_truth = torch.where(targets > 0.5, probabilities, 1 - probabilities)
    return -probability_of_truth.double().clamp_min(MIN_PROBABILITY).log().mean(dim=1)


def best_f1_thresholds(probabilities: Tensor, targets: Tensor) -> list[float]:
    """For each label the threshold with the highest F1 on validation images, midway between two.

    Lipton 2014, "Optimal thresholding of classifiers to maximize F1 measure".  0.5 for a label with
    fewer than five images.  [N,K], [N,K] of 0 and 1 -> K
    """
    return [
        _best_threshold(p, truth > 0.5) for p, truth in zip(probabilities.T, targets.T, strict=True)
    ]


def _best_threshold(probabilities: Tensor, true: Tensor) -> float:
    """The threshold of one label with the highest F1.  [N], [N] bool"""
    if int(true.sum()) < MIN_POSITIVES:
        return 0.5
    values, index = probabilities.double().unique(return_inverse=True)
    hits = torch.zeros_like(values).index_add_(0, index, true.double()).flip(0).cumsum(0)
    predicted = torch.bincount(index).flip(0).cumsum(0)
    best = int((2 * hits / (predicted + true.sum())).argmax())
    falling = values.flip(0)
    below = falling[best + 1] if best + 1 < len(falling) else falling.new_zeros(())
    return float((falling[best] + below) / 2)
