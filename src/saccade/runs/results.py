"""Results of evaluations: frozen objects that print well in a terminal and a notebook."""

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
from saccade.frame import data_frame
from saccade.metrics.intervals import Interval, interval_text
from saccade.metrics.metric import ClassMetrics, MetricReport, MetricValue, find_metric, told_once
from saccade.metrics.selective import MeasuredSets, SelectedThreshold
from saccade.tasks.catalogue import current_kind
from saccade.words import LineFeeds, aligned, defined, html_table

if TYPE_CHECKING:
    from pandas import DataFrame

    from saccade.engine.evaluate import CorruptionScore


@dataclass(frozen=True, repr=False)
class Robustness:
    """The primary metric of a network, on clean images and under corruptions."""

    clean: MetricValue
    corrupted: dict[str, tuple[MetricValue, ...]]  # by name, severities 1 to 5

    @classmethod
    def of(cls, measurements: Iterable[CorruptionScore]) -> Robustness:
        """From the scores of `engine.evaluate.robustness`, the clean one first."""
        first, *others = measurements
        corrupted: dict[str, tuple[MetricValue, ...]] = {}
        for score in others:
            corrupted[score.corruption] = (*corrupted.get(score.corruption, ()), score.metric)
        return cls(first.metric, corrupted)

    def mean(self, name: str) -> float:
        """The mean over the five severities of a corruption."""
        return fmean(metric.value for metric in self.corrupted[name])

    def worst(self) -> str:
        """The corruption with the lowest mean, the first of several."""
        return min(self.corrupted, key=self.mean)

    def hardest(self) -> str:
        """A clause on the corruptions with the lowest mean; empty where none stands out."""
        lowest = self.mean(self.worst())
        names = [name for name in self.corrupted if self.mean(name) == lowest]
        if math.isnan(lowest) or len(names) == len(self.corrupted):
            return ""
        verb = "has" if len(names) == 1 else "have"
        of_all = f"of these {len(self.corrupted)} corruptions"
        return f"{of_all} {' and '.join(names)} {verb} the lowest mean"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "clean": asdict(self.clean),
            "corruptions": {
                name: {"mean": self.mean(name), "severities": [asdict(n) for n in metrics]}
                for name, metrics in self.corrupted.items()
            },
        }

    def verdict(self) -> str:
        """The metric on clean images and under the worst corruption, in a sentence."""
        if not self.corrupted:
            return f"{self.clean.name}: {self.clean}"
        name = self.worst()
        clean = f"{self.clean.name}: {self.clean} on images as they are"
        worst = _with_unit(self.mean(name), self.clean.unit)
        rank = f"; {told}" if (told := self.hardest()) else ""
        return f"{clean}; {worst} on average of five severities of {name}{rank}"

    def rows(self) -> list[tuple[str, ...]]:
        """Name, the metric with its interval at each severity, and the mean; a head before."""
        head = ("corruption", *(f"severity {k}" for k in SEVERITIES), "mean")
        lines = [
            (name, *(_cell(metric) for metric in metrics), _bare(self.mean(name), self.clean.unit))
            for name, metrics in self.corrupted.items()
        ]
        return [head, *lines]

    def __str__(self) -> str:
        return f"{self.verdict()}\n\n{aligned(self.rows(), left=1)}"

    def __repr__(self) -> str:
        return f"Robustness({self.verdict()})"

    def _repr_html_(self) -> str:
        head, *lines = self.rows()
        return html_table(head, lines)


OPTIONAL_FIELDS = (
    "slices",
    "robustness",
    "selected",
    "sets",
)  # of an evaluation; only when asked for
LOCATION_COLUMNS = ("slice", "corruption", "severity")
METRIC_COLUMNS = (
    *("name", "value", "low", "high", "n", "unit", "baseline", "method", "reason", "note"),
)
SUMMARY_METRICS = 3  # printed at the end of a training


@dataclass(frozen=True, repr=False)
class ConfusionMatrix:
    """How many images of each true class were predicted as which class."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]  # a row per true, a column per predicted class

    def to_frame(self) -> DataFrame:
        """A row per true class, a column per predicted one, under their names."""
        frame = data_frame(self.counts, self.classes, index=self.classes)
        return frame.rename_axis(index="true", columns="predicted")

    def rows(self) -> list[tuple[str, ...]]:
        """The counts under the names of the classes; a head before."""
        lines = [(name, *map(str, row)) for name, row in zip(self.classes, self.counts)]
        return [("", *self.classes), *lines]

    def __str__(self) -> str:
        return aligned(self.rows(), left=1)

    def __repr__(self) -> str:
        right = sum(row[k] for k, row in enumerate(self.counts))
        total = sum(map(sum, self.counts))
        return f"ConfusionMatrix({len(self.classes)} classes, {right:,} of {total:,} right)"

    def _repr_html_(self) -> str:
        head, *lines = self.rows()
        return html_table(head, lines)


@dataclass(frozen=True)
class Slice:
    """A subset of the images, and the primary metric on it."""

    name: str
    metric: MetricValue


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The metrics of a network on images that it was not trained on; the first is the primary."""

    split: str
    task: str  # its kind
    n: int  # images
    metrics: tuple[MetricValue, ...]
    per_class: tuple[ClassMetrics, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()  # a row per true, a column per predicted class
    notes: tuple[str, ...] = ()
    unreadable: tuple[Skipped, ...] = ()  # images that could not be read
    slices: tuple[Slice, ...] = ()
    robustness: Robustness | None = None
    selected: SelectedThreshold | None = None  # from which confidence on there is an answer
    sets: MeasuredSets | None = None  # of classes that hold the true one

    @classmethod
    def of(cls, split: str, task: str, report: MetricReport) -> Evaluation:
        """The evaluation of a metric report."""
        return cls(split, task, report.n, report.metrics, report.classes, report.confusion)

    @classmethod
    def read(cls, fields: Mapping[str, Any], unreadable: tuple[Skipped, ...] = ()) -> Evaluation:
        """An evaluation from the fields of `to_dict`, also after JSON."""
        return cls(
            split=fields["split"],
            task=current_kind(fields["task"]),
            n=fields["n"],
            metrics=tuple(map(MetricValue.read, fields["metrics"])),
            per_class=tuple(map(ClassMetrics.read, fields["per_class"])),
            confusion=tuple(map(tuple, fields["confusion"])),
            notes=tuple(fields["notes"]),
            unreadable=unreadable,
        )

    def __getitem__(self, name: str) -> MetricValue:
        """The metric of this name, such as "balanced accuracy"."""
        return find_metric(self.metrics, name)

    @property
    def primary(self) -> MetricValue:
        """The primary metric: accuracy, say, or balanced accuracy of imbalanced classes."""
        return self.metrics[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes or labels."""
        return tuple(row.name for row in self.per_class)

    @property
    def accuracy(self) -> float:
        """The share of images predicted as their class, 0 to 1."""
        return self["accuracy"].value

    @property
    def accuracy_interval(self) -> Interval | None:
        """The 95 % interval of the accuracy."""
        return self["accuracy"].interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined numbers are None, parts not asked for left out."""
        fields = asdict(replace(self, robustness=None, selected=None, sets=None))
        fields["robustness"] = self.robustness and self.robustness.to_dict()
        fields["selected"] = self.selected and self.selected.to_dict()
        fields["sets"] = self.sets and self.sets.to_dict()
        return defined({k: v for k, v in fields.items() if v or k not in OPTIONAL_FIELDS})

    def to_csv(self) -> str:
        """A row per metric: of all images, of each slice, under each corruption and severity."""
        out = io.StringIO()
        writer = csv.writer(LineFeeds(out))
        writer.writerow([*LOCATION_COLUMNS, *METRIC_COLUMNS])
        for location, metric in self._located_metrics():
            low, high = metric.interval or ("", "")
            cells = (metric.name, metric.value, low, high, metric.n, metric.unit)
            baseline = "" if metric.baseline is None else metric.baseline
            writer.writerow([*location, *cells, baseline, *_about(metric)])
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row per metric, as of `to_csv`; slice, corruption and severity of which it is."""
        rows = []
        for location, metric in self._located_metrics():
            low, high = metric.interval or (None, None)
            cells = (metric.name, metric.value, low, high, metric.n, metric.unit)
            rows.append((*location, *cells, metric.baseline, *_about(metric)))
        return data_frame(rows, [*LOCATION_COLUMNS, *METRIC_COLUMNS])

    @property
    def confusion_matrix(self) -> ConfusionMatrix:
        """How many images of each class were predicted as which; empty without classes."""
        return ConfusionMatrix(self.classes if self.confusion else (), self.confusion)

    def _located_metrics(self) -> Iterator[tuple[tuple[str, str, int], MetricValue]]:
        yield from ((("", "", 0), metric) for metric in self.metrics)
        yield from (((s.name, "", 0), s.metric) for s in self.slices)
        corrupted = self.robustness.corrupted if self.robustness else {}
        for name, metrics in corrupted.items():
            yield from ((("", name, k), metric) for k, metric in enumerate(metrics, 1))

    def rows(self, count: int | None = None) -> list[tuple[str, str]]:
        """Names and values of the first `count` metrics as text."""
        metrics, reason = told_once(self.metrics[:count])
        pairs = [(metric, metric.baseline_text()) for metric in metrics]
        rows = [(m.name, f"{m}, baseline {text}" if text else f"{m}") for m, text in pairs]
        return [*rows, ("intervals", f"none: {reason}")] if reason else rows

    def __str__(self) -> str:
        first = [("split", self.split), *self.rows(), *(("note", n) for n in self.notes)]
        blocks = [aligned(first)]
        if self.slices:
            blocks.append(_slices_text(self.slices))
        if self.robustness:
            blocks.append(str(self.robustness))
        if self.selected:
            blocks.append(str(self.selected))
        if self.sets:
            blocks.append(str(self.sets))
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        return f"Evaluation({self.split}: {self.primary.name} {self.primary})"

    def _repr_html_(self) -> str:
        return html_table(("split", self.split), self.rows())


def _slices_text(slices: Sequence[Slice]) -> str:
    """A line for each slice, and which is the lowest."""
    text = aligned([(slices[0].metric.name, ""), *((s.name, str(s.metric)) for s in slices)])
    return f"{text}\n{lowest_slice(slices)}".rstrip()


def lowest_slice(slices: Sequence[Slice]) -> str:
    """A sentence on the lowest slice, where there are several."""
    defined = [s for s in slices if not math.isnan(s.metric.value)]
    if len(defined) < 2:
        return ""
    lowest = min(defined, key=lambda s: s.metric.value)
    if sum(s.metric.value == lowest.metric.value for s in defined) > 1:
        return ""
    note = f"of {len(defined)} slices one is lowest by chance alone: compare the intervals"
    return f"lowest: {lowest.name}; {note}"


def _about(metric: MetricValue) -> tuple[str, str, str]:
    """How its interval was computed, why there is none, and what else is to be known."""
    return metric.method, metric.reason, metric.note


def _cell(metric: MetricValue) -> str:
    if metric.interval is None:
        return _bare(metric.value, metric.unit)
    ends = interval_text(*(_bare(end, metric.unit) for end in metric.interval))
    return f"{_bare(metric.value, metric.unit)} ({ends})"


def _bare(value: float, unit: str) -> str:
    return f"{100 * value:z.0f}" if unit == "%" else f"{value:z.3g}"


def _with_unit(value: float, unit: str) -> str:
    return f"{_bare(value, unit)} {unit}".strip()
