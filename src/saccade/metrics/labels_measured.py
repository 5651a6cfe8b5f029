"""What a network is worth that gives a picture any number of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from saccade.metrics.average_precision import average_precision
from saccade.metrics.class_counts import ClassCounts, CountScore
from saccade.metrics.classes_measured import class_numbers
from saccade.metrics.interval import wilson
from saccade.metrics.measured import Measured, Number
from saccade.metrics.precision_recall import Macro, f1
from saccade.metrics.resampling import Resampling, Statistic, mean_of, mean_over
from saccade.metrics.roc_area import roc_area
from saccade.metrics.spread import Wanted, with_spread

Area = Callable[[Tensor, Tensor], Statistic]


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
        _exact(number, int(exact.sum()), groups)
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


def _exact(number: Number, right: int, groups: Tensor | None) -> Number:
    if number.name != "all labels right" or groups is not None:
        return number
    return number.with_interval(wilson(right, number.n), "Wilson")
