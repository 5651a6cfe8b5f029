"""What the trainings of a study say when they are put side by side.

Seeds are the repetitions: means have Student's t interval over them, differences are taken seed by
seed and tested by a paired t-test, and the p-values are raised by Holm's rule for all comparisons.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from statistics import mean
from typing import Any

from saccade.metrics.intervals import Interval, PairedTTest, mean_interval, paired_t_test
from saccade.metrics.paired import holm
from saccade.studies.study import BestOf, Study, Variant, plain, tuned_settings
from saccade.studies.study_run import StudyRun

LEVEL = 0.05  # of Holm's p-values: rarer than this is outside the noise


@dataclass(frozen=True)
class VariantResult:
    """A variant at the best of its tuned settings."""

    variant: Variant
    runs: tuple[StudyRun, ...]  # a seed each
    interval: Interval | None = None  # of the mean
    difference: PairedTTest | None = None  # to what it is compared with
    p_value: float | None = None  # raised by Holm's rule

    @property
    def values(self) -> tuple[float, ...] | None:
        """A number a seed; None unless every seed has one."""
        values = tuple(cell.value for cell in self.runs if cell.value is not None)
        return values if len(values) == len(self.runs) else None

    @property
    def mean(self) -> float | None:
        return mean(self.values) if self.values else None

    @property
    def seconds(self) -> float:
        """Of one training."""
        return mean(cell.seconds for cell in self.runs)

    @property
    def missing(self) -> str:
        """Why there is no mean, in words."""
        words = [cell.message for cell in self.runs if cell.value is None]
        if not words:
            return ""
        return f"{words[0]}" + (
            f", {len(words)} of {len(self.runs)} seeds" if len(self.runs) > 1 else ""
        )


def rows_of(study: Study, cells: Sequence[StudyRun]) -> tuple[VariantResult, ...]:
    """A row for each variant, compared with the one that it names."""
    rows = {
        v.name: VariantResult(v, _best(study, [c for c in cells if c.trial.variant == v.name]))
        for v in study.variants
    }
    compared: dict[str, PairedTTest] = {}
    for name, row in rows.items():
        base = rows[row.variant.baseline].values if row.variant.baseline else None
        if base and row.values and (found := paired_t_test(base, row.values)):
            compared[name] = found
    raised = dict(zip(compared, holm([found.p_value for found in compared.values()])))
    return tuple(
        replace(
            row,
            interval=study.metric.bounded(mean_interval(row.values or ())),
            difference=compared.get(name),
            p_value=raised.get(name),
        )
        for name, row in rows.items()
    )


def _best(study: Study, cells: Sequence[StudyRun]) -> tuple[StudyRun, ...]:
    """The cells of the trial that validation likes best; of trials without a number the first."""
    trials: dict[str, list[StudyRun]] = {}
    for cell in cells:
        trials.setdefault(cell.trial.name, []).append(cell)

    def merit(trial: list[StudyRun]) -> tuple[int, float]:
        said = [cell.validation_value for cell in trial if cell.validation_value is not None]
        return len(said), study.metric.sign * mean(said) if said else 0.0

    return tuple(max(trials.values(), key=merit))


def verdict(row: VariantResult, sign: int) -> str:
    """The comparison in words."""
    if row.missing or not row.variant.baseline:
        return row.missing
    if row.difference is None or row.p_value is None:
        seeds = len(row.runs)
        return "one seed tells no noise" if seeds == 1 else f"{row.variant.baseline} has no number"
    if row.p_value >= LEVEL:
        return "inside the noise"
    return "better" if sign * row.difference.difference > 0 else "worse"


def edge_notes(study: Study, rows: Sequence[VariantResult]) -> list[str]:
    """A line for each tuned value that is the first or last of those tried."""
    notes = []
    for row in rows:
        trial = row.runs[0].trial
        for key, chosen in trial.tuned.items():
            tried: BestOf = (tuned_settings(study.settings) | tuned_settings(row.variant.settings))[
                key
            ]
            if chosen in (tried.values[0], tried.values[-1]) and len(tried.values) > 1:
                notes.append(
                    f"{row.variant.name}: the best {key}, {chosen}, is at the edge of those tried"
                )
    return notes


def row_dict(row: VariantResult, sign: int) -> dict[str, Any]:
    """The row as data."""
    found = row.difference
    return {
        "variant": row.variant.name,
        "tuned": dict(row.runs[0].trial.tuned),
        "values": [cell.value for cell in row.runs],
        "mean": row.mean,
        "interval": row.interval,
        "baseline": row.variant.baseline or None,
        "difference": found.difference if found else None,
        "difference_interval": found.interval if found else None,
        "p_value": found.p_value if found else None,
        "p_value_holm": row.p_value,
        "verdict": verdict(row, sign),
        "seconds": row.seconds,
    }


@dataclass(frozen=True, repr=False)
class StudyResult:
    """What a study found."""

    study: Study
    path: Path
    runs: tuple[StudyRun, ...]  # all that were trained, seed by seed

    @cached_property
    def results(self) -> tuple[VariantResult, ...]:
        """A row a variant, in the study's order."""
        return rows_of(self.study, self.runs)

    @property
    def seconds(self) -> float:
        """Of all trainings, one after the other."""
        return sum(cell.seconds for cell in self.runs)

    def head(self) -> list[str]:
        tuned = [key for key in self.results[0].runs[0].trial.tuned] and ["tuned"]
        return [
            "variant",
            *tuned,
            self.study.metric.words,
            "95 %",
            self._less(),
            "95 %",
            "in words",
            "s",
        ]

    def rows(self) -> list[list[str]]:
        """The table in words."""
        return [self._cells(row) for row in self.results]

    def notes(self) -> list[str]:
        """What the numbers are, and what to be wary of."""
        seeds, count = self.study.seeds, sum(row.difference is not None for row in self.results)
        points = " in points" if self.study.metric.kind.share else ""
        lines = [
            f"means of {seeds} seeds with Student's t interval over seeds; differences{points} are "
            f"paired by seed; the words follow Holm's rule for {count} comparisons"
            if seeds > 1
            else "one seed: there is no interval, and no telling a difference from chance",
            "a seed draws first weights, order, augmentation, and the images where they come "
            "undivided or limited; what all seeds have in common is not in the intervals",
        ]
        return lines + edge_notes(self.study, self.results)

    def to_dict(self) -> dict[str, Any]:
        """What `saccade study --json` prints."""
        number = self.study.metric
        return {
            "study": self.study.name,
            "path": str(self.path),
            "question": self.study.question,
            "data": self.study.data,
            "metric": str(number),
            "seeds": self.study.seeds,
            "rows": [row_dict(row, number.sign) for row in self.results],
            "runs": [_cell_dict(cell) for cell in self.runs],
            "seconds": self.seconds,
            "notes": self.notes(),
        }

    def to_csv(self) -> str:
        """A row a training, as the numbers are."""
        out = io.StringIO()
        rows = [_cell_dict(cell) for cell in self.runs]
        for row in rows:
            row["tuned"] = " ".join(f"{k}={plain(v)}" for k, v in row["tuned"].items())
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().rstrip("\n")

    def to_markdown(self) -> str:
        """The table as Markdown."""
        rows = [self.head(), ["---"] * len(self.head()), *self.rows()]
        return "\n".join(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows
        )

    def __str__(self) -> str:
        table = columned([self.head(), *self.rows()])
        notes = "\n".join(f"- {note}" for note in self.notes())
        page = self.path / "study.html"
        return f"{self.study.title}: {self.study.question}\n\n{table}\n\n{notes}\n\npage  {page}"

    def __repr__(self) -> str:
        size = f"{len(self.results)} variants, {self.study.seeds} seeds"
        return f"StudyResult({self.study.name}: {size})"

    def _repr_html_(self) -> str:
        lines = [
            "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
            for tag, rows in (("th", [self.head()]), ("td", self.rows()))
            for row in rows
        ]
        return f"<table><caption>{escape(self.study.title)}</caption>{''.join(lines)}</table>"

    def _less(self) -> str:
        """What the column of differences is called."""
        bases = {row.variant.baseline for row in self.results} - {""}
        return f"less {bases.pop()}" if len(bases) == 1 else "difference"

    def _cells(self, row: VariantResult) -> list[str]:
        number, found = self.study.metric, row.difference
        tuned = row.runs[0].trial.tuned
        said = (
            [" ".join(plain(value) for value in tuned.values())] if "tuned" in self.head() else []
        )
        value = "–" if row.mean is None else number.written(row.mean)
        difference = number.difference(found.difference) if found else ""
        if found and self._less() == "difference":
            difference += f" to {row.variant.baseline}"
        return [
            row.variant.name,
            *said,
            value,
            _ends(row.interval, number.bare),
            difference,
            _ends(found.interval if found else None, number.difference),
            verdict(row, number.sign),
            f"{row.seconds:.1f}",
        ]


def columned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their longest cell."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _ends(interval: Sequence[float] | None, written: Any) -> str:
    return " to ".join(written(end) for end in interval) if interval else ""


def _cell_dict(cell: StudyRun) -> dict[str, Any]:
    return {
        "variant": cell.trial.variant,
        "tuned": dict(cell.trial.tuned),
        "seed": cell.seed,
        "value": cell.value,
        "message": cell.message,
        "seconds": round(cell.seconds, 3),
        "run": str(cell.run),
    }
