"""Metric: a number about predictions, gathered batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from saccade.data.batch import Batch
from saccade.metrics.intervals import Interval, span


class Metric(Protocol):
    """Sees every held-out picture once, in any order and in batches of any size."""

    def update(self, prediction: Tensor, batch: Batch) -> None:
        """Take in what a task predicted for `batch`."""
        ...

    def merge(self, other: Self) -> None:
        """Take in all that `other`, the same metric in another process, has seen."""
        ...

    def result(self) -> float | Tensor:
        """The number, or the table of numbers, over everything seen; NaN where undefined."""
        ...


# Measured: numbers with all that they have to be read with.


@dataclass(frozen=True)
class Number:
    """A number about `n` pictures, its 95 % interval, and what one gets without looking at them."""

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
        ends = span(*(self._written(end, bare=True) for end in self.interval))
        return f"{self._written(self.value)} ({ends}, n = {self.n:,})"

    def against(self) -> str:
        """The baseline in words, or nothing."""
        return "" if self.baseline is None else f"{self._written(self.baseline)} without looking"

    def _written(self, value: float, *, bare: bool = False) -> str:
        if math.isnan(value):
            return "undefined"
        if self.unit == "%":
            return f"{100 * value:.1f}" + ("" if bare else " %")
        digits = f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
        return digits if bare or not self.unit else f"{digits} {self.unit}"

    def with_interval(self, interval: Interval, method: str) -> Number:
        return replace(self, interval=interval, method=method)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Number:
        """A number as `dataclasses.asdict` and JSON leave it."""
        interval = Interval(*told["interval"]) if told["interval"] else None
        value = math.nan if told["value"] is None else told["value"]  # JSON knows no NaN
        return cls(**{**told, "value": value, "interval": interval})


@dataclass(frozen=True)
class ClassNumbers:
    """How a network does on one class or label."""

    name: str
    pictures: int  # of the class
    named: int  # taken for it
    right: int  # both
    precision: Number
    recall: Number
    f1: Number

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> ClassNumbers:
        numbers = {name: Number.read(told[name]) for name in ("precision", "recall", "f1")}
        return cls(**{**told, **numbers})


@dataclass(frozen=True)
class Measured:
    """Everything measured on one set of pictures; the first number is the one to name first."""

    n: int
    numbers: tuple[Number, ...]
    classes: tuple[ClassNumbers, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()  # a row a true class, a column a predicted one

    def __getitem__(self, name: str) -> Number:
        return find(self.numbers, name)


def find(numbers: Sequence[Number], name: str) -> Number:
    """The number of this name; raises `KeyError` naming those that there are."""
    for number in numbers:
        if number.name == name:
            return number
    raise KeyError(f"no number is called '{name}'; there are {', '.join(n.name for n in numbers)}")


# Averaged: the mean over pictures of a number that each picture has.


PictureScore = Callable[[Tensor, Tensor], Tensor]  # prediction [N,...], targets [N,...] -> [N]


class Averaged:
    """The mean of `score`, summed in float64."""

    def __init__(self, score: PictureScore):
        self.score = score
        self.total = 0.0
        self.n = 0

    def update(self, prediction: Tensor, batch: Batch) -> None:
        self.total += float(self.score(prediction.cpu(), batch.targets.cpu()).double().sum())
        self.n += len(batch)

    def merge(self, other: Averaged) -> None:
        self.total += other.total
        self.n += other.n

    def result(self) -> float:
        return self.total / self.n if self.n else float("nan")


# Remembered: a number that needs all predictions at once, as whatever goes by rank does.


WholeScore = Callable[[Tensor, Tensor], Tensor]  # all predictions, all targets -> [] or [K]


class Remembered:
    """`score` of everything seen, kept on the CPU."""

    def __init__(self, score: WholeScore):
        self.score = score
        self.predictions: list[Tensor] = []
        self.targets: list[Tensor] = []

    def update(self, prediction: Tensor, batch: Batch) -> None:
        self.predictions.append(prediction.cpu())
        self.targets.append(batch.targets.cpu())

    def merge(self, other: Remembered) -> None:
        self.predictions += other.predictions
        self.targets += other.targets

    def result(self) -> float | Tensor:
        if not self.predictions:
            return float("nan")
        score = self.score(torch.cat(self.predictions), torch.cat(self.targets))
        return float(score) if score.ndim == 0 else score
