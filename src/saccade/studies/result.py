"""StudyResult: the table of a study for terminals, notebooks and files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from saccade.studies.cell import Cell
from saccade.studies.outcome import Row, edge_notes, row_dict, rows_of, verdict
from saccade.studies.study import Study, plain


@dataclass(frozen=True, repr=False)
class StudyResult:
    """What a study found."""

    study: Study
    path: Path
    cells: tuple[Cell, ...]  # all that were trained, seed by seed

    @cached_property
    def outcomes(self) -> tuple[Row, ...]:
        """A row a variant, in the study's order."""
        return rows_of(self.study, self.cells)

    @property
    def seconds(self) -> float:
        """Of all trainings, one after the other."""
        return sum(cell.seconds for cell in self.cells)

    def head(self) -> list[str]:
        tuned = [key for key in self.outcomes[0].cells[0].trial.tuned] and ["tuned"]
        return [
            "variant",
            *tuned,
            self.study.number.words,
            "95 %",
            self._less(),
            "95 %",
            "in words",
            "s",
        ]

    def rows(self) -> list[list[str]]:
        """The table in words."""
        return [self._cells(row) for row in self.outcomes]

    def notes(self) -> list[str]:
        """What the numbers are, and what to be wary of."""
        seeds, count = self.study.seeds, sum(row.difference is not None for row in self.outcomes)
        points = " in points" if self.study.number.kind.share else ""
        lines = [
            f"means of {seeds} seeds with Student's t interval over seeds; differences{points} are "
            f"paired by seed; the words follow Holm's rule for {count} comparisons"
            if seeds > 1
            else "one seed: there is no interval, and no telling a difference from chance",
            "a seed draws first weights, order, augmentation, and the pictures where they come "
            "undivided or limited; what all seeds have in common is not in the intervals",
        ]
        return lines + edge_notes(self.study, self.outcomes)

    def to_dict(self) -> dict[str, Any]:
        """What `saccade study --json` prints."""
        number = self.study.number
        return {
            "study": self.study.name,
            "path": str(self.path),
            "question": self.study.question,
            "data": self.study.data,
            "number": str(number),
            "seeds": self.study.seeds,
            "rows": [row_dict(row, number.sign) for row in self.outcomes],
            "cells": [_cell_dict(cell) for cell in self.cells],
            "seconds": self.seconds,
            "notes": self.notes(),
        }

    def to_csv(self) -> str:
        """A row a training, as the numbers are."""
        out = io.StringIO()
        rows = [_cell_dict(cell) for cell in self.cells]
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
        size = f"{len(self.outcomes)} variants, {self.study.seeds} seeds"
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
        bases = {row.variant.against for row in self.outcomes} - {""}
        return f"less {bases.pop()}" if len(bases) == 1 else "difference"

    def _cells(self, row: Row) -> list[str]:
        number, found = self.study.number, row.difference
        tuned = row.cells[0].trial.tuned
        said = (
            [" ".join(plain(value) for value in tuned.values())] if "tuned" in self.head() else []
        )
        value = "–" if row.mean is None else number.written(row.mean)
        difference = number.difference(found.difference) if found else ""
        if found and self._less() == "difference":
            difference += f" to {row.variant.against}"
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


def _cell_dict(cell: Cell) -> dict[str, Any]:
    return {
        "variant": cell.trial.variant,
        "tuned": dict(cell.trial.tuned),
        "seed": cell.seed,
        "value": cell.value,
        "words": cell.words,
        "seconds": round(cell.seconds, 3),
        "run": str(cell.run),
    }
