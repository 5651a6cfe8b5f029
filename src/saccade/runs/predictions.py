"""predictions.csv: a row per image, what a network said of it, and how wrong that is."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.data.item import Item, label_text
from saccade.errors import DataError
from saccade.files import atomic_write, read_utf8
from saccade.metrics.classification import probability_title
from saccade.tasks.task import Task
from saccade.words import LineFeeds

if TYPE_CHECKING:
    from saccade.engine.evaluate import EvaluationOutputs

COLUMNS = ("name", "label", "prediction", "loss")  # then a probability per class, if there are
NOVELTY = "novelty"  # the last column, where it is known
DAMAGED = "copy the file again from where it was made, or train again"  # a hint


def write_predictions(
    path: Path, items: Sequence[Item], task: Task, result: EvaluationOutputs
) -> None:
    """A row per image: name, label, prediction, loss, then a probability per class, if there are.

    The novelty stands last, where it is known.
    """
    out = io.StringIO()
    writer = csv.writer(LineFeeds(out))
    known = [] if result.novelty is None else [NOVELTY]
    writer.writerow([*COLUMNS, *map(probability_title, task.classes), *known])
    losses, predictions = result.rows.losses.tolist(), result.rows.predictions
    rows = predictions.tolist() if task.classes else [[] for _ in items]
    if result.novelty is not None:
        rows = [[*row, share] for row, share in zip(rows, result.novelty.tolist(), strict=True)]
    answers = task.cells(predictions)
    for item, answer, loss, row in zip(items, answers, losses, rows, strict=True):
        cells = (f"{p:.6f}" for p in row)
        writer.writerow([item.name, label_text(item.label), answer, f"{loss:.6f}", *cells])
    atomic_write(path, out.getvalue())


def read_predictions(path: Path) -> dict[str, tuple[str, ...]]:
    """The columns by their titles, in the order of the file; a cell per image.

    Raises `DataError` for a file that tells of no image, or lacks columns or cells.
    """
    try:
        text = io.StringIO(read_utf8(path), newline="")
        lines = [line for line in csv.reader(text) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"'{path}' cannot be read: {error}", DAMAGED) from error
    if len(lines) < 2 or not set(COLUMNS) <= set(lines[0]):
        raise DataError(f"'{path}' lacks {', '.join(sorted(COLUMNS))}", DAMAGED)
    head, *rows = lines
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            cells = f"row {number} has {len(row)} cells, and the first {len(head)}"
            raise DataError(f"'{path}' is damaged: {cells}", DAMAGED)
    return dict(zip(head, zip(*rows, strict=True), strict=True))
