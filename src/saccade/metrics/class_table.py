"""Precision, recall and F1 of each class or label, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from saccade.metrics.intervals import Interval
from saccade.metrics.measure import with_spread
from saccade.metrics.metric import ClassMetrics, MetricValue, Quantity
from saccade.metrics.sample import Sample


def class_rows(
    names: tuple[str, ...], answers: Tensor, targets: Tensor, groups: Tensor | None
) -> tuple[ClassMetrics, ...]:
    """The table of single-label classes.  answers, targets [N] int64, groups [N] int64"""
    classes = range(len(names))
    return _table(names, ((targets == k, answers == k) for k in classes), groups)


def label_rows(
    names: tuple[str, ...], answers: Tensor, targets: Tensor, groups: Tensor | None
) -> tuple[ClassMetrics, ...]:
    """The table of labels.  answers, targets [N,K] bool, groups [N] int64"""
    return _table(names, zip(targets.T, answers.T, strict=True), groups)


def _table(
    names: tuple[str, ...], columns: Iterator[tuple[Tensor, Tensor]], groups: Tensor | None
) -> tuple[ClassMetrics, ...]:
    return tuple(
        class_metrics(name, own, predicted, groups)
        for name, (own, predicted) in zip(names, columns, strict=True)
    )


def class_metrics(
    name: str, own: Tensor, predicted: Tensor, groups: Tensor | None = None
) -> ClassMetrics:
    """Precision, recall and F1 of one class or label; NaN without images.

    own, predicted [N] bool: whether an image is of the class, and predicted as it
    """
    both = own & predicted
    overlap = _share("F1", both, own | predicted, groups)
    support, named, right = (int(images.sum()) for images in (own, predicted, both))
    f1 = 2 * right / (support + named) if support + named else float("nan")
    rates = _share("precision", both, predicted, groups), _share("recall", both, own, groups)
    return ClassMetrics(name, support, named, right, *rates, _as_f1(f1, overlap))


def _share(name: str, right: Tensor, images: Tensor, groups: Tensor | None) -> MetricValue:
    """The share of `images` that are `right`, with its interval.  [N] bool each"""
    place = images.nonzero()[:, 0]
    if not len(place):
        return MetricValue(name, float("nan"), 0, None, "%")
    quantity = Quantity.proportion(name, right[place])
    assert quantity.interval is not None
    sample = Sample(len(place), None if groups is None else groups[place])
    return with_spread(quantity, quantity.interval, sample)


def _as_f1(f1: float, overlap: MetricValue) -> MetricValue:
    """F1 as 2 J / (1 + J) of J, the share that is right of the images of the class or predicted so.

    In these images the right ones are binomial, so that the ends of J's interval are those of F1.
    """
    ends = overlap.interval
    interval = None if ends is None else Interval(*(2 * end / (1 + end) for end in ends))
    method = overlap.method and f"{overlap.method} of the overlap"
    return MetricValue(
        "F1", f1, overlap.n, interval, "%", None, method, overlap.reason, overlap.note
    )
