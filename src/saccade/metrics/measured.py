"""Measured: numbers with all that they have to be read with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from saccade.metrics.interval import Interval, span


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
