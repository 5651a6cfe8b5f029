"""Columns: which of a table's columns name images, and which hold labels, splits, groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from saccade.data.image_files import SUFFIXES
from saccade.data.sources.cells import COLUMNS, Table, folded
from saccade.data.sources.finding import ImageFinder, as_posix
from saccade.data.sources.split_columns import AUTO, splits_from_columns
from saccade.errors import DataError, unknown

PROBED = 20  # rows that show which column names the images


@dataclass(frozen=True)
class Columns:
    """The positions of the columns that are read."""

    path: int
    labels: tuple[int, ...]  # one, or a class each
    group: int | None
    splits: Sequence[str]  # of each row; empty where none is told
    used: frozenset[int]
    notes: tuple[str, ...] = ()


def choose_columns(
    table: Table, label: str | None, split: str = AUTO, group: str | None = None
) -> Columns:
    """The columns to read; raises `DataError` where images or labels have none.

    `label` names the labels' column, or several with commas between; `group` the groups'; `split`
    is as of `splits_from_columns`.
    """
    path, notes = path_column(table)
    listed = ", ".join(table.header)
    if path is None:
        raise DataError(
            f"'{table.place}' has no column path: its columns are {listed}",
            f"none of them names files below '{table.folder}'; call the one of images path, or, "
            "where the cells are pixels, save these as x.npy and y.npy",
        )
    grouped, known = _known(table, "group"), _known(table, "label")
    if group is not None and (grouped := table.column(group)) is None:
        raise unknown("column", group, table.header, DataError)
    labels = _named_labels(table, label) if label else _present(known)
    taken = {path, *labels, *_present(grouped)}
    free = [i for i in range(len(table.header)) if i not in taken]
    binary = () if labels else tuple(i for i in free if table.is_binary(i))
    found = splits_from_columns(table.header, table.rows, taken, f"'{table.place}'", split, binary)
    taken |= found.columns
    others = [i for i in free if i not in found.columns]
    labels = labels or tuple(i for i in binary if i not in found.columns)
    if not labels or (len(labels) == 1 and label is None and known is None):
        first = next((table.header[i] for i in others if table.header[i]), None)
        say = f"say which, as in '{table.place}::{first}', or call one label"
        raise DataError(
            f"'{table.place}' has no column label: its columns are {listed}",
            "give it one" if first is None else say,
        )
    used = frozenset(taken.union(labels))
    return Columns(path, labels, grouped, found.splits, used, (*notes, *found.notes))


def _present(position: int | None) -> tuple[int, ...]:
    return () if position is None else (position,)


def _known(table: Table, part: str) -> int | None:
    """The position of the first column that has one of the names of a part."""
    positions = (table.column(name) for name in COLUMNS[part])
    return next((position for position in positions if position is not None), None)


def path_column(table: Table) -> tuple[int | None, tuple[str, ...]]:
    """The column that names the images, by its name or by the files that it names; and a note."""
    named = [i for name in COLUMNS["path"] if (i := table.column(name)) is not None]
    for position in named:
        if _names_files(table, position):
            return position, ()
    known = [name for names in COLUMNS.values() for name in names]
    others = [
        i
        for i, title in enumerate(table.header)
        if folded(title) not in known and _names_files(table, i)
    ]
    if len(others) > 1:
        listed = " and ".join(f"'{table.header[i]}'" for i in others)
        raise DataError(
            f"the columns {listed} of '{table.place}' name files both",
            "call the one of the images path",
        )
    if others:
        return others[0], (f"the column '{table.header[others[0]]}' names the images",)
    return (named[0] if named else None), ()


def _names_files(table: Table, column: int) -> bool:
    cells = [as_posix(cells[column]) for _, cells in table.rows[:PROBED]]
    sample = [cell for cell in cells if cell and len(cell) < 1000]
    finder = ImageFinder(table.folder, sample)
    try:
        found = [place for cell in sample if (place := finder.find(cell))]
    except DataError:  # several files fit: names of images all the same
        return True
    return any(PurePosixPath(name).suffix.lower() in SUFFIXES for name, _ in found)


def _named_labels(table: Table, label: str) -> tuple[int, ...]:
    """The column called `label`, or the columns that it lists with commas."""
    if (position := table.column(label)) is not None:
        return (position,)
    positions = [table.column(part) for part in label.split(",")]
    known = tuple(position for position in positions if position is not None)
    if len(known) < len(positions) or len(known) < 2:
        raise unknown("column", label, table.header, DataError)
    return known
