"""How many labels are wrong, and which: from out-of-sample probabilities and the labels given.

Wrong labels do not care how clear an image is, mistakes of a classifier do: among the predictions
that it is surest of nearly all that differ from the label given differ because that is wrong.  So
the share of wrong labels is that of the surer half, and how labels are taken for one another is
seen there, too.  With it the probability of the true class follows from that of the given one, as
it was learned from wrong labels (Natarajan 2013, Learning with noisy labels; Patrini 2017, Making
deep neural networks robust to label noise: a loss correction approach), and of each label the
probability to be wrong.

Probabilities [N,K] have to be out-of-sample, from classifiers that were not trained on the image;
labels [N] int64 are those given, groups [N] int64 of images that belong together.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from saccade.metrics.intervals import Interval
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import Quantity
from saccade.metrics.sample import Sample
from saccade.metrics.selective import surest

HALF = 0.5  # of the predictions of each class: the surer ones
SHARES = (0.05, 0.1, 0.2, 0.35, HALF)  # that the lower end is the lowest of
FEWEST = 0.2  # of those the smallest that the upper end is of
FIGURES = 6  # of a probability
PRIOR = 30.0  # images of each class, spread as evenly over the others as all sure ones are


class ErrorRate(NamedTuple):
    """The share of labels that are wrong."""

    value: float
    interval: Interval | None  # 95 %; None for too few groups
    overlap: tuple[int, int] | None  # two classes that most sure ones differ by, if most do


def label_error_rate(
    probabilities: Tensor, labels: Tensor, groups: Tensor | None = None
) -> ErrorRate:
    """The share of wrong labels, and an interval.  [N,K], [N], [N]

    Its ends are the lowest and the highest of those of several shares of sure predictions.  Two
    classes that overlap are taken for one another with certainty, too, though no label is wrong: at
    the lower end the two that do so most do not count, where there are three or more.
    """
    parts = {share: _Sure.of(probabilities, labels, share) for share in SHARES}
    least = [_interval(part.apart & ~part.between, groups, part.images) for part in parts.values()]
    most = [_interval(p.apart, groups, p.images) for share, p in parts.items() if share >= FEWEST]
    half = parts[HALF]
    value = float(half.apart.double().mean())
    between = int((half.apart & half.between).sum())
    overlap = half.pair if 2 * between > int(half.apart.sum()) else None
    if most[-1] is None:
        return ErrorRate(value, None, overlap)
    low, high = min(e.low for e in least if e), max(e.high for e in most if e)
    return ErrorRate(value, Interval(min(low, value), max(high, value)), overlap)


class _Sure(NamedTuple):
    """The surest predictions of each class, M of them."""

    images: Tensor  # [N] bool, which they are
    apart: Tensor  # [M] bool, which differ from the labels
    pair: tuple[int, int] | None  # the two of three or more classes that most of these are of
    between: Tensor  # [M] bool, whether label and prediction are of these two

    @classmethod
    def of(cls, probabilities: Tensor, labels: Tensor, share: float) -> _Sure:
        """probabilities [N,K], labels [N] int64"""
        confidences, answers = probabilities.max(dim=1)
        images, k = surest(confidences, answers, share), probabilities.shape[1]
        answers, labels = answers[images], labels[images]
        apart = answers != labels
        counts = (answers[apart] * k + labels[apart]).bincount(minlength=k * k).view(k, k)
        if k < 3 or not apart.any():
            return cls(images, apart, None, torch.zeros_like(apart))
        first, second = divmod(int((counts + counts.T).triu(1).argmax()), k)
        classes = torch.tensor([first, second])
        between = torch.isin(answers, classes) & torch.isin(labels, classes)
        return cls(images, apart, (first, second), between)


def transitions(probabilities: Tensor, labels: Tensor) -> Tensor:
    """p(given label | true class), a row a true class, from the surer half.  -> [K,K] float64

    No row is without the prior, that the error rate of all is alike for each.
    """
    k = probabilities.shape[1]
    confidences, answers = probabilities.max(dim=1)
    sure = surest(confidences, answers, HALF)
    pairs = answers[sure] * k + labels[sure]
    counts = pairs.bincount(minlength=k * k).double().view(k, k)
    wrong = float(counts.sum() - counts.trace())
    rate = (wrong + 1) / (float(counts.sum()) + 2)
    prior = torch.full((k, k), rate / max(1, k - 1), dtype=torch.float64)
    prior.fill_diagonal_(1 - rate)
    counts += PRIOR * prior
    return counts / counts.sum(dim=1, keepdim=True)


def probability_wrong(probabilities: Tensor, labels: Tensor, given: Tensor) -> Tensor:
    """How probably each label is wrong, by `given` [K,K], the transitions.  -> [N] float64"""
    p = probabilities.double()
    true = torch.linalg.solve(given.T, p.T).T.clamp_min(0)
    true = true / true.sum(dim=1, keepdim=True)
    right = true.gather(1, labels[:, None])[:, 0] * given.diagonal()[labels]
    seen = (true @ given).gather(1, labels[:, None])[:, 0]
    return 1 - right / seen


def doubt(probabilities: Tensor, labels: Tensor, wrong: Tensor) -> Tensor:
    """What to rank labels by: how probably they are `wrong` [N], of equal ones the less probable.

    -> [N] float64, the highest first
    """
    given = probabilities.double().gather(1, labels[:, None])[:, 0]
    return wrong.round(decimals=FIGURES) - given * 10.0 ** -(FIGURES + 1)


def _interval(wrong: Tensor, groups: Tensor | None, images: Tensor) -> Interval | None:
    """That of the share of `wrong` [M] bool, of M of N `images` [N] bool; None for few groups."""
    units = None if groups is None else groups[images]
    if units is not None and len(units.unique()) == len(units):
        units = None
    (share,) = with_intervals([Quantity.proportion("wrong", wrong)], Sample(len(wrong), units))
    return share.interval
