"""Comparison: the differences of several runs on the same images, with tests of significance."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from saccade.frame import data_frame
from saccade.metrics.metric import MetricValue, told_once
from saccade.metrics.paired import Difference
from saccade.words import LineFeeds, aligned, defined, duration, html_table, number, pluralize

if TYPE_CHECKING:
    from pandas import DataFrame

FRAME_COLUMNS = (
    "first", "second", "metric", "difference", "low", "high", "unit", "p", "p_holm", "method",
)  # fmt: skip
SIGNIFICANCE_LEVEL = 0.05  # of p-values
MAX_NAMED = 8  # images named in a terminal; --csv names all


@dataclass(frozen=True)
class ComparedRun:
    """A run of a comparison, with its metrics."""

    name: str  # of its folder, or its path, as in `names_of`
    path: str
    model: str
    seconds: float  # of its training
    metrics: tuple[MetricValue, ...]  # on the compared images; the first is the primary metric


@dataclass(frozen=True)
class Pair:
    """The differences of two runs; the first is of the primary metric."""

    first: str
    second: str
    differences: tuple[Difference, ...]
    p: float  # of the primary difference, adjusted for several pairs (Holm)
    only_first: tuple[str, ...]  # images that only the first has right
    only_second: tuple[str, ...]
    same_settings: bool = False  # but the seed
    seeds: bool = False  # whether settings are compared, by several seeds of each

    @property
    def primary(self) -> Difference:
        """The difference in the primary metric."""
        return self.differences[0]

    @property
    def insignificant(self) -> bool:
        """Whether the adjusted p-value of the primary difference is 0.05 or more."""
        return self.p >= SIGNIFICANCE_LEVEL

    @property
    def identical(self) -> bool:
        """Whether no metric differs, and no image is right in one alone."""
        same = all(d.value == 0 and d.p == 1 for d in self.differences)
        return same and not self.only_first and not self.only_second

    def summary(self) -> str:
        """A sentence on the primary difference, the better run less the other."""
        difference = self.primary
        better, sign = (self.second, 1) if difference.value >= 0 else (self.first, -1)
        ends = sorted(sign * end for end in difference.interval or ())
        amount = _points(abs(difference.value), difference.unit)
        span = (
            f" ({_bare(ends[0], difference.unit)} to {_bare(ends[1], difference.unit)})"
            if ends
            else ""
        )
        if self.identical:
            return "identical here: no metric differs, and no image is right in one alone"
        if self.insignificant:
            several = " of so many comparisons" if difference.p < SIGNIFICANCE_LEVEL else ""
            noise = "noise of seeds and images" if self.seeds else "noise"
            return f"the difference of {amount}{span} is inside the {noise}{several}"
        if self.seeds:
            return f"{better} is better by {amount}{span}, for other seeds and images too"
        if self.same_settings:
            chance = "their settings are the same, the seed aside: neither is a better recipe"
            return f"{better} has {amount}{span} more on these images; {chance}"
        return f"the run {better} is better by {amount}{span}, more than the noise of these images"


@dataclass(frozen=True)
class ChangedPrediction:
    """An image that some of the runs have right and some wrong."""

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
    """Runs on the same test images: metrics, pairs, changed predictions, differing settings.

    Where several runs of each setting differ in their seed alone, the pairs are of settings.
    """

    task: str
    n: int  # compared images
    runs: tuple[ComparedRun, ...]
    pairs: tuple[Pair, ...]
    changed: tuple[ChangedPrediction, ...]
    settings: tuple[DifferingSetting, ...]
    notes: tuple[str, ...] = ()
    grouped: bool = False  # whether the bootstrap draws whole groups of images
    right_or_wrong: bool = True  # whether it tells which images are; not of regression or settings
    means: Mapping[str, str] = field(default_factory=dict)  # of settings, by name: over their seeds

    def verdicts(self) -> list[str]:
        """A sentence a pair."""
        value = {run.name: str(run.metrics[0]).split(" (")[0] for run in self.runs} | {**self.means}
        return [
            f"{p.first} {value[p.first]}, {p.second} {value[p.second]}: {p.summary()}"
            for p in self.pairs
        ]

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        rows = [("compared", f"{pluralize(self.n, 'test image')}, {self.runs[0].metrics[0].name}")]
        rows += [("", verdict) for verdict in self.verdicts()]
        for run in self.runs:
            lines = [f"{run.model}, {duration(run.seconds)} in all"]
            metrics, reason = told_once(run.metrics)
            lines += [f"{metric.name} {metric}" for metric in metrics]
            lines += [f"intervals none: {reason}"] if reason else []
            rows += zip([run.name, *[""] * (len(lines) - 1)], lines, strict=True)
        for pair in self.pairs:
            rows += self._pair_rows(pair)
        for setting in self.settings:
            pairs = zip(self.runs, setting.values, strict=True)
            rows.append((setting.name, ", ".join(f"{s.name}: {v}" for s, v in pairs)))
        return [*rows, *(("note", note) for note in self.notes)]

    def _pair_rows(self, pair: Pair) -> list[tuple[str, str]]:
        """The differences of a pair, and the images that only one of the two has right."""
        lines = [f"{d.name} {difference_text(d)}" for d in pair.differences]
        if len(self.pairs) > 1:
            lines[0] += f"; {p_value(pair.p)} for {len(self.pairs)} pairs together (Holm)"
        head = [f"{pair.second} - {pair.first}", *[""] * (len(lines) - 1)]
        rows = list(zip(head, lines, strict=True))
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
        return defined(asdict(self) | {"pairs": pairs, "verdicts": self.verdicts()})

    def to_csv(self) -> str:
        """A row for each changed image: the prediction of each run, and whether it is right."""
        out = io.StringIO()
        writer = csv.writer(LineFeeds(out))
        titles = [t for run in self.runs for t in (run.name, f"{run.name} right")]
        writer.writerow(["name", "label", *titles])
        for prediction in self.changed:
            pairs = zip(prediction.predictions, prediction.correct, strict=True)
            cells = [cell for answer, right in pairs for cell in (answer, "yes" if right else "no")]
            writer.writerow([prediction.name, prediction.label, *cells])
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row for each pair and metric: the difference, second minus first, and its p-value.

        `p` is that of the pair alone; `p_holm`, of the first metric, that for all pairs together.
        """
        rows = []
        for pair in self.pairs:
            for k, d in enumerate(pair.differences):
                low, high = d.interval or (None, None)
                of_all = pair.p if k == 0 else None
                cells = (d.name, d.value, low, high, d.unit, d.p, of_all, d.method)
                rows.append((pair.first, pair.second, *cells))
        return data_frame(rows, FRAME_COLUMNS)

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"Comparison({'; '.join(self.verdicts())})"

    def _repr_html_(self) -> str:
        return html_table(("compared", pluralize(self.n, "test image")), self.rows()[1:])


def difference_text(difference: Difference) -> str:
    """A difference as text: '+0.4 points (-0.9 to 1.7), p = 0.56 (McNemar)'."""
    amount = f"{difference.value:+.{_digits(difference.unit)}f}" if difference.unit != "%" else ""
    amount = amount or f"{100 * difference.value:+z.1f}"
    unit = {"%": " points", "": ""}.get(difference.unit, f" {difference.unit}")
    span = ""
    if difference.interval:
        span = " ({} to {})".format(*(_bare(end, difference.unit) for end in difference.interval))
    return f"{_minus(amount)}{unit}{span}, {p_value(difference.p)} ({difference.method})"


def p_value(p: float) -> str:
    """A p-value as text: 'p = 0.56'."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _points(value: float, unit: str) -> str:
    return f"{_bare(value, unit)} points" if unit == "%" else f"{_bare(value, unit)} {unit}".strip()


def _bare(value: float, unit: str) -> str:
    return _minus(f"{100 * value:.1f}" if unit == "%" else number(value, _digits(unit)))


def _digits(unit: str) -> int:
    return 4 if unit == "nats" else 3


def _minus(text: str) -> str:
    """With a true minus sign, and none before a zero."""
    if not float(text.replace(",", "")):
        return text.lstrip("-+")
    return f"\u2212{text[1:]}" if text.startswith("-") else text
