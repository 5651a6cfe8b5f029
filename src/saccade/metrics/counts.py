"""Accuracy: the share of pictures whose class is among the k most probable."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from saccade.data.batch import Batch
from saccade.metrics.bootstrap import Statistic
from saccade.metrics.intervals import Interval, linear, wilson


class Accuracy:
    """Top-k accuracy from 0 to 1.  Of equal scores the first class counts, as in `argmax`."""

    def __init__(self, k: int = 1):
        self.k = k
        self.correct = 0
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        target = batch.targets[:, None]
        given = prediction.gather(1, target)
        first = torch.arange(prediction.shape[1], device=target.device) < target
        ahead = ~(prediction < given) & ((prediction != given) | first)  # NaN is never right
        self.correct += int((ahead.sum(dim=1) < self.k).sum())
        self.n += len(batch)

    def merge(self, other: Accuracy) -> None:
        self.correct += other.correct
        self.n += other.n

    def result(self) -> float:
        return self.correct / self.n if self.n else float("nan")


# Class counts: of each class how many pictures there are, were named, and were named rightly.
#
# Precision, recall, F1, balanced accuracy, kappa and Matthews' coefficient need no more than
# these.


class ClassCounts(NamedTuple):
    """Pictures of each class, [...,K] each; leading axes are counts of other resamplings."""

    right: Tensor  # of the class and taken for it
    true: Tensor  # of the class
    named: Tensor  # taken for the class

    @property
    def n(self) -> Tensor:
        """All pictures.  [...]"""
        return self.true.sum(dim=-1)

    def plus(self, more: ClassCounts) -> ClassCounts:
        """Those of both, of different pictures."""
        return ClassCounts(*(a + b for a, b in zip(self, more, strict=True)))


CountScore = Callable[[ClassCounts], Tensor]  # counts [...,K] -> [...], or [...,K] class by class


def class_counts(
    predicted: Tensor, targets: Tensor, num_classes: int, weights: Tensor
) -> ClassCounts:
    """Counts with each picture as often as `weights` says.

    predicted [N] int64, targets [N] int64, weights [B,N] -> [B,K] each
    """

    def per_class(classes: Tensor, amounts: Tensor) -> Tensor:
        return amounts.new_zeros(len(amounts), num_classes).index_add_(1, classes, amounts)

    right = weights * (predicted == targets)
    return ClassCounts(
        per_class(targets, right), per_class(targets, weights), per_class(predicted, weights)
    )


def counts_once(predicted: Tensor, targets: Tensor, num_classes: int) -> ClassCounts:
    """Counts with each picture once.  [N] int64, [N] int64 -> [K] each"""
    once = torch.ones(1, len(targets), dtype=torch.float64)
    return ClassCounts(*(part[0] for part in class_counts(predicted, targets, num_classes, once)))


def from_confusion(confusion: Tensor) -> ClassCounts:
    """The counts of a confusion matrix, a row a true class.  [...,K,K] -> [...,K] each"""
    right = confusion.diagonal(dim1=-2, dim2=-1)
    parts = (right, confusion.sum(dim=-1), confusion.sum(dim=-2))
    return ClassCounts(*(part.double() for part in parts))


def counted(score: CountScore, predicted: Tensor, targets: Tensor, num_classes: int) -> Statistic:
    """`score` as a statistic to be resampled."""
    return lambda weights: score(class_counts(predicted, targets, num_classes, weights))


class Counted:
    """`score` of the counts of the most probable classes."""

    def __init__(self, num_classes: int, score: CountScore):
        self.score = score
        self.counts = ClassCounts(*torch.zeros(3, num_classes, dtype=torch.float64))

    def update(self, prediction: Tensor, batch: Batch) -> None:
        predicted, targets = prediction.argmax(dim=1).cpu(), batch.targets.cpu()
        self.counts = self.counts.plus(counts_once(predicted, targets, len(self.counts.true)))

    def merge(self, other: Counted) -> None:
        self.counts = self.counts.plus(other.counts)

    def result(self) -> float | Tensor:
        score = self.score(self.counts)
        return float(score) if score.ndim == 0 else score


# Confusion: how many pictures of each class were taken for each class.


class Confusion:
    """Counts [K,K] int64: a row a true class, a column a predicted class."""

    def __init__(self, num_classes: int):
        self.counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, prediction: Tensor, batch: Batch) -> None:
        num_classes = len(self.counts)
        cells = (batch.targets * num_classes + prediction.argmax(dim=1)).cpu()
        self.counts += torch.bincount(cells, minlength=num_classes**2).view(num_classes, -1)

    def merge(self, other: Confusion) -> None:
        self.counts += other.counts

    def result(self) -> Tensor:
        return self.counts


# Cohen's kappa: agreement beyond what the class sizes alone would give.
#
# Cohen 1960, A coefficient of agreement for nominal scales.


def kappa(counts: ClassCounts) -> Tensor:
    """1 at full agreement, 0 at chance; NaN if all is of one class and named so.  [...,K] -> [...]

    In whole numbers until the division: exact up to 94 million pictures.
    """
    n, right = counts.n, counts.right.sum(dim=-1)
    expected = (counts.true * counts.named).sum(dim=-1)
    return (n * right - expected) / (n * n - expected)


# Matthews' correlation coefficient of true and named classes.
#
# Gorodkin 2004, Comparing two K-category assignments by a K-category correlation coefficient.


def matthews(counts: ClassCounts) -> Tensor:
    """1 at full agreement, 0 if one side is constant (its limit: Chicco & Jurman 2020).

    NaN if all is of one class and named so, where scikit-learn says 0.  [...,K] -> [...]
    """
    n, right = counts.n, counts.right.sum(dim=-1)
    together = n * right - (counts.true * counts.named).sum(dim=-1)
    spread = (n * n - counts.true.square().sum(dim=-1)) * (
        n * n - counts.named.square().sum(dim=-1)
    )
    value = torch.where(spread > 0, together / spread.sqrt(), 0.0)
    return torch.where((spread == 0) & (right == n), torch.nan, value)


# Precision, recall and F1 of each class, and their macro and weighted means.
#
# van Rijsbergen 1979, Information Retrieval, chapter 7.  A class that has no such number has NaN.


def precision(counts: ClassCounts) -> Tensor:
    """Of the pictures taken for a class, the share that is of it.  [...,K]"""
    return counts.right / counts.named


def recall(counts: ClassCounts) -> Tensor:
    """Of the pictures of a class, the share taken for it.  [...,K]"""
    return counts.right / counts.true


def f1(counts: ClassCounts) -> Tensor:
    """The harmonic mean of both, as 2 right / (true + named).  [...,K]"""
    return 2 * counts.right / (counts.true + counts.named)


class Macro:
    """The mean over the classes that appear, as true or as named; an undefined number counts 0.

    So says scikit-learn with `zero_division=0`: a class never named lowers macro precision.
    """

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        appears = (counts.true + counts.named) > 0
        total = torch.where(appears, self.score(counts), 0.0).nan_to_num(0.0).sum(dim=-1)
        return total / appears.sum(dim=-1)


class Weighted:
    """The mean over classes by their number of pictures; an undefined number counts 0."""

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        return (self.score(counts).nan_to_num(0.0) * counts.true).sum(dim=-1) / counts.n


# Balanced accuracy: the mean recall, every class alike however many pictures it has.
#
# Brodersen 2010, The balanced accuracy and its posterior distribution.


UNEQUAL = 1.5  # times the pictures of the smallest class; above, accuracy and this part visibly


def balanced_accuracy(counts: ClassCounts) -> Tensor:
    """The mean recall of the classes that have pictures; guessing gives 1/K.  [...,K] -> [...]"""
    return recall(counts).nanmean(dim=-1)


def balanced_accuracy_interval(counts: ClassCounts, confidence: float = 0.95) -> Interval:
    """From the Wilson intervals of the recalls: never without width, even when all is right."""
    there = counts.true > 0
    shares = recall(counts)[there].tolist()
    pairs = zip(counts.right[there].tolist(), counts.true[there].tolist(), strict=True)
    intervals = [wilson(right, int(n), confidence) for right, n in pairs]
    return linear(shares, intervals, [1 / len(shares)] * len(shares))


def unequal(counts: ClassCounts) -> bool:
    """Whether the classes differ so much in size that balanced accuracy is to be named first."""
    there = counts.true[counts.true > 0]
    return bool(len(there) and there.max() > UNEQUAL * there.min())


# Subset accuracy: the share of pictures of which every label is right.
#
# Zhu 2005, Multi-labelled classification using maximum entropy method.


def exact_matches(probabilities: Tensor, targets: Tensor) -> Tensor:
    """1 where the labels of at least one half are just the true ones.  [N,K], [N,K] -> [N]"""
    return ((probabilities >= 0.5) == (targets > 0.5)).all(dim=1)


# Label counts: class counts where a picture has any number of labels.


class LabelCounted:
    """`score` of the counts of labels given with a probability of at least `threshold`.

    `f1` gives F1 per label, `Macro(f1)` its mean over the labels that appear.
    """

    def __init__(self, num_labels: int, score: CountScore, threshold: float = 0.5):
        self.score = score
        self.threshold = threshold
        self.counts = ClassCounts(*torch.zeros(3, num_labels, dtype=torch.float64))

    def update(self, prediction: Tensor, batch: Batch) -> None:
        named, true = prediction.cpu() >= self.threshold, batch.targets.cpu() > 0.5
        parts = (part.sum(dim=0).double() for part in (named & true, true, named))
        self.counts = self.counts.plus(ClassCounts(*parts))

    def merge(self, other: LabelCounted) -> None:
        self.counts = self.counts.plus(other.counts)

    def result(self) -> float | Tensor:
        score = self.score(self.counts)
        return float(score) if score.ndim == 0 else score


# Membership: which classes a picture is of, whether it has one class or any number of labels.


def membership(targets: Tensor, num_classes: int) -> Tensor:
    """[N] int64 class positions, or [N,K] labels of 0 and 1 -> [N,K] bool"""
    if targets.ndim == 2:
        return targets > 0.5
    return targets[:, None] == torch.arange(num_classes, device=targets.device)


# Baselines: what a network gets that does not look at the picture.


class Baseline(NamedTuple):
    """Scores that stand beside those of a network."""

    majority: float  # accuracy of always naming the largest class
    chance: float  # accuracy of drawing each of the K classes alike, 1 / K
    balanced: float  # balanced accuracy of either, 1 / (classes that have pictures)
    log_loss: float  # nats, of giving each class its share: the entropy of the class sizes


def baseline(counts: ClassCounts) -> Baseline:
    """The baselines on the pictures that were counted."""
    there = counts.true[counts.true > 0]
    shares = there / counts.n
    return Baseline(
        majority=float(shares.max()),
        chance=1 / len(counts.true),
        balanced=1 / len(there),
        log_loss=float(-(shares * shares.log()).sum()),
    )
