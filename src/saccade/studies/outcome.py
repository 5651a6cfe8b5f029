"""Outcome: what the trainings of a study say when they are put side by side.

Seeds are the repetitions: means have Student's t interval over them, differences are taken seed by
seed and tested by a paired t-test, and the p-values are raised by Holm's rule for all comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

from saccade.metrics.interval import Interval
from saccade.metrics.paired import holm
from saccade.metrics.student import PairedMeans, mean_interval, paired_means
from saccade.studies.cell import Cell
from saccade.studies.study import BestOf, Study, Variant, tuned_settings

LEVEL = 0.05  # of Holm's p-values: rarer than this is outside the noise


@dataclass(frozen=True)
class Row:
    """A variant at the best of its tuned settings."""

    variant: Variant
    cells: tuple[Cell, ...]  # a seed each
    interval: Interval | None = None  # of the mean
    difference: PairedMeans | None = None  # to what it is compared with
    p_value: float | None = None  # raised by Holm's rule

    @property
    def values(self) -> tuple[float, ...] | None:
        """A number a seed; None unless every seed has one."""
        values = tuple(cell.value for cell in self.cells if cell.value is not None)
        return values if len(values) == len(self.cells) else None

    @property
    def mean(self) -> float | None:
        return mean(self.values) if self.values else None

    @property
    def seconds(self) -> float:
        """Of one training."""
        return mean(cell.seconds for cell in self.cells)

    @property
    def missing(self) -> str:
        """Why there is no mean, in words."""
        words = [cell.words for cell in self.cells if cell.value is None]
        if not words:
            return ""
        return f"{words[0]}" + (
            f", {len(words)} of {len(self.cells)} seeds" if len(self.cells) > 1 else ""
        )


def rows_of(study: Study, cells: Sequence[Cell]) -> tuple[Row, ...]:
    """A row for each variant, compared with the one that it names."""
    rows = {
        v.name: Row(v, _best(study, [c for c in cells if c.trial.variant == v.name]))
        for v in study.variants
    }
    compared: dict[str, PairedMeans] = {}
    for name, row in rows.items():
        base = rows[row.variant.against].values if row.variant.against else None
        if base and row.values and (found := paired_means(base, row.values)):
            compared[name] = found
    raised = dict(zip(compared, holm([found.p_value for found in compared.values()])))
    return tuple(
        replace(
            row,
            interval=study.number.bounded(mean_interval(row.values or ())),
            difference=compared.get(name),
            p_value=raised.get(name),
        )
        for name, row in rows.items()
    )


def _best(study: Study, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells of the trial that validation likes best; of trials without a number the first."""
    trials: dict[str, list[Cell]] = {}
    for cell in cells:
        trials.setdefault(cell.trial.name, []).append(cell)

    def merit(trial: list[Cell]) -> tuple[int, float]:
        said = [cell.chooser for cell in trial if cell.chooser is not None]
        return len(said), study.number.sign * mean(said) if said else 0.0

    return tuple(max(trials.values(), key=merit))


def verdict(row: Row, sign: int) -> str:
    """The comparison in words."""
    if row.missing or not row.variant.against:
        return row.missing
    if row.difference is None or row.p_value is None:
        seeds = len(row.cells)
        return "one seed tells no noise" if seeds == 1 else f"{row.variant.against} has no number"
    if row.p_value >= LEVEL:
        return "inside the noise"
    return "better" if sign * row.difference.difference > 0 else "worse"


def edge_notes(study: Study, rows: Sequence[Row]) -> list[str]:
    """A line for each tuned value that is the first or last of those tried."""
    notes = []
    for row in rows:
        trial = row.cells[0].trial
        for key, chosen in trial.tuned.items():
            tried: BestOf = (tuned_settings(study.settings) | tuned_settings(row.variant.settings))[
                key
            ]
            if chosen in (tried.values[0], tried.values[-1]) and len(tried.values) > 1:
                notes.append(
                    f"{row.variant.name}: the best {key}, {chosen}, is at the edge of those tried"
                )
    return notes


def row_dict(row: Row, sign: int) -> dict[str, Any]:
    """The row as data."""
    found = row.difference
    return {
        "variant": row.variant.name,
        "tuned": dict(row.cells[0].trial.tuned),
        "values": [cell.value for cell in row.cells],
        "mean": row.mean,
        "interval": row.interval,
        "against": row.variant.against or None,
        "difference": found.difference if found else None,
        "difference_interval": found.interval if found else None,
        "p_value": found.p_value if found else None,
        "p_value_holm": row.p_value,
        "verdict": verdict(row, sign),
        "seconds": row.seconds,
    }
