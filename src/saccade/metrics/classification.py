"""What a classifier of one class a picture is worth, every number with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Resampling, Statistic, Wanted, mean_of, mean_over, with_spread
from saccade.metrics.calibration import adaptive_error, brier_scores, equal_width, log_losses
from saccade.metrics.counts import (
    ClassCounts,
    CountScore,
    Macro,
    Weighted,
    balanced_accuracy,
    balanced_accuracy_interval,
    baseline,
    counted,
    counts_once,
    f1,
    from_confusion,
    kappa,
    matthews,
    precision,
    unequal,
)
from saccade.metrics.intervals import Interval, f1_interval, wilson
from saccade.metrics.metric import ClassNumbers, Measured, Number
from saccade.metrics.ranking import average_precision, roc_area

MOST = 500_000  # pictures times classes beyond which what sorts every class is left out: minutes
BINS = 15  # of the calibration error
ERRORS = ("calibration error", "adaptive calibration error")
Area = Callable[[Tensor, Tensor], Statistic]


def classes_measured(
    probabilities: Tensor,
    targets: Tensor,
    classes: Sequence[str],
    groups: Tensor | None = None,
    seed: int = 0,
) -> Measured:
    """All numbers of `probabilities` [N,K] about `targets` [N] int64.

    With `groups` [N] int64, pictures that belong together, every interval draws whole groups.
    """
    n, named = len(targets), probabilities.argmax(dim=1)
    cells = torch.bincount(targets * len(classes) + named, minlength=len(classes) ** 2)
    confusion = cells.view(len(classes), -1)
    counts = from_confusion(confusion)
    wanted = [
        *_shares(probabilities, named, targets, counts),
        *_scores(named, targets, counts),
        *_distances(probabilities, named, targets, counts),
        *_areas(probabilities, targets, counts),
    ]
    numbers = _in_order(wanted, counts, Resampling(n, targets, groups, seed))
    rows = zip(classes, counts.right.tolist(), counts.true.tolist(), counts.named.tolist())
    table = tuple(class_numbers(name, *map(int, row)) for name, *row in rows)
    return Measured(n, tuple(numbers), table, tuple(map(tuple, confusion.tolist())))


def leading_class_number(
    probabilities: Tensor, targets: Tensor, groups: Tensor | None = None
) -> Number:
    """The first of these numbers: accuracy, or balanced accuracy of unequal classes."""
    named, classes = probabilities.argmax(dim=1), probabilities.shape[1]
    counts = counts_once(named, targets, classes)
    wanted = _shares(probabilities, named, targets, counts)
    return _in_order(wanted, counts, Resampling(len(targets), targets, groups))[0]


def _in_order(
    wanted: Sequence[Wanted], counts: ClassCounts, resampling: Resampling
) -> list[Number]:
    """The numbers with their intervals, the one to name first in front."""
    numbers = [_turned(number) for number in with_spread(wanted, resampling)]
    if resampling.groups is None:
        numbers = [_exact(number, counts) for number in numbers]
    if unequal(counts):
        numbers[:2] = numbers[1], numbers[0]
    return numbers


def _shares(
    probabilities: Tensor, named: Tensor, targets: Tensor, counts: ClassCounts
) -> list[Wanted]:
    """Accuracy, balanced accuracy and, where it is not always 1, top-5 accuracy."""
    guess, classes = baseline(counts), len(counts.true)
    balanced = counted(balanced_accuracy, named, targets, classes)
    shares = [
        Wanted("accuracy", mean_of(named == targets), "%", guess.majority),
        Wanted("balanced accuracy", balanced, "%", guess.balanced),
    ]
    if classes > 5:
        order = probabilities.sort(dim=1, descending=True, stable=True).indices[:, :5]
        right = (order == targets[:, None]).any(dim=1)
        largest = counts.true.topk(5).values.sum() / counts.n
        shares.append(Wanted("top-5 accuracy", mean_of(right), "%", float(largest)))
    return shares


def _scores(named: Tensor, targets: Tensor, counts: ClassCounts) -> list[Wanted]:
    """What needs no more than counts; the baseline names the largest class."""
    constant = torch.full_like(targets, int(counts.true.argmax()))
    unseen = counts_once(constant, targets, len(counts.true))

    def wanted(name: str, score: CountScore, unit: str) -> Wanted:
        statistic = counted(score, named, targets, len(counts.true))
        return Wanted(name, statistic, unit, float(score(unseen)))

    return [
        wanted("macro precision", Macro(precision), "%"),
        wanted("macro F1", Macro(f1), "%"),
        wanted("weighted F1", Weighted(f1), "%"),
        wanted("kappa", kappa, ""),
        wanted("Matthews", matthews, ""),
    ]


def _distances(
    probabilities: Tensor, named: Tensor, targets: Tensor, counts: ClassCounts
) -> list[Wanted]:
    """How far the probabilities are from the truth; the baseline gives each class its share."""
    spread = 1 - float((counts.true / counts.n).square().sum())
    losses, squares = log_losses(probabilities, targets), brier_scores(probabilities, targets)
    return [
        Wanted("log loss", mean_of(losses), "nats", baseline(counts).log_loss),
        Wanted("Brier score", mean_of(squares), "", spread),
        Wanted(ERRORS[0], _gap(probabilities, named == targets), "%"),
        *_adaptive(probabilities, targets),
    ]


def _gap(probabilities: Tensor, right: Tensor) -> Statistic:
    """The expected calibration error as a statistic."""
    confidences, ends = probabilities.amax(dim=1), equal_width(BINS)
    place = torch.bucketize(confidences, ends[1:-1].to(confidences.dtype))
    gaps = confidences.double() - right.double()

    def statistic(weights: Tensor) -> Tensor:
        sums = weights.new_zeros(len(weights), BINS).index_add_(1, place, weights * gaps)
        return sums.abs().sum(dim=1) / weights.sum(dim=1)

    return statistic


def _adaptive(probabilities: Tensor, targets: Tensor) -> list[Wanted]:
    """The adaptive calibration error, where its sorting is not too much."""
    if probabilities.numel() > MOST:
        return []
    return [Wanted(ERRORS[1], adaptive_error(probabilities, targets), "%")]


def _areas(probabilities: Tensor, targets: Tensor, counts: ClassCounts) -> list[Wanted]:
    """Means over the classes that have pictures of areas, each class against all others."""
    if probabilities.numel() > MOST:
        return []
    there = (counts.true > 0).nonzero()[:, 0].tolist()

    def mean(area: Area) -> Statistic:
        return mean_over([area(probabilities[:, k], targets == k) for k in there])

    share = float((counts.true[there] / counts.n).mean())
    return [
        Wanted("ROC area", mean(roc_area), "", 0.5),
        Wanted("average precision", mean(average_precision), "", share),
    ]


def _turned(number: Number) -> Number:
    """Errors of calibration with the basic interval (Davison & Hinkley 1997, 5.2.1).

    Drawing pictures again makes them larger, often all replicates larger than the number; what
    these exceed it by is taken off.  The interval is stretched to hold the number.
    """
    if number.name not in ERRORS or number.interval is None:
        return number
    (low, high), twice = number.interval, 2 * number.value
    turned = Interval(max(0.0, twice - high), max(number.value, twice - low))
    return number.with_interval(turned, f"basic {number.method}")


def _exact(number: Number, counts: ClassCounts) -> Number:
    """Shares of single pictures with an interval that keeps its width when nothing is wrong."""
    if number.name in ("accuracy", "top-5 accuracy"):
        return number.with_interval(wilson(round(number.value * number.n), number.n), "Wilson")
    if number.name == "balanced accuracy":
        return number.with_interval(balanced_accuracy_interval(counts), "of Wilson's by class")
    return number


def class_numbers(name: str, right: int, true: int, named: int) -> ClassNumbers:
    """Precision, recall and F1 of one class or label; what has no pictures is NaN."""

    def share(what: str, n: int) -> Number:
        value = right / n if n else float("nan")
        return Number(what, value, n, wilson(right, n) if n else None, "%", None, "Wilson")

    both = true + named
    value = 2 * right / both if both else float("nan")
    interval = f1_interval(right, true, named) if both else None
    score = Number("F1", value, both - right, interval, "%", None, "Wilson of the overlap")
    return ClassNumbers(
        name, true, named, right, share("precision", named), share("recall", true), score
    )


# What a network is worth that gives a picture any number of labels.


def label_losses(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Of each picture the mean over labels of -log of the probability of what is true, in nats.

    [N,K], [N,K] -> [N] float64
    """
    given = torch.where(targets > 0.5, probabilities, 1 - probabilities)
    return -given.double().clamp_min(2.0**-149).log().mean(dim=1)


def labels_measured(
    probabilities: Tensor,
    targets: Tensor,
    labels: Sequence[str],
    thresholds: Tensor,
    groups: Tensor | None = None,
    seed: int = 0,
) -> Measured:
    """All numbers of `probabilities` [N,K] about `targets` [N,K] of 0 and 1.

    A label is given where its probability is at least its threshold, [K].
    """
    n, named, true = len(targets), probabilities >= thresholds, targets > 0.5
    exact = (named == true).all(dim=1)
    constant = (true.double().mean(dim=0) >= 0.5).expand_as(true)  # each label as mostly is
    shares = true.double().mean(dim=0)
    entropy = float(-(shares.xlogy(shares) + (1 - shares).xlogy(1 - shares)).mean())
    prior = float(shares[shares > 0].mean())
    mostly_right = float((constant == true).all(dim=1).double().mean())
    precisions = mean_of_labels(average_precision, probabilities, true)
    wanted = [
        Wanted("mean average precision", precisions, "%", prior),
        Wanted("macro F1", _of_counts(Macro(f1), named, true), "%", _all_given(Macro(f1), true)),
        Wanted("micro F1", _of_counts(pooled_f1, named, true), "%", _all_given(pooled_f1, true)),
        Wanted("all labels right", mean_of(exact), "%", mostly_right),
        Wanted("ROC area", mean_of_labels(roc_area, probabilities, true), "", 0.5),
        Wanted("log loss", mean_of(label_losses(probabilities, targets)), "nats", entropy),
    ]
    numbers = [
        _exact_of_labels(number, int(exact.sum()), groups)
        for number in with_spread(wanted, Resampling(n, None, groups, seed))
    ]
    counts = zip((named & true).sum(0).tolist(), true.sum(0).tolist(), named.sum(0).tolist())
    table = tuple(class_numbers(name, *row) for name, row in zip(labels, counts, strict=True))
    return Measured(n, tuple(numbers), table)


def pooled_f1(counts: ClassCounts) -> Tensor:
    """F1 of all labels of all pictures in one pot.  [...,K] -> [...]"""
    right, true, named = (part.sum(dim=-1) for part in counts)
    return 2 * right / (true + named)


def _of_counts(score: CountScore, named: Tensor, true: Tensor) -> Statistic:
    """`score` of the counts of labels [N,K] as a statistic."""
    parts = [part.double() for part in (named & true, true, named)]
    return lambda weights: score(ClassCounts(*(weights @ part for part in parts)))


def _all_given(score: CountScore, true: Tensor) -> float:
    """The score of giving every picture every label."""
    once = torch.ones(1, len(true), dtype=torch.float64)
    return float(_of_counts(score, torch.ones_like(true), true)(once)[0])


def mean_of_labels(area: Area, probabilities: Tensor, true: Tensor) -> Statistic:
    """The mean over the labels that have a picture; NaN where none has."""
    there = true.any(dim=0).nonzero()[:, 0].tolist()
    if not there:
        return lambda weights: weights.new_full((len(weights),), torch.nan)
    return mean_over([area(probabilities[:, k], true[:, k]) for k in there])


def _exact_of_labels(number: Number, right: int, groups: Tensor | None) -> Number:
    if number.name != "all labels right" or groups is not None:
        return number
    return number.with_interval(wilson(right, number.n), "Wilson")


# Thresholds: from which probability on a label is best given.


FEW = 5  # pictures of a label below which nothing is fitted


def best_f1_thresholds(probabilities: Tensor, targets: Tensor) -> list[float]:
    """For each label the threshold of the highest F1 on validation pictures, midway between two.

    Lipton 2014, "Optimal thresholding of classifiers to maximize F1 measure".  One half for a label
    with fewer than five pictures.  [N,K], [N,K] of 0 and 1 -> K
    """
    return [_best(p, truth > 0.5) for p, truth in zip(probabilities.T, targets.T, strict=True)]


def _best(probabilities: Tensor, true: Tensor) -> float:
    if int(true.sum()) < FEW:
        return 0.5
    values, place = probabilities.double().unique(return_inverse=True)
    hits = torch.zeros_like(values).index_add_(0, place, true.double()).flip(0).cumsum(0)
    named = torch.bincount(place).flip(0).cumsum(0)
    best = int((2 * hits / (named + true.sum())).argmax())
    falling = values.flip(0)
    below = falling[best + 1] if best + 1 < len(falling) else falling.new_zeros(())
    return float((falling[best] + below) / 2)
