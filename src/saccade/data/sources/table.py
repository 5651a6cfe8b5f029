"""Manifest: a table of images, `path,label[,split][,group]`, as CSV or TSV.

Columns are known by their names (`COLUMNS`), the delimiter by the first line.  A label is a class;
it is several classes when its column is called `labels`, `tags` or `classes`, a number when it is
called `value` or `target`, a count of things when it is called `count` or `counts`, and whatever
`kind` says when the caller says so.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from saccade.data.classes import class_name
from saccade.data.item import Count, ImageFile, Item, Label, Skipped
from saccade.data.sources.listing import SUFFIXES, Listing, assemble, skip_reason, split_of
from saccade.errors import DataError, unknown
from saccade.files import name_of_text

# fmt: off
COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "name"),
    "label": (
        "label", "class", "category", "labels", "tags", "classes", "value", "target", "count",
        "counts",
    ),
    "split": ("split", "set", "subset", "partition"),
    "group": ("group", "group_id", "patient", "place"),
}
# fmt: on
KINDS = {"labels": "several", "tags": "several", "classes": "several"}
KINDS |= {"value": "number", "target": "number", "count": "count", "counts": "count"}
SEVERAL = "|;"  # between the labels of one image


def manifest(path: Path, *, label: str | None = None, kind: str | None = None) -> Listing:
    """The images that a table names, relative to the table's folder.

    `label` is the column to learn; `kind` is class, several, number or count, and `None` follows
    the column's name.  Images that are not there are skipped and counted in a note.
    """
    header, rows, delimiter = _table(path)
    columns = _columns(header, label, path)
    kind = kind or KINDS.get(header[columns["label"]].casefold(), "class")
    if kind not in (kinds := ("class", *KINDS.values())):
        raise unknown("kind of label", kind, set(kinds))
    reader = _RowReader(path, columns, kind, delimiter)
    items = [row for line, cells in rows if (row := reader.row(line, cells))]
    reader.refuse_unusable(items)
    return assemble(items, path.stem, f"'{path}'", reader.skipped, reader.notes(items))


def column_values(path: Path, column: str = "") -> dict[str, str]:
    """The values of a column by image name: of `column`, or of the first other than the name."""
    header, rows, _ = _table(path)
    folded = [cell.casefold() for cell in header]
    name = next((i for i, cell in enumerate(folded) if cell in COLUMNS["path"]), None)
    if name is None or len(header) < 2:
        raise DataError(
            f"'{path}' does not say which image a row is of: its columns are {', '.join(header)}",
            f"call one of them {', '.join(COLUMNS['path'])}",
        )
    if column and column.casefold() not in folded:
        raise unknown("column", column, header, DataError)
    position = folded.index(column.casefold()) if column else int(name == 0)
    return {
        str(PurePosixPath(cells[name].strip().replace("\\", "/"))): cells[position].strip()
        for _, cells in rows
        if len(cells) > max(name, position)
    }


def missing_reason(path: str) -> str:
    """Why an image that a person named cannot be read, or nothing."""
    return "" if os.path.isfile(path) else "not there"  # noqa: PTH113  a name may be too long


def read_text(path: Path) -> str:
    """A text file of people's: UTF-8 with or without a mark, or marked UTF-16."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read: {error.strerror}", "check who may read it"
        ) from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"row {row} of '{path}' is not UTF-8", "save it as UTF-8 ('CSV UTF-8' in Excel)"
        ) from error


class _RowReader:
    """Rows of the table turned into items, with what went wrong on the way."""

    def __init__(self, path: Path, columns: dict[str, int], kind: str, delimiter: str):
        self.path, self.columns, self.kind, self.delimiter = path, columns, kind, delimiter
        self.skipped: list[Skipped] = []
        self.missing: list[str] = []
        self.labels: dict[str, Label] = {}

    def row(self, line: int, cells: Sequence[str]) -> tuple[str, Item] | None:
        """The split and the item of one row, or nothing when there is no image to learn from."""
        cell = {
            column: cells[i].strip() if i < len(cells) else "" for column, i in self.columns.items()
        }
        if not cell["path"]:
            raise self._row_error(line, "names no image", "each row starts with a path")
        name = str(PurePosixPath(cell["path"].replace("\\", "/")))
        path = str(self.path.parent / name_of_text(name))
        label = self._label(cell["label"], line)
        reason = self._skip_reason(name, path, label, line)
        self.labels.setdefault(name, label)
        if reason:
            self.skipped.append(Skipped(name, reason))
            return None
        item = Item(name, label, ImageFile(path), cell.get("group") or None)
        return self._split(cell.get("split"), line), item

    def _skip_reason(self, name: str, path: str, label: Label, line: int) -> str:
        """Why the image of a row is left out, or nothing."""
        if name in self.labels:
            if self.labels[name] != label:
                hint = "one row an image, several labels joined by |"
                raise self._row_error(line, f"labels '{name}' anew", hint)
            return "named more than once"
        if reason := skip_reason(PurePosixPath(name).name):
            return reason
        if reason := missing_reason(path):
            self.missing.append(name)
            return reason
        return "" if label is not None else "without a label"

    def refuse_unusable(self, rows: Sequence[tuple[str, Item]]) -> None:
        """Raise `DataError` when the table leaves nothing to learn from."""
        if rows:
            return
        if self.missing:
            raise DataError(
                f"none of the {len(self.missing)} images that '{self.path}' names is there, "
                f"such as '{self.missing[0]}'",
                f"paths are relative to '{self.path.parent}'",
            )
        first = f", such as {self.skipped[0]}" if self.skipped else ""
        raise DataError(f"'{self.path}' names nothing to learn from{first}", "a row is path,label")

    def notes(self, rows: Sequence[tuple[str, Item]]) -> tuple[str, ...]:
        """What a person should know about how the table was read."""
        notes: tuple[str, ...] = ()
        if self.missing:
            shown = ", ".join(f"'{name}'" for name in self.missing[:3])
            notes += (f"{len(self.missing)} images of the table are not there: {shown}",)
        joined = [item.label for _, item in rows if "|" in str(item.label)]
        if self.kind == "class" and joined:
            notes += (f"'{joined[0]}' is read as one class; call the column labels for several",)
        return notes

    def _label(self, text: str, line: int) -> Label:
        if self.kind == "several":
            for mark in SEVERAL[1:]:
                text = text.replace(mark, SEVERAL[0])
            names = (class_name(part.strip()) for part in text.split(SEVERAL[0]))
            return tuple(dict.fromkeys(name for name in names if name))
        if not text or self.kind == "class":
            return class_name(text) or None
        value = self._number(text, line)
        return self._count(value, text, line) if self.kind == "count" else value

    def _number(self, text: str, line: int) -> float:
        try:
            value = float(text if self.delimiter == "," else text.replace(",", "."))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._row_error(line, f"has '{text}' for a number", "numbers are written 1.5")
        return value

    def _count(self, value: float, text: str, line: int) -> Count:
        if value < 0 or value != int(value):
            hint = "counts are whole numbers from 0 on; for others write ::COLUMN=number"
            raise self._row_error(line, f"has '{text}' for a count", hint)
        return Count(value)

    def _split(self, text: str | None, line: int) -> str:
        if not text:
            return "all"
        split = split_of(text)
        if split is None:
            raise self._row_error(line, f"has the split '{text}'", "a split is train, val or test")
        return split

    def _row_error(self, line: int, what: str, hint: str) -> DataError:
        return DataError(f"row {line} of '{self.path}' {what}", hint)


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    """The header, the numbered rows below it, and the delimiter."""
    text = read_text(path)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=lambda mark: (_header_score(first.split(mark)), first.count(mark)))
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(table.line_num, row) for row in table if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(
            f"row {table.line_num} of '{path}' cannot be read: {error}",
            "a cell with a quote in it stands in quotes, and its own quotes are doubled",
        ) from error
    if not rows:
        raise DataError(f"'{path}' is empty", "each row is path,label")
    header = [cell.strip() for cell in rows[0][1]]
    if _is_image(header[0]):  # then there is no header
        return list(COLUMNS)[: len(header)], rows, delimiter
    return header, rows[1:], delimiter


def _header_score(cells: Sequence[str]) -> int:
    """How many cells of a first line are names of columns, or an image's path."""
    names = {name for names in COLUMNS.values() for name in names}
    folded = [cell.strip().strip('"').casefold() for cell in cells]
    return sum(cell in names for cell in folded) + (_is_image(folded[0]) and len(cells) > 1)


def _is_image(cell: str) -> bool:
    return PurePosixPath(cell).suffix.lower() in SUFFIXES


def _columns(header: Sequence[str], label: str | None, path: Path) -> dict[str, int]:
    """The position of each known column; path and label must be there."""
    folded = [cell.casefold() for cell in header]
    columns: dict[str, int] = {}
    for column, names in COLUMNS.items():
        positions = [i for name in names for i, cell in enumerate(folded) if cell == name]
        if positions:
            columns[column] = positions[0]
    if label is not None:
        if label.casefold() not in folded:
            raise unknown("column", label, header, DataError)
        columns["label"] = folded.index(label.casefold())
    for column in ("path", "label"):
        if column not in columns:
            raise DataError(
                f"'{path}' has no column {column}: its columns are {', '.join(header)}",
                f"call it one of {', '.join(COLUMNS[column])}",
            )
    return columns
