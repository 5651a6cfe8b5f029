"""What the verbs give back: small frozen objects that read well in a terminal and a notebook."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from saccade.augmentation.corrupt.optics import SEVERITIES
from saccade.data.item import Skipped
from saccade.metrics.intervals import Interval, interval_text
from saccade.metrics.metric import ClassMetrics, MetricReport, MetricValue, find_metric
from saccade.metrics.ranking import SelectedThreshold, Threshold
from saccade.tasks.catalogue import current_kind
from saccade.words import aligned, defined, html_table, percent, proportion

if TYPE_CHECKING:
    from saccade.engine.evaluate import CorruptionScore


@dataclass(frozen=True, repr=False)
class Robustness:
    """One number of a network, on images as they are and under corruptions."""

    clean: MetricValue
    corrupted: dict[str, tuple[MetricValue, ...]]  # by name, severities 1 to 5

    @classmethod
    def of(cls, measurements: Iterable[CorruptionScore]) -> Robustness:
        first, *others = measurements
        found: dict[str, tuple[MetricValue, ...]] = {}
        for one in others:
            found[one.corruption] = (*found.get(one.corruption, ()), one.metric)
        return cls(first.metric, found)

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
        words = f"{self.clean.name}: {self.clean} on images as they are"
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

    def _repr_html_(self) -> str:
        head, *lines = self.rows()
        return html_table(head, lines)


ASKED = ("slices", "robustness", "selected")  # what an evaluation holds only when asked to
METRIC_COLUMNS = ("name", "value", "low", "high", "n", "unit", "baseline", "method")
BRIEF = 3  # numbers that a training names at its end


@dataclass(frozen=True)
class Slice:
    """A part of the images, and the leading number of it."""

    name: str
    metric: MetricValue


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good a network is on images that it was not trained on; the first number leads."""

    split: str
    task: str  # the kind of its answers
    n: int  # images
    metrics: tuple[MetricValue, ...]
    per_class: tuple[ClassMetrics, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()  # a row a true class, a column a predicted one
    notes: tuple[str, ...] = ()
    unreadable: tuple[Skipped, ...] = ()  # images that could not be read
    slices: tuple[Slice, ...] = ()
    robustness: Robustness | None = None
    selected: SelectedThreshold | None = None  # from which confidence on there is an answer

    @classmethod
    def of(cls, split: str, task: str, measured: MetricReport) -> Evaluation:
        """What was measured, for people."""
        m = measured
        return cls(split, task, m.n, m.metrics, m.classes, m.confusion)

    @classmethod
    def read(cls, told: Mapping[str, Any], reported: tuple[Skipped, ...] = ()) -> Evaluation:
        """An evaluation as `to_dict` and JSON leave it."""
        return cls(
            split=told["split"],
            task=current_kind(told["task"]),
            n=told["n"],
            metrics=tuple(map(MetricValue.read, told["metrics"])),
            per_class=tuple(map(ClassMetrics.read, told["per_class"])),
            confusion=tuple(map(tuple, told["confusion"])),
            notes=tuple(told["notes"]),
            unreadable=reported,
        )

    def __getitem__(self, name: str) -> MetricValue:
        """The number of this name, such as "balanced accuracy"."""
        return find_metric(self.metrics, name)

    @property
    def primary(self) -> MetricValue:
        """The number to name first: balanced accuracy, say, where classes differ in size."""
        return self.metrics[0]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.per_class)

    @property
    def accuracy(self) -> float:
        """The share of images given their class."""
        return self["accuracy"].value

    @property
    def accuracy_interval(self) -> Interval | None:
        return self["accuracy"].interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is undefined is None, what was not asked for not there."""
        told = asdict(replace(self, robustness=None, selected=None))
        told["robustness"] = self.robustness and self.robustness.to_dict()
        told["selected"] = self.selected and self.selected.to_dict()
        return defined({k: v for k, v in told.items() if v or k not in ASKED})

    def to_csv(self) -> str:
        """A row a number: of all images, of each slice, under each corruption and severity."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["slice", "corruption", "severity", *METRIC_COLUMNS])
        for place, number in self._placed():
            low, high = number.interval or ("", "")
            about = (number.name, number.value, low, high, number.n, number.unit)
            without = "" if number.baseline is None else number.baseline
            writer.writerow([*place, *about, without, number.method])
        return out.getvalue().rstrip("\n")

    def _placed(self) -> Iterator[tuple[tuple[str, str, int], MetricValue]]:
        yield from ((("", "", 0), number) for number in self.metrics)
        yield from (((one.name, "", 0), one.metric) for one in self.slices)
        corrupted = self.robustness.corrupted if self.robustness else {}
        for name, numbers in corrupted.items():
            yield from ((("", name, k), number) for k, number in enumerate(numbers, 1))

    def rows(self, count: int | None = None) -> list[tuple[str, str]]:
        """Names and values of the first `count` numbers in words."""
        pairs = [(number, number.baseline_text()) for number in self.metrics[:count]]
        return [(n.name, f"{n}, baseline {text}" if text else f"{n}") for n, text in pairs]

    def __str__(self) -> str:
        first = [("split", self.split), *self.rows(), *(("note", n) for n in self.notes)]
        blocks = [aligned(first)]
        if self.slices:
            blocks.append(_in_slices(self.slices))
        if self.robustness:
            blocks.append(str(self.robustness))
        if self.selected:
            blocks.append(_answered(self.selected))
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        return f"Evaluation({self.split}: {self.primary.name} {self.primary})"

    def _repr_html_(self) -> str:
        return html_table(("split", self.split), self.rows())


def _in_slices(slices: Sequence[Slice]) -> str:
    """A line a slice, and which is the lowest."""
    words = aligned([(slices[0].metric.name, ""), *((s.name, str(s.metric)) for s in slices)])
    return f"{words}\n{lowest(slices)}".rstrip()


def lowest(slices: Sequence[Slice]) -> str:
    """Which slice is the lowest, where there are several, and what that means."""
    measured = [one for one in slices if not math.isnan(one.metric.value)]
    if len(measured) < 2:
        return ""
    last = min(measured, key=lambda one: one.metric.value)
    chance = f"of {len(measured)} slices one is lowest by chance alone: compare the intervals"
    return f"lowest: {last.name}; {chance}"


def threshold(selected: SelectedThreshold) -> str:
    """A threshold and what it is for."""
    wish = f"{selected.criterion} of {percent(selected.target)}"
    if not selected.on_validation.value:
        return f"a {wish} needs no threshold: every image gets an answer"
    return f"unknown below a confidence of {selected.on_validation.value:.4f}, for a {wish}"


def answered(there: Threshold) -> str:
    """How many images a threshold lets answer, and how many of the answers are right."""
    words = f"answers {proportion(there.coverage, there.coverage_interval, there.n)}"
    if math.isnan(there.precision):
        return words
    low, high = (f"{100 * end:.1f}" for end in there.precision_interval)
    return f"{words}, {percent(there.precision)} of them right ({low}–{high})"


def _answered(selected: SelectedThreshold) -> str:
    """What a threshold does where it was chosen, and elsewhere."""
    return "\n".join(
        [
            threshold(selected),
            f"chosen on validation: {answered(selected.on_validation)}",
            f"measured here:        {answered(selected.on_these)}",
        ]
    )


def _cell(number: MetricValue) -> str:
    if number.interval is None:
        return _bare(number.value, number.unit)
    ends = interval_text(*(_bare(end, number.unit) for end in number.interval))
    return f"{_bare(number.value, number.unit)} ({ends})"


def _bare(value: float, unit: str) -> str:
    return f"{100 * value:.0f}" if unit == "%" else f"{value:.3g}"


def _written(value: float, unit: str) -> str:
    return f"{_bare(value, unit)} {unit}".strip()
