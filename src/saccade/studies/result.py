"""The results of a study: means, intervals and paired tests of its variants.

Seeds are the repetitions: means have Student's t interval over them, differences are taken seed by
seed and tested by a paired t-test, and the p-values are adjusted by Holm's method for all
comparisons.
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
from typing import TYPE_CHECKING, Any

from saccade.frame import data_frame
from saccade.metrics.intervals import Interval, PairedTTest, mean_interval, paired_t_test
from saccade.metrics.paired import holm
from saccade.studies.study import BestOf, Study, Variant, setting_text, tuned_settings
from saccade.studies.study_run import StudyRun
from saccade.words import LineFeeds, aligned, pluralize

if TYPE_CHECKING:
    from pandas import DataFrame

LEVEL = 0.05  # of significance, of Holm's adjusted p-values


@dataclass(frozen=True)
class VariantResult:
    """A variant at the best of its tuned settings."""

    variant: Variant
    runs: tuple[StudyRun, ...]  # one for each seed
    interval: Interval | None = None  # of the mean
    difference: PairedTTest | None = None  # to its baseline
    p_value: float | None = None  # adjusted by Holm's method

    @property
    def values(self) -> tuple[float, ...] | None:
        """The metric of each seed; None unless every seed has one."""
        values = tuple(run.value for run in self.runs if run.value is not None)
        return values if len(values) == len(self.runs) else None

    @property
    def mean(self) -> float | None:
        """The mean over the seeds; None unless every seed has a value."""
        return mean(self.values) if self.values else None

    @property
    def seconds(self) -> float:
        """The mean time of one training."""
        return mean(run.seconds for run in self.runs)

    @property
    def missing(self) -> str:
        """The reason why there is no mean; empty where there is one."""
        messages = [run.message for run in self.runs if run.value is None]
        if not messages:
            return ""
        return f"{messages[0]}" + (
            f", {len(messages)} of {len(self.runs)} seeds" if len(self.runs) > 1 else ""
        )


def rows_of(study: Study, runs: Sequence[StudyRun]) -> tuple[VariantResult, ...]:
    """The result of each variant, compared with its baseline."""
    rows = {
        v.name: VariantResult(v, _best(study, [run for run in runs if run.trial.variant == v.name]))
        for v in study.variants
    }
    compared: dict[str, PairedTTest] = {}
    for name, row in rows.items():
        base = rows[row.variant.baseline].values if row.variant.baseline else None
        if base and row.values and (test := paired_t_test(base, row.values)):
            compared[name] = test
    tested = {name: t.p_value for name, t in compared.items() if t.p_value is not None}
    adjusted = dict(zip(tested, holm(list(tested.values()))))
    return tuple(
        replace(
            row,
            interval=study.metric.clipped(mean_interval(row.values or ())),
            difference=compared.get(name),
            p_value=adjusted.get(name),
        )
        for name, row in rows.items()
    )


def _best(study: Study, runs: Sequence[StudyRun]) -> tuple[StudyRun, ...]:
    """The runs of the trial that is best on validation; of trials without a value the first."""
    trials: dict[str, list[StudyRun]] = {}
    for run in runs:
        trials.setdefault(run.trial.name, []).append(run)

    def merit(trial: list[StudyRun]) -> tuple[int, float]:
        values = [run.validation_value for run in trial if run.validation_value is not None]
        return len(values), study.metric.sign * mean(values) if values else 0.0

    return tuple(max(trials.values(), key=merit))


def verdict(row: VariantResult, sign: int) -> str:
    """The comparison with the baseline in words."""
    if row.missing or not row.variant.baseline:
        return row.missing
    if row.difference is not None and row.p_value is None:
        return "all seeds differ alike: no spread to test by"
    if row.difference is None or row.p_value is None:
        seeds = len(row.runs)
        return "one seed tells no noise" if seeds == 1 else f"{row.variant.baseline} has no number"
    if not row.difference.difference and row.difference.interval is None:
        return "the same in every seed"
    if row.p_value >= LEVEL:
        return "inside the noise"
    return "better" if sign * row.difference.difference > 0 else "worse"


def edge_notes(study: Study, rows: Sequence[VariantResult]) -> list[str]:
    """A note for each tuned value that is the first or last of those tried."""
    notes = []
    for row in rows:
        trial = row.runs[0].trial
        for key, chosen in trial.tuned.items():
            best_of: BestOf = (
                tuned_settings(study.settings) | tuned_settings(row.variant.settings)
            )[key]
            if chosen in (best_of.values[0], best_of.values[-1]) and len(best_of.values) > 1:
                notes.append(
                    f"{row.variant.name}: the best {key}, {chosen}, is at the edge of those tried"
                )
    return notes


def row_dict(row: VariantResult, sign: int) -> dict[str, Any]:
    """The row as JSON values."""
    test = row.difference
    return {
        "variant": row.variant.name,
        "tuned": dict(row.runs[0].trial.tuned),
        "values": [run.value for run in row.runs],
        "mean": row.mean,
        "interval": row.interval,
        "baseline": row.variant.baseline or None,
        "difference": test.difference if test else None,
        "difference_interval": test.interval if test else None,
        "p_value": test.p_value if test else None,
        "p_value_holm": row.p_value,
        "verdict": verdict(row, sign),
        "seconds": row.seconds,
    }


@dataclass(frozen=True, repr=False)
class StudyResult:
    """The results of a study, from all its runs."""

    study: Study
    path: Path
    runs: tuple[StudyRun, ...]  # all of them, seed by seed

    @cached_property
    def results(self) -> tuple[VariantResult, ...]:
        """The result of each variant, in the study's order."""
        return rows_of(self.study, self.runs)

    @property
    def seconds(self) -> float:
        """The time of all trainings together."""
        return sum(run.seconds for run in self.runs)

    def head(self) -> list[str]:
        """The headings of the table."""
        tuned = [key for key in self.results[0].runs[0].trial.tuned] and ["tuned"]
        return [
            "variant",
            *tuned,
            self.study.metric.description,
            "95 %",
            self._difference_heading(),
            "95 %",
            "in words",
            "s",
        ]

    def rows(self) -> list[list[str]]:
        """The rows of the table as text."""
        return [self._cells(row) for row in self.results]

    def notes(self) -> list[str]:
        """How the numbers were computed, and caveats."""
        seeds, count = self.study.seeds, sum(row.p_value is not None for row in self.results)
        points = " in points" if self.study.metric.kind.share else ""
        lines = [
            f"means of {seeds} seeds with Student's t interval over seeds; differences{points} are "
            f"paired by seed; the words follow Holm's rule for {pluralize(count, 'comparison')}"
            if seeds > 1
            else "one seed: there is no interval, and no telling a difference from chance",
            "a seed draws first weights, order, augmentation, and the images where they come "
            "undivided or limited; what all seeds have in common is not in the intervals: saccade "
            "compare, on the runs of two variants, counts it",
        ]
        return lines + edge_notes(self.study, self.results)

    def to_dict(self) -> dict[str, Any]:
        """What `saccade study --json` prints."""
        metric = self.study.metric
        return {
            "study": self.study.name,
            "path": str(self.path),
            "question": self.study.question,
            "data": self.study.data,
            "metric": str(metric),
            "seeds": self.study.seeds,
            "rows": [row_dict(row, metric.sign) for row in self.results],
            "runs": [_run_dict(run) for run in self.runs],
            "seconds": self.seconds,
            "notes": self.notes(),
        }

    def to_csv(self) -> str:
        """A row for each training, with unrounded values."""
        out, rows = io.StringIO(), self._training_rows()
        writer = csv.DictWriter(LineFeeds(out), list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row for each training, as of `to_csv`."""
        rows = self._training_rows()
        return data_frame([[*row.values()] for row in rows], [*rows[0]])

    def _training_rows(self) -> list[dict[str, Any]]:
        rows = [_run_dict(run) for run in self.runs]
        for row in rows:
            row["tuned"] = " ".join(f"{k}={setting_text(v)}" for k, v in row["tuned"].items())
        return rows

    def to_markdown(self) -> str:
        """The table as Markdown."""
        rows = [self.head(), ["---"] * len(self.head()), *self.rows()]
        return "\n".join(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows
        )

    def __str__(self) -> str:
        table = aligned([self.head(), *self.rows()])
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

    def _difference_heading(self) -> str:
        """The heading of the column of differences."""
        bases = {row.variant.baseline for row in self.results} - {""}
        return f"less {bases.pop()}" if len(bases) == 1 else "difference"

    def _cells(self, row: VariantResult) -> list[str]:
        metric, test = self.study.metric, row.difference
        tuned = row.runs[0].trial.tuned
        settings = (
            [" ".join(setting_text(value) for value in tuned.values())]
            if "tuned" in self.head()
            else []
        )
        value = "–" if row.mean is None else metric.formatted(row.mean)
        difference = metric.difference(test.difference) if test else ""
        if test and self._difference_heading() == "difference":
            difference += f" to {row.variant.baseline}"
        return [
            row.variant.name,
            *settings,
            value,
            _interval_text(row.interval, metric.bare),
            difference,
            _interval_text(test.interval if test else None, metric.difference),
            verdict(row, metric.sign),
            f"{row.seconds:.1f}",
        ]


def _interval_text(interval: Sequence[float] | None, format_end: Any) -> str:
    return " to ".join(format_end(end) for end in interval) if interval else ""


def _run_dict(run: StudyRun) -> dict[str, Any]:
    return {
        "variant": run.trial.variant,
        "tuned": dict(run.trial.tuned),
        "seed": run.seed,
        "value": run.value,
        "message": run.message,
        "seconds": round(run.seconds, 3),
        "run": str(run.run),
    }
