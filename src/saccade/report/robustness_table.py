"""Robustness: what was measured under corruptions, as a table of corruption by severity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from saccade.data.corrupt.catalogue import meaning
from saccade.data.corrupt.strength import SEVERITIES
from saccade.engine.robustness import Measurement
from saccade.metrics.interval import span
from saccade.metrics.measured import Number
from saccade.report.page import Html, element, folded, join, sentence, table, unbroken


@dataclass(frozen=True, repr=False)
class Robustness:
    """One number of a network, on pictures as they are and under corruptions."""

    clean: Number
    corrupted: dict[str, tuple[Number, ...]]  # by name, severities 1 to 5

    @classmethod
    def of(cls, measurements: Iterable[Measurement]) -> Robustness:
        first, *others = measurements
        found: dict[str, tuple[Number, ...]] = {}
        for one in others:
            found[one.corruption] = (*found.get(one.corruption, ()), one.number)
        return cls(first.number, found)

    def mean(self, name: str) -> float:
        """Over the five severities."""
        return fmean(number.value for number in self.corrupted[name])

    def worst(self) -> str:
        """The corruption with the lowest mean."""
        return min(self.corrupted, key=self.mean)

    def to_dict(self) -> dict[str, Any]:
        return {
            "clean": asdict(self.clean),
            "corruptions": {
                name: {"mean": self.mean(name), "severities": [asdict(n) for n in numbers]}
                for name, numbers in self.corrupted.items()
            },
        }

    def verdict(self) -> str:
        """In words."""
        if not self.corrupted:
            return f"{self.clean.name}: {self.clean}"
        name = self.worst()
        words = f"{self.clean.name}: {self.clean} on pictures as they are"
        worst = _written(self.mean(name), self.clean.unit)
        return f"{words}; {worst} on average of five severities of {name}, the hardest here"

    def rows(self) -> list[tuple[str, ...]]:
        """Name, a number with its interval for each severity, their mean; a head before."""
        head = ("corruption", *(f"severity {k}" for k in SEVERITIES), "mean")
        lines = [
            (name, *(_cell(number) for number in numbers), _bare(self.mean(name), self.clean.unit))
            for name, numbers in self.corrupted.items()
        ]
        return [head, *lines]

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[k]) for row in rows) + 2 for k in range(len(rows[0]))]
        lines = [
            row[0].ljust(widths[0]) + "".join(c.rjust(w) for c, w in zip(row[1:], widths[1:]))
            for row in rows
        ]
        return "\n".join([self.verdict(), "", *lines])

    def __repr__(self) -> str:
        return f"Robustness({self.verdict()})"

    def section(self) -> Html:
        """The table for a report."""
        head, *lines = self.rows()
        unit = f", {self.clean.unit}" if self.clean.unit else ""
        words = (
            "A line is one change made to every picture, from hardly seen (severity 1) to strong "
            "(5). Each number is of the same pictures, its 95 % interval in brackets. Strengths "
            "are those of Hendrycks 2019, by the size of the pictures; the shifts are our own."
        )
        verdict = element("p", sentence(self.verdict()))
        lines = [tuple(map(unbroken, line)) for line in lines]
        numbers = table(head, lines, caption=f"{self.clean.name}{unit}")
        meant = table(("corruption", "what is done to a picture"), self._meanings())
        note = element("p", words, class_="note")
        return join([verdict, numbers, note, folded("What each of them does", meant)])

    def _meanings(self) -> list[tuple[str, str]]:
        return [(name, meaning(name)) for name in self.corrupted]

    def _repr_html_(self) -> str:
        return str(self.section())


def _cell(number: Number) -> str:
    if number.interval is None:
        return _bare(number.value, number.unit)
    ends = span(*(_bare(end, number.unit) for end in number.interval))
    return f"{_bare(number.value, number.unit)} ({ends})"


def _bare(value: float, unit: str) -> str:
    return f"{100 * value:.0f}" if unit == "%" else f"{value:.3g}"


def _written(value: float, unit: str) -> str:
    return f"{_bare(value, unit)} {unit}".strip()
