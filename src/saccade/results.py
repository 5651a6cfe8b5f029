"""What the verbs give back: small frozen objects that read well in a terminal and a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from saccade.data.source import Skipped
from saccade.metrics.interval import Interval
from saccade.metrics.measured import ClassNumbers, Measured, Number, find

BRIEF = 3  # numbers that a training names at its end


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good a network is on pictures that it was not trained on; the first number leads."""

    split: str
    task: str  # classification, labelling or regression
    n: int  # pictures
    numbers: tuple[Number, ...]
    per_class: tuple[ClassNumbers, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()  # a row a true class, a column a predicted one
    notes: tuple[str, ...] = ()
    reported: tuple[Skipped, ...] = ()  # pictures that could not be read

    @classmethod
    def of(cls, split: str, task: str, measured: Measured) -> Evaluation:
        """What was measured, for people."""
        m = measured
        return cls(split, task, m.n, m.numbers, m.classes, m.confusion)

    @classmethod
    def read(cls, told: Mapping[str, Any], reported: tuple[Skipped, ...] = ()) -> Evaluation:
        """An evaluation as `to_dict` and JSON leave it."""
        return cls(
            split=told["split"],
            task=told["task"],
            n=told["n"],
            numbers=tuple(map(Number.read, told["numbers"])),
            per_class=tuple(map(ClassNumbers.read, told["per_class"])),
            confusion=tuple(map(tuple, told["confusion"])),
            notes=tuple(told["notes"]),
            reported=reported,
        )

    def __getitem__(self, name: str) -> Number:
        """The number of this name, such as "balanced accuracy"."""
        return find(self.numbers, name)

    @property
    def leading(self) -> Number:
        """The number to name first: balanced accuracy, say, where classes differ in size."""
        return self.numbers[0]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.per_class)

    @property
    def accuracy(self) -> float:
        """The share of pictures given their class."""
        return self["accuracy"].value

    @property
    def accuracy_interval(self) -> Interval | None:
        return self["accuracy"].interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is undefined is None."""
        return _defined(asdict(self))

    def rows(self, count: int | None = None) -> list[tuple[str, str]]:
        """Names and values of the first `count` numbers in words."""
        return [
            (number.name, f"{number}" + (f", {number.against()}" if number.against() else ""))
            for number in self.numbers[:count]
        ]

    def __str__(self) -> str:
        return aligned([("split", self.split), *self.rows(), *(("note", n) for n in self.notes)])

    def __repr__(self) -> str:
        return f"Evaluation({self.split}: {self.leading.name} {self.leading})"

    def _repr_html_(self) -> str:
        return html_table(("split", self.split), self.rows())


def _defined(value: Any) -> Any:
    """`value` with None for every number that is not one, as JSON knows no NaN."""
    if isinstance(value, Interval):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _defined(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_defined(part) for part in value)
    return None if isinstance(value, float) and math.isnan(value) else value


def percent(share: float) -> str:
    """0.9871 as '98.7 %'."""
    return f"{100 * share:.1f} %"


def proportion(share: float, interval: Interval, n: int) -> str:
    """A share with its interval and its n, as '98.7 % (96.8–99.5, n = 270)'."""
    return f"{percent(share)} ({100 * interval.low:.1f}–{100 * interval.high:.1f}, n = {n:,})"


def aligned(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values in two columns."""
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in rows)


def html_table(head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    """Two columns as an HTML table, everything escaped."""
    lines = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows)
    title = f"<tr><th>{escape(head[0])}</th><th>{escape(head[1])}</th></tr>"
    return f"<table><thead>{title}</thead><tbody>{lines}</tbody></table>"
