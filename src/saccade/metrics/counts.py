"""Metrics of class counts: support, predicted and true positives of each class.

Precision, recall and F1 (van Rijsbergen 1979, Information Retrieval, chapter 7) with their macro,
weighted and micro means, balanced accuracy, Cohen's kappa and Matthews' correlation coefficient.
An undefined metric is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic

IMBALANCE_RATIO = 1.5  # of the largest to the smallest class, above which they are imbalanced


class ClassCounts(NamedTuple):
    """The counts of each class, [...,K] each; leading axes are bootstrap replicates."""

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
    """The counts of each class, with each image counted `weights` times.

    predicted [N] int64, targets [N] int64, weights [B,N] -> [B,K] each
    """

    def per_class(classes: Tensor, amounts: Tensor) -> Tensor:
        return amounts.new_zeros(len(amounts), num_classes).index_add_(1, classes, amounts)

    right = weights * (predicted == targets)
    return ClassCounts(
        per_class(targets, right), per_class(targets, weights), per_class(predicted, weights)
    )


def confusion_matrix(predicted: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """The confusion matrix, a row per true and a column per predicted class.

    [N] int64, [N] int64 -> [K,K] int64
    """
    cells = torch.bincount(targets * num_classes + predicted, minlength=num_classes**2)
    return cells.view(num_classes, -1)


def from_confusion(confusion: Tensor) -> ClassCounts:
    """The counts of a confusion matrix.  [...,K,K] -> [...,K] float64 each"""
    right = confusion.diagonal(dim1=-2, dim2=-1)
    counts = (right, confusion.sum(dim=-1), confusion.sum(dim=-2))
    return ClassCounts(*(c.double() for c in counts))


def label_counts(predicted: Tensor, targets: Tensor) -> ClassCounts:
    """The counts of each label in multi-label data.  [N,K] bool, [N,K] bool -> [K] each"""
    return ClassCounts(
        *(column.sum(dim=0).double() for column in (predicted & targets, targets, predicted))
    )


def constant_counts(counts: ClassCounts) -> ClassCounts:
    """The counts of predicting the largest class of every image.  [K] -> [K] each"""
    largest = torch.zeros_like(counts.support)
    largest[counts.support.argmax()] = 1
    return ClassCounts(largest * counts.support, counts.support, largest * counts.n)


def count_statistic(
    score: CountScore, predicted: Tensor, targets: Tensor, num_classes: int
) -> Statistic:
    """`score` of the class counts, as a statistic.  predicted, targets [N] int64"""
    return lambda weights: score(class_counts(predicted, targets, num_classes, weights))


def label_statistic(score: CountScore, predicted: Tensor, targets: Tensor) -> Statistic:
    """`score` of the label counts, as a statistic.  predicted, targets [N,K] bool"""
    columns = [column.double() for column in (predicted & targets, targets, predicted)]
    return lambda weights: score(ClassCounts(*(weights @ column for column in columns)))


def precision(counts: ClassCounts) -> Tensor:
    """Precision: true positives / predicted, of each class.  [...,K] -> [...,K]"""
    return counts.true_positives / counts.predicted


def recall(counts: ClassCounts) -> Tensor:
    """Recall: true positives / support, of each class.  [...,K] -> [...,K]"""
    return counts.true_positives / counts.support


def f1(counts: ClassCounts) -> Tensor:
    """F1: the harmonic mean of precision and recall, of each class.  [...,K] -> [...,K]"""
    return 2 * counts.true_positives / (counts.support + counts.predicted)


def micro_f1(counts: ClassCounts) -> Tensor:
    """Micro F1: of the counts summed over all labels.  [...,K] -> [...]"""
    right, support, predicted = (part.sum(dim=-1) for part in counts)
    return 2 * right / (support + predicted)


class Macro:
    """The macro mean of a score over the classes that appear, true or predicted; NaN counts 0.

    As scikit-learn with `zero_division=0`: a class never predicted lowers macro precision.
    """

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        """[...,K] -> [...]"""
        appears = (counts.support + counts.predicted) > 0
        total = torch.where(appears, self.score(counts), 0.0).nan_to_num(0.0).sum(dim=-1)
        return total / appears.sum(dim=-1)


class Weighted:
    """The mean of a score over the classes, weighted by their support; NaN counts 0."""

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        """[...,K] -> [...]"""
        return (self.score(counts).nan_to_num(0.0) * counts.support).sum(dim=-1) / counts.n


def cohen_kappa(counts: ClassCounts) -> Tensor:
    """Cohen's kappa: agreement beyond chance, 1 if full, 0 at the level of chance.

    Cohen 1960, A coefficient of agreement for nominal scales.  NaN if all is of one class and
    predicted so.  In whole numbers until the division: exact up to 94 million images.
    [...,K] -> [...]
    """
    n, right = counts.n, counts.true_positives.sum(dim=-1)
    expected = (counts.support * counts.predicted).sum(dim=-1)
    return (n * right - expected) / (n * n - expected)


def matthews_corrcoef(counts: ClassCounts) -> Tensor:
    """Matthews' correlation coefficient of true and predicted classes: 1 at full agreement.

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


Size = Callable[[ClassCounts], float]  # how many images a mean is worth, if all were as hard


def own_images(counts: ClassCounts) -> Tensor:
    """The images that the recall of a class is a share of.  [K]"""
    return counts.support


def predicted_images(counts: ClassCounts) -> Tensor:
    """The images that the precision of a class is a share of; 1 where it counts 0.  [K]"""
    return torch.where(images_of_either(counts) > 0, counts.predicted.clamp_min(1), 0)


def images_of_either(counts: ClassCounts) -> Tensor:
    """The images of a class or predicted as it, of which F1 is a function of a share.  [K]"""
    return counts.support + counts.predicted - counts.true_positives


def macro_size(images: Callable[[ClassCounts], Tensor]) -> Size:
    """Of the plain mean over classes of shares of `images`: K^2 / sum(1 / n).  [K]"""

    def size(counts: ClassCounts) -> float:
        n = images(counts)
        n = n[n > 0]
        return len(n) ** 2 / float((1 / n).sum())

    return size


def weighted_size(counts: ClassCounts) -> float:
    """Of the mean of F1 over classes, weighted by their images.  [K]"""
    present = counts.support > 0
    weights, n = (counts.support / counts.n)[present], images_of_either(counts)[present]
    return 1 / float((weights.square() / n).sum())


def agreement_size(counts: ClassCounts) -> float:
    """Of an agreement beyond chance, from -1 to 1: each mistake costs 1 / (1 - chance).  [K]"""
    chance = float((counts.support * counts.predicted).sum() / counts.n**2)
    return max(1.0, 2 * (1 - chance) * float(counts.n))


def imbalanced(counts: ClassCounts) -> bool:
    """Whether the largest class is over 1.5 times the smallest one with images.  [K]"""
    support = counts.support[counts.support > 0]
    return bool(len(support) and support.max() > IMBALANCE_RATIO * support.min())


class Baseline(NamedTuple):
    """The metrics of constant predictions that know the class sizes alone."""

    majority: float  # accuracy of always predicting the largest class
    balanced: float  # balanced accuracy of any constant prediction: 1 / (classes with images)
    log_loss: float  # nats, of giving each class its share: the entropy of the class sizes
    brier: float  # Brier score of the same


def baseline(counts: ClassCounts) -> Baseline:
    """The baselines on the counted images.  [K]"""
    support = counts.support[counts.support > 0]
    shares = support / counts.n
    return Baseline(
        majority=float(shares.max()),
        balanced=1 / len(support),
        log_loss=0.0 - float((shares * shares.log()).sum()),  # of one class 0, never -0
        brier=1 - float((counts.support / counts.n).square().sum()),
    )
