"""Numbers that need no more of each class than how many images are of it, predicted as it, or both.

Precision, recall and F1 (van Rijsbergen 1979, Information Retrieval, chapter 7) with their macro,
weighted and micro means, balanced accuracy, Cohen's kappa and Matthews' correlation coefficient.
A number that is not defined is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic
from saccade.metrics.intervals import Interval, f1_interval, linear, wilson
from saccade.metrics.metric import ClassMetrics, MetricValue

IMBALANCE_RATIO = (
    1.5  # times the images of the smallest class; above, accuracy and balanced accuracy part
)


class ClassCounts(NamedTuple):
    """Images of each class, [...,K] each; leading axes are counts of other resamplings."""

    true_positives: Tensor  # of the class and predicted as it
    support: Tensor  # of the class
    predicted: Tensor  # predicted as the class

    @property
    def n(self) -> Tensor:
        """All images.  [...]"""
        return self.support.sum(dim=-1)


CountScore = Callable[[ClassCounts], Tensor]  # counts [...,K] -> [...], or [...,K] class by class


def class_counts(
    predicted: Tensor, targets: Tensor, num_classes: int, weights: Tensor
) -> ClassCounts:
    """Counts with each image as often as `weights` says.

    predicted [N] int64, targets [N] int64, weights [B,N] -> [B,K] each
    """

    def per_class(classes: Tensor, amounts: Tensor) -> Tensor:
        return amounts.new_zeros(len(amounts), num_classes).index_add_(1, classes, amounts)

    right = weights * (predicted == targets)
    return ClassCounts(
        per_class(targets, right), per_class(targets, weights), per_class(predicted, weights)
    )


def confusion_matrix(predicted: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """A row a true class, a column a predicted one.  [N] int64, [N] int64 -> [K,K] int64"""
    cells = torch.bincount(targets * num_classes + predicted, minlength=num_classes**2)
    return cells.view(num_classes, -1)


def from_confusion(confusion: Tensor) -> ClassCounts:
    """The counts of a confusion matrix.  [...,K,K] -> [...,K] float64 each"""
    right = confusion.diagonal(dim1=-2, dim2=-1)
    parts = (right, confusion.sum(dim=-1), confusion.sum(dim=-2))
    return ClassCounts(*(part.double() for part in parts))


def label_counts(predicted: Tensor, targets: Tensor) -> ClassCounts:
    """Counts where an image has any number of labels.  [N,K] bool, [N,K] bool -> [K] each"""
    return ClassCounts(
        *(part.sum(dim=0).double() for part in (predicted & targets, targets, predicted))
    )


def constant_counts(counts: ClassCounts) -> ClassCounts:
    """The counts of predicting the largest class of every image.  [K] -> [K] each"""
    largest = torch.zeros_like(counts.support)
    largest[counts.support.argmax()] = 1
    return ClassCounts(largest * counts.support, counts.support, largest * counts.n)


def count_statistic(
    score: CountScore, predicted: Tensor, targets: Tensor, num_classes: int
) -> Statistic:
    """`score` of the counts of classes, to be resampled.  [N] int64, [N] int64"""
    return lambda weights: score(class_counts(predicted, targets, num_classes, weights))


def label_statistic(score: CountScore, predicted: Tensor, targets: Tensor) -> Statistic:
    """`score` of the counts of labels, to be resampled.  [N,K] bool, [N,K] bool"""
    columns = [column.double() for column in (predicted & targets, targets, predicted)]
    return lambda weights: score(ClassCounts(*(weights @ column for column in columns)))


def precision(counts: ClassCounts) -> Tensor:
    """Of the images predicted as a class, the share that is of it.  [...,K] -> [...,K]"""
    return counts.true_positives / counts.predicted


def recall(counts: ClassCounts) -> Tensor:
    """Of the images of a class, the share predicted as it.  [...,K] -> [...,K]"""
    return counts.true_positives / counts.support


def f1(counts: ClassCounts) -> Tensor:
    """The harmonic mean of both.  [...,K] -> [...,K]"""
    return 2 * counts.true_positives / (counts.support + counts.predicted)


def micro_f1(counts: ClassCounts) -> Tensor:
    """F1 of the labels of all images counted together.  [...,K] -> [...]"""
    right, support, predicted = (part.sum(dim=-1) for part in counts)
    return 2 * right / (support + predicted)


class Macro:
    """The mean over the classes that appear, as true or as predicted; an undefined number counts 0.

    So says scikit-learn with `zero_division=0`: a class never predicted lowers macro precision.
    """

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        """[...,K] -> [...]"""
        appears = (counts.support + counts.predicted) > 0
        total = torch.where(appears, self.score(counts), 0.0).nan_to_num(0.0).sum(dim=-1)
        return total / appears.sum(dim=-1)


class Weighted:
    """The mean over classes by their number of images; an undefined number counts 0."""

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        """[...,K] -> [...]"""
        return (self.score(counts).nan_to_num(0.0) * counts.support).sum(dim=-1) / counts.n


def cohen_kappa(counts: ClassCounts) -> Tensor:
    """Agreement beyond what the class sizes alone would give: 1 if full, 0 by chance.

    Cohen 1960, A coefficient of agreement for nominal scales.  NaN if all is of one class and
    predicted so.  In whole numbers until the division: exact up to 94 million images.
    [...,K] -> [...]
    """
    n, right = counts.n, counts.true_positives.sum(dim=-1)
    expected = (counts.support * counts.predicted).sum(dim=-1)
    return (n * right - expected) / (n * n - expected)


def matthews_corrcoef(counts: ClassCounts) -> Tensor:
    """The correlation of true and predicted classes: 1 at full agreement.

    Gorodkin 2004, Comparing two K-category assignments by a K-category correlation coefficient.  0
    if one side is constant (its limit: Chicco & Jurman 2020); NaN if all is of one class and
    predicted so, where scikit-learn says 0.  [...,K] -> [...]
    """
    n, right = counts.n, counts.true_positives.sum(dim=-1)
    together = n * right - (counts.support * counts.predicted).sum(dim=-1)
    spread = (n * n - counts.support.square().sum(dim=-1)) * (
        n * n - counts.predicted.square().sum(dim=-1)
    )
    value = torch.where(spread > 0, together / spread.sqrt(), 0.0)
    return torch.where((spread == 0) & (right == n), torch.nan, value)


def balanced_accuracy(counts: ClassCounts) -> Tensor:
    """The mean recall of the classes that have images; guessing gives 1/K.  [...,K] -> [...]

    Brodersen 2010, The balanced accuracy and its posterior distribution.
    """
    return recall(counts).nanmean(dim=-1)


def balanced_accuracy_interval(counts: ClassCounts, confidence: float = 0.95) -> Interval:
    """From the Wilson intervals of the recalls: never without width, even if all is right.  [K]"""
    present = counts.support > 0
    shares = recall(counts)[present].tolist()
    pairs = zip(
        counts.true_positives[present].tolist(), counts.support[present].tolist(), strict=True
    )
    intervals = [wilson(right, int(n), confidence) for right, n in pairs]
    return linear(shares, intervals, [1 / len(shares)] * len(shares))


def imbalanced(counts: ClassCounts) -> bool:
    """Whether classes differ so much in size that balanced accuracy is to be named first.  [K]"""
    support = counts.support[counts.support > 0]
    return bool(len(support) and support.max() > IMBALANCE_RATIO * support.min())


class Baseline(NamedTuple):
    """What one gets without a look at the images, knowing the sizes of their classes."""

    majority: float  # accuracy of always predicting the largest class
    balanced: float  # balanced accuracy of any constant prediction: 1 / (classes with images)
    log_loss: float  # nats, of giving each class its share: the entropy of the class sizes
    brier: float  # Brier score of the same


def baseline(counts: ClassCounts) -> Baseline:
    """The baselines on the images that were counted.  [K]"""
    support = counts.support[counts.support > 0]
    shares = support / counts.n
    return Baseline(
        majority=float(shares.max()),
        balanced=1 / len(support),
        log_loss=float(-(shares * shares.log()).sum()),
        brier=1 - float((counts.support / counts.n).square().sum()),
    )


def class_table(names: tuple[str, ...], counts: ClassCounts) -> tuple[ClassMetrics, ...]:
    """Precision, recall and F1 of each class or label, with intervals.  [K]"""
    columns = zip(*(part.long().tolist() for part in counts))
    return tuple(class_metrics(name, *row) for name, row in zip(names, columns, strict=True))


def class_metrics(name: str, true_positives: int, support: int, predicted: int) -> ClassMetrics:
    """Precision, recall and F1 of one class or label; what has no images is NaN."""

    def share(what: str, n: int) -> MetricValue:
        value = true_positives / n if n else float("nan")
        return MetricValue(
            what, value, n, wilson(true_positives, n) if n else None, "%", None, "Wilson"
        )

    both = support + predicted
    value = 2 * true_positives / both if both else float("nan")
    interval = f1_interval(true_positives, support, predicted) if both else None
    score = MetricValue(
        "F1", value, both - true_positives, interval, "%", None, "Wilson of the overlap"
    )
    rates = (share("precision", predicted), share("recall", support), score)
    return ClassMetrics(name, support, predicted, true_positives, *rates)
