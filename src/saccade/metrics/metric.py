"""Metric: how good predictions are, from rows that hold for each image what its numbers need.

A metric turns the predictions of a batch into rows.  All that is said of a network comes from the
rows of all images: the number that a training is watched by, every number with its interval
(`metrics.measure`), the same of a slice, `rows[places]`, and the difference of two networks on the
same images (`metrics.paired`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self, TypeVar

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic, mean_of
from saccade.metrics.intervals import Interval, interval_text, wilson


@dataclass(frozen=True)
class MetricValue:
    """A number about `n` images, its 95 % interval, and and the baseline to beat."""

    name: str
    value: float
    n: int
    interval: Interval | None  # None where nothing can be said of its spread
    unit: str = ""  # "%" for a share; "nats"; that of the measured quantity
    baseline: float | None = None
    method: str = ""  # of the interval: Wilson, bootstrap, ...

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self._written(self.value)} (n = {self.n:,})"
        ends = interval_text(*(self._written(end, bare=True) for end in self.interval))
        return f"{self._written(self.value)} ({ends}, n = {self.n:,})"

    def baseline_text(self) -> str:
        """The baseline for people, or nothing."""
        return "" if self.baseline is None else self._written(self.baseline)

    def _written(self, value: float, *, bare: bool = False) -> str:
        if math.isnan(value):
            return "undefined"
        if self.unit == "%":
            return f"{100 * value:.1f}" + ("" if bare else " %")
        digits = f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
        return digits if bare or not self.unit else f"{digits} {self.unit}"

    def with_interval(self, interval: Interval, method: str) -> MetricValue:
        return replace(self, interval=interval, method=method)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> MetricValue:
        """A number as `dataclasses.asdict` and JSON leave it."""
        interval = Interval(*told["interval"]) if told["interval"] else None
        value = math.nan if told["value"] is None else told["value"]  # JSON knows no NaN
        return cls(**{**told, "value": value, "interval": interval})


@dataclass(frozen=True)
class ClassMetrics:
    """How a network does on one class or label."""

    name: str
    support: int  # of the class
    predicted: int  # taken for it
    true_positives: int  # both
    precision: MetricValue
    recall: MetricValue
    f1: MetricValue

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> ClassMetrics:
        numbers = {name: MetricValue.read(told[name]) for name in ("precision", "recall", "f1")}
        return cls(**{**told, **numbers})


@dataclass(frozen=True)
class MetricReport:
    """Everything measured on one set of images; the first number is the one to name first."""

    n: int
    metrics: tuple[MetricValue, ...]
    classes: tuple[ClassMetrics, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()  # a row a true class, a column a predicted one

    def __getitem__(self, name: str) -> MetricValue:
        return find_metric(self.metrics, name)


def find_metric(numbers: Sequence[MetricValue], name: str) -> MetricValue:
    """The number of this name; raises `KeyError` naming those that there are."""
    for number in numbers:
        if number.name == name:
            return number
    raise KeyError(f"no metric is called '{name}'; there are {', '.join(n.name for n in numbers)}")


@dataclass(frozen=True)
class Score:
    """The number that a training is watched by, once an epoch."""

    name: str  # the column of log.jsonl is val_NAME
    rises: bool = True  # whether more is better
    unit: str = "%"  # "%" for a share; "" for a plain number

    def goodness(self, value: float) -> float:
        """`value`, with the sign with which more is better."""
        return value if self.rises else -value

    def written(self, value: float) -> str:
        return f"{100 * value:.1f} %" if self.unit == "%" else f"{value:.3f}"


@dataclass(frozen=True)
class Quantity:
    """A number of all rows, before its interval; what a bootstrap needs of it."""

    name: str
    statistic: Statistic
    unit: str = ""
    baseline: float | None = None
    interval: Interval | None = None  # by a formula, which holds where images count one by one
    method: str = ""  # of that interval
    correct: Tensor | None = None  # [N] bool, where the number is the share of these
    inflated: bool = False  # whether drawing images again makes it larger, as an error is

    @property
    def key(self) -> str:
        """The name as a column has it."""
        return self.name.lower().replace(" ", "_")

    @classmethod
    def proportion(cls, name: str, correct: Tensor, baseline: float | None = None) -> Quantity:
        """The share of images with `correct` [N] bool, with Wilson's interval."""
        interval = wilson(int(correct.sum()), len(correct))
        return cls(name, mean_of(correct), "%", baseline, interval, "Wilson", correct)


class Rows(Protocol):
    """What a metric keeps of N images, on the CPU: small, as all of a split are held in memory."""

    @property
    def losses(self) -> Tensor:
        """How wrong each prediction is.  [N] float64"""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, places: Tensor, /) -> Self:
        """The rows of some images, in this order.  [M] int64"""
        ...

    @classmethod
    def joined(cls, parts: Sequence[Self], /) -> Self:
        """The rows of several batches after each other."""
        ...


@dataclass(frozen=True)
class Predicted:
    """The rows of predictions that are small themselves: probabilities, or a number."""

    predictions: Tensor  # [N,...]
    answers: Tensor  # [N,...] what they come to: a class, labels, the number itself
    targets: Tensor  # [N,...]
    losses: Tensor  # [N] float64

    def __len__(self) -> int:
        return len(self.losses)

    def __getitem__(self, places: Tensor) -> Predicted:
        return Predicted(*(column[places] for column in vars(self).values()))

    @classmethod
    def joined(cls, parts: Sequence[Predicted]) -> Predicted:
        return cls(*(torch.cat(columns) for columns in zip(*(vars(p).values() for p in parts))))


R = TypeVar("R", bound=Rows)


class Metric(Protocol[R]):
    """How a kind of answers is measured.  Everything else follows from these."""

    score: ClassVar[Score]  # one of `quantities`
    compared: ClassVar[tuple[str, ...]]  # those of `quantities` by which two networks are compared

    def rows(self, predictions: Any, targets: Any) -> R:
        """What is kept of the predictions of a task for a batch of N images."""
        ...

    def read(self, table: Mapping[str, Sequence[str]]) -> R:
        """The rows that predictions.csv holds; columns of N cells by their titles.

        Raises `KeyError` or `ValueError` where it is damaged.
        """
        ...

    def correct(self, rows: R) -> Tensor | None:
        """Which answers are right, [N] bool; None where they are no more than near."""
        ...

    def strata(self, rows: R) -> Tensor | None:
        """Which images are drawn in the place of each other, [N] int64; None: any."""
        ...

    def quantities(self, rows: R) -> Iterator[Quantity]:
        """Every number, in order; the first is 1 at best, and the one to name first.

        None is worked out before it is asked for.
        """
        ...

    def measured(self, rows: R, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        """Every number with its interval, and the tables that there are.

        With `groups` [N] int64, images that belong together, intervals draw whole groups.
        """
        ...
