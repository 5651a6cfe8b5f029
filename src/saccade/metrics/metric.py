"""Metrics, computed from rows that hold what they need of each image.

A metric turns the predictions of a batch into rows.  Everything is computed from the rows of all
images: the score of an epoch, every metric with its interval (`metrics.measure`), the same of a
slice, `rows[indices]`, and the difference of two networks on the same images (`metrics.paired`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self, TypeVar

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic, mean_of
from saccade.metrics.interval_methods import IntervalMethod, Mean, Proportion
from saccade.metrics.intervals import Interval, interval_text
from saccade.metrics.ranking import Ranking
from saccade.words import number


@dataclass(frozen=True)
class MetricValue:
    """The value of a metric on `n` images, with its 95 % interval and its baseline."""

    name: str
    value: float
    n: int
    interval: Interval | None  # None where it cannot be told
    unit: str = ""  # "%" for a share, 0 to 1; "nats"; that of the predicted number
    baseline: float | None = None
    method: str = ""  # of the interval: Wilson, bootstrap, ...
    reason: str = ""  # why there is no interval
    note: str = ""  # what else is to be known of it

    def __str__(self) -> str:
        about = [f"n = {self.n:,}"]
        about += [f"no interval: {self.reason}"] if self.reason else []
        about += [self.note] if self.note else []
        if self.interval is not None:
            ends = interval_text(*(self._text(end, bare=True) for end in self.interval))
            about[0] = f"{ends}, {about[0]}"
        return f"{self._text(self.value)} ({'; '.join(about)})"

    def baseline_text(self) -> str:
        """The baseline as text; "" without one."""
        return "" if self.baseline is None else self._text(self.baseline)

    def _text(self, value: float, *, bare: bool = False) -> str:
        if math.isnan(value):
            return "undefined"
        if self.unit == "%":
            return f"{100 * value:z.1f}" + ("" if bare else " %")
        text = self._number(value)
        return text if bare or not self.unit else f"{text} {self.unit}"

    def _number(self, value: float) -> str:
        """The value with as many figures as show the two ends of the interval apart."""
        low, high = self.interval or (value, value)
        same = number(low) == number(high)
        if not (same and low < high and math.isfinite(high - low)):
            return number(value)
        figures = math.ceil(math.log10(max(abs(low), abs(high)) / (high - low))) + 1
        return f"{value:.{min(max(figures, 2), 15)}g}"

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> MetricValue:
        """A value from the fields of `dataclasses.asdict`, also after JSON."""
        interval = Interval(*fields["interval"]) if fields["interval"] else None
        value = math.nan if fields["value"] is None else fields["value"]  # JSON knows no NaN
        return cls(**{**fields, "value": value, "interval": interval})


@dataclass(frozen=True)
class ClassMetrics:
    """Precision, recall and F1 of one class or label."""

    name: str
    support: int  # images of the class
    predicted: int  # images predicted as it
    true_positives: int  # both
    precision: MetricValue
    recall: MetricValue
    f1: MetricValue

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> ClassMetrics:
        """From the fields of `dataclasses.asdict`, also after JSON."""
        numbers = {name: MetricValue.read(fields[name]) for name in ("precision", "recall", "f1")}
        return cls(**{**fields, **numbers})


@dataclass(frozen=True)
class MetricReport:
    """All metrics of one set of images; the first is the primary one."""

    n: int
    metrics: tuple[MetricValue, ...]
    classes: tuple[ClassMetrics, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()  # a row per true, a column per predicted class

    def __getitem__(self, name: str) -> MetricValue:
        return find_metric(self.metrics, name)


def find_metric(metrics: Sequence[MetricValue], name: str) -> MetricValue:
    """The metric of this name; raises `KeyError` that lists the names."""
    for metric in metrics:
        if metric.name == name:
            return metric
    raise KeyError(f"no metric is called '{name}'; there are {', '.join(n.name for n in metrics)}")


def told_once(metrics: Sequence[MetricValue]) -> tuple[list[MetricValue], str]:
    """The metrics without the reason that several of them have no interval for, and that reason."""
    counts = Counter(metric.reason for metric in metrics if metric.reason)
    reason, count = counts.most_common(1)[0] if counts else ("", 0)
    if count < 2:
        return list(metrics), ""
    return [replace(m, reason="") if m.reason == reason else m for m in metrics], reason


@dataclass(frozen=True)
class Score:
    """The metric that is computed once per epoch, for early stopping."""

    name: str  # the column of log.jsonl is val_NAME
    rises: bool = True  # whether more is better
    unit: str = "%"  # "%" for a share; "" for a plain number
    title: str = ""  # as people write the name, where that differs by more than underscores

    def __str__(self) -> str:
        return self.title or self.name.replace("_", " ")

    def goodness(self, value: float) -> float:
        """`value`, or its negative where lower is better."""
        return value if self.rises else -value

    def format(self, value: float) -> str:
        """A value as text, with its unit."""
        return f"{100 * value:z.1f} %" if self.unit == "%" else number(value)


def key(name: str) -> str:
    """The name of a metric as a key of the log: lower case with underscores."""
    return name.lower().replace(" ", "_")


MEAN = Mean()


@dataclass(frozen=True)
class Quantity:
    """A metric before it is computed: a statistic of the images, and the kind of its interval."""

    name: str
    statistic: Statistic
    interval: IntervalMethod | None = None  # None: the bootstrap, of what has no derivative
    unit: str = ""
    baseline: float | None = None
    strata: Tensor | None = None  # [N] int64: the classes that the metric averages over
    correct: Tensor | None = None  # [N] bool, where the metric is their mean
    parts: Tensor | None = None  # [N] float64, what each image adds, where it is a sum over images
    ranking: Ranking | None = None  # where it is an area

    @property
    def key(self) -> str:
        """The name as a key of the log."""
        return key(self.name)

    @classmethod
    def mean(
        cls,
        name: str,
        values: Tensor,
        unit: str = "",
        baseline: float | None = None,
        method: IntervalMethod = MEAN,
    ) -> Quantity:
        """The mean of a number of each image, of `values` [N]."""
        parts = values.double() / max(1, len(values))
        return cls(name, mean_of(values), method, unit, baseline, parts=parts)

    @classmethod
    def proportion(cls, name: str, correct: Tensor, baseline: float | None = None) -> Quantity:
        """The share of images with `correct` [N] bool."""
        method = Proportion(len(correct), plain=True)
        parts = correct.double() / max(1, len(correct))
        return cls(name, mean_of(correct), method, "%", baseline, correct=correct, parts=parts)


class Rows(Protocol):
    """The part of the predictions of N images that a metric needs, on the CPU.

    It is small, as the rows of a whole split are in memory.
    """

    @property
    def losses(self) -> Tensor:
        """The loss of each image.  -> [N] float64"""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Tensor, /) -> Self:
        """The rows of the images at these indices, in this order.  [M] int64"""
        ...

    @classmethod
    def joined(cls, parts: Sequence[Self], /) -> Self:
        """The rows of several batches, concatenated."""
        ...


@dataclass(frozen=True)
class Predicted:
    """Rows that hold the predictions themselves: probabilities, or a number."""

    predictions: Tensor  # [N,...]
    answers: Tensor  # [N,...] the predicted class, labels, or the number itself
    targets: Tensor  # [N,...]
    losses: Tensor  # [N] float64

    def __len__(self) -> int:
        return len(self.losses)

    def __getitem__(self, indices: Tensor) -> Predicted:
        return Predicted(*(column[indices] for column in vars(self).values()))

    @classmethod
    def joined(cls, parts: Sequence[Predicted]) -> Predicted:
        return cls(*(torch.cat(columns) for columns in zip(*(vars(p).values() for p in parts))))


R = TypeVar("R", bound=Rows)


class Metric(Protocol[R]):
    """The metrics of a kind of task, computed from rows."""

    score: ClassVar[Score]  # one of `quantities`
    compared: ClassVar[tuple[str, ...]]  # those of `quantities` for comparing two networks

    def rows(self, predictions: Any, targets: Any) -> R:
        """The rows of a batch of N images, from the task's predictions and targets."""
        ...

    def read(self, table: Mapping[str, Sequence[str]]) -> R:
        """The rows that predictions.csv holds; columns of N cells by their titles.

        Raises `KeyError` or `ValueError` where it is damaged.
        """
        ...

    def correct(self, rows: R) -> Tensor | None:
        """Whether each prediction is correct, [N] bool; None for regression."""
        ...

    def quantities(self, rows: R) -> Iterator[Quantity]:
        """All metrics in order, computed lazily; the first is the primary one, and 1 at best."""
        ...

    def report(self, rows: R, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        """All metrics with their intervals, and the tables by class.

        With `groups` [N] int64, images that belong together, the bootstrap draws whole groups.
        """
        ...
