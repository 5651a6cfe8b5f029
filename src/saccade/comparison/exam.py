"""Exam: what a run said of its test pictures, as predictions.csv and split.csv tell it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from saccade.data.split import SEVERAL
from saccade.errors import DataError, UsageError
from saccade.runs import Run

COLUMNS = {"name", "label", "prediction", "loss"}


@dataclass(frozen=True)
class Exam:
    """A run's test pictures, a row each, in the order of its split."""

    run: Run
    task: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    answers: tuple[str, ...]
    losses: Tensor  # [N] float64
    classes: tuple[str, ...]
    probabilities: Tensor  # [N,K] float64
    parts: dict[str, str]  # what each picture of the data was used for
    groups: dict[str, str]  # of the pictures that have one

    @property
    def data(self) -> str | None:
        """Where the pictures came from."""
        return self.run.started["data"]

    @property
    def seconds(self) -> float:
        return self.run.events("finished")[-1]["seconds"]

    def right(self) -> Tensor:
        """Which pictures were given their class, or exactly their labels.  [N] bool"""
        pairs = zip(self.labels, self.answers, strict=True)
        return torch.tensor([_parted(label) == _parted(answer) for label, answer in pairs])

    def takes(self, rows: Sequence[int], classes: Sequence[str]) -> Exam:
        """The exam of these rows alone, in this order, its classes in that of `classes`."""
        columns = [self.classes.index(name) for name in classes]
        return Exam(
            self.run,
            self.task,
            tuple(self.names[k] for k in rows),
            tuple(self.labels[k] for k in rows),
            tuple(self.answers[k] for k in rows),
            self.losses[list(rows)],
            tuple(classes),
            self.probabilities[list(rows)][:, columns],
            self.parts,
            self.groups,
        )


def read_exam(run: Run) -> Exam:
    """The exam of a finished run; raises `UsageError` while it is unfinished."""
    if not run.finished or not (run.path / "predictions.csv").is_file():
        raise UsageError(
            f"the run '{run.path}' is unfinished", f"go on with: saccade resume {run.path}"
        )
    rows, split = _rows(run.path / "predictions.csv", COLUMNS), _rows(run.path / "split.csv", set())
    task = run.events("evaluation")[-1]["task"]
    classes = () if task == "regression" else run.classes
    try:
        shares = [[float(row[f"p({name})"]) for name in classes] for row in rows]
        losses = [float(row["loss"]) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"'{run.path / 'predictions.csv'}' is damaged: {error}") from error
    return Exam(
        run,
        task,
        tuple(row["name"] for row in rows),
        tuple(row["label"] for row in rows),
        tuple(row["prediction"] for row in rows),
        torch.tensor(losses, dtype=torch.float64),
        classes,
        torch.tensor(shares, dtype=torch.float64),
        {row["name"]: row["split"] for row in split},
        {row["name"]: row["group"] for row in split if row.get("group")},
    )


def _rows(path: Path, columns: set[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"'{path}' cannot be read: {error}") from error
    if not rows or not columns <= rows[0].keys():
        raise DataError(f"'{path}' lacks {', '.join(sorted(columns)) or 'rows'}")
    return rows


def _parted(text: str) -> frozenset[str]:
    return frozenset(text.split(SEVERAL))
