"""What a classifier of one class a picture is worth, every number with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from saccade.metrics.adaptive_calibration_error import adaptive_error
from saccade.metrics.average_precision import average_precision
from saccade.metrics.balanced_accuracy import (
    balanced_accuracy,
    balanced_accuracy_interval,
    unequal,
)
from saccade.metrics.baseline import baseline
from saccade.metrics.brier import brier_scores
from saccade.metrics.class_counts import (
    ClassCounts,
    CountScore,
    counted,
    counts_once,
    from_confusion,
)
from saccade.metrics.interval import Interval, f1_interval, wilson
from saccade.metrics.kappa import kappa
from saccade.metrics.log_loss import log_losses
from saccade.metrics.matthews import matthews
from saccade.metrics.measured import ClassNumbers, Measured, Number
from saccade.metrics.precision_recall import Macro, Weighted, f1, precision
from saccade.metrics.reliability import equal_width
from saccade.metrics.resampling import Resampling, Statistic, mean_of, mean_over
from saccade.metrics.roc_area import roc_area
from saccade.metrics.spread import Wanted, with_spread

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
