"""Comparison: how several runs differ on the same images, and whether by more than chance."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from saccade.metrics.metric import MetricValue
from saccade.metrics.paired import Difference
from saccade.words import aligned, duration, html_table

LEVEL = 0.05  # p-values from here on are inside the noise
MAX_NAMED = 8  # images that are named in a terminal; --csv names all


@dataclass(frozen=True)
class ComparedRun:
    """One of the runs that are compared."""

    name: str  # its folder, as short as tells it apart
    path: str
    model: str
    seconds: float  # of its training
    numbers: tuple[MetricValue, ...]  # on the images that are compared; the first one leads


@dataclass(frozen=True)
class Pair:
    """Two runs; the first difference leads, its p-value raised where there are several pairs."""

    first: str
    second: str
    differences: tuple[Difference, ...]
    p: float  # of the leading difference, after Holm
    only_first: tuple[str, ...]  # images that only the first has right
    only_second: tuple[str, ...]

    @property
    def primary(self) -> Difference:
        return self.differences[0]

    @property
    def insignificant(self) -> bool:
        """Whether equally good networks differ so much more often than once in 20 times."""
        return self.p >= LEVEL

    def summary(self) -> str:
        """What the leading difference comes to, the better run less the other."""
        found = self.primary
        better, sign = (self.second, 1) if found.value >= 0 else (self.first, -1)
        ends = sorted(sign * end for end in found.interval or ())
        size = _points(abs(found.value), found.unit)
        span = f" ({_bare(ends[0], found.unit)} to {_bare(ends[1], found.unit)})" if ends else ""
        if self.insignificant:
            several = " of so many comparisons" if found.p < LEVEL else ""
            return f"the difference of {size}{span} is inside the noise{several}"
        return f"{better} is better by {size}{span}, more than noise"


@dataclass(frozen=True)
class ChangedPrediction:
    """An image that not all of the runs have right, or not all wrong."""

    name: str
    label: str
    predictions: tuple[str, ...]  # of each run
    correct: tuple[bool, ...]


@dataclass(frozen=True)
class DifferingSetting:
    """A setting that is not the same in all runs."""

    name: str
    values: tuple[str, ...]  # of each run


@dataclass(frozen=True, repr=False)
class Comparison:
    """Runs on the same test images: their numbers, every pair, who changed side, what differs."""

    task: str
    n: int  # images that are compared
    runs: tuple[ComparedRun, ...]
    pairs: tuple[Pair, ...]
    changed: tuple[ChangedPrediction, ...]
    settings: tuple[DifferingSetting, ...]
    notes: tuple[str, ...] = ()
    grouped: bool = False  # whether whole groups of images were drawn
    right_or_wrong: bool = True  # what answers are, but for numbers, which are only near

    def verdicts(self) -> list[str]:
        """A sentence a pair."""
        value = {side.name: str(side.numbers[0]).split(" (")[0] for side in self.runs}
        return [
            f"{p.first} {value[p.first]}, {p.second} {value[p.second]}: {p.summary()}"
            for p in self.pairs
        ]

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        rows = [("compared", f"{self.n:,} test images, {self.runs[0].numbers[0].name}")]
        rows += [("", verdict) for verdict in self.verdicts()]
        for side in self.runs:
            told = [f"{side.model}, trained in {duration(side.seconds)}"]
            told += [f"{number.name} {number}" for number in side.numbers]
            rows += zip([side.name, *[""] * (len(told) - 1)], told, strict=True)
        for pair in self.pairs:
            rows += self._of(pair)
        for setting in self.settings:
            pairs = zip(self.runs, setting.values, strict=True)
            rows.append((setting.name, ", ".join(f"{s.name}: {v}" for s, v in pairs)))
        return [*rows, *(("note", note) for note in self.notes)]

    def _of(self, pair: Pair) -> list[tuple[str, str]]:
        """How a pair differs, number by number, and the images that changed side."""
        told = [f"{d.name} {difference_text(d)}" for d in pair.differences]
        if len(self.pairs) > 1:
            told[0] += f"; {p_value(pair.p)} for {len(self.pairs)} pairs together (Holm)"
        head = [f"{pair.second} - {pair.first}", *[""] * (len(told) - 1)]
        rows = list(zip(head, told, strict=True))
        if not self.right_or_wrong:
            return rows
        for name, only in ((pair.first, pair.only_first), (pair.second, pair.only_second)):
            more = f", ... and {len(only) - MAX_NAMED} more" if len(only) > MAX_NAMED else ""
            listed = f": {', '.join(only[:MAX_NAMED])}{more}" if only else ""
            rows.append((f"only {name} right", f"{len(only)}{listed}"))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is undefined is None."""
        pairs = [asdict(p) | {"insignificant": p.insignificant} for p in self.pairs]
        return _plain(asdict(self) | {"pairs": pairs, "verdicts": self.verdicts()})

    def to_csv(self) -> str:
        """A row an image that changed side: what each run said, and whether that is right."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        titles = [t for side in self.runs for t in (side.name, f"{side.name} right")]
        writer.writerow(["name", "label", *titles])
        for one in self.changed:
            pairs = zip(one.predictions, one.correct, strict=True)
            cells = [cell for answer, right in pairs for cell in (answer, "yes" if right else "no")]
            writer.writerow([one.name, one.label, *cells])
        return out.getvalue().rstrip("\n")

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"Comparison({'; '.join(self.verdicts())})"

    def _repr_html_(self) -> str:
        return html_table(("compared", f"{self.n:,} test images"), self.rows()[1:])


def difference_text(found: Difference) -> str:
    """As '+0.4 points (-0.9 to 1.7), p = 0.56 (McNemar)'."""
    size = f"{found.value:+.{_digits(found.unit)}f}" if found.unit != "%" else ""
    size = size or f"{100 * found.value:+.1f}"
    unit = {"%": " points", "": ""}.get(found.unit, f" {found.unit}")
    span = ""
    if found.interval:
        span = " ({} to {})".format(*(_bare(end, found.unit) for end in found.interval))
    return f"{_minus(size)}{unit}{span}, {p_value(found.p)} ({found.method})"


def p_value(p: float) -> str:
    """As 'p = 0.56'."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _points(value: float, unit: str) -> str:
    return f"{_bare(value, unit)} points" if unit == "%" else f"{_bare(value, unit)} {unit}".strip()


def _bare(value: float, unit: str) -> str:
    return _minus(f"{100 * value:.1f}" if unit == "%" else f"{value:.{_digits(unit)}f}")


def _digits(unit: str) -> int:
    return 4 if unit == "nats" else 3


def _minus(text: str) -> str:
    """With a true minus sign, and none before a zero."""
    return text.lstrip("-+") if not float(text) else text.replace("-", "\u2212")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
