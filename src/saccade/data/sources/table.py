"""Manifest: a table of images, `path,label[,split][,group]`, as CSV or TSV, or from elsewhere.

Columns are known by their names (`cells.COLUMNS`), that of the images else by naming files, those
of splits by what is in them (`split_columns`).  A label is a class; it is several classes when its
column is called `labels`, `tags` or `classes`, a number when it is called `value` or `target`, a
count of things when it is called `count` or `counts`, and whatever `kind` says when the caller says
so.  Without such a column, columns of 0 and 1 are classes, a column each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from saccade.data.classes import class_name
from saccade.data.image_files import ScanResult, first_bytes_of, skip_reason
from saccade.data.item import ImageFile, Item, Label, Skipped
from saccade.data.sources.cells import COLUMNS, FALSE, TRUE, Table, folded
from saccade.data.sources.columns import Columns, choose_columns, path_column
from saccade.data.sources.exports import table_at
from saccade.data.sources.finding import ImageFinder, as_posix
from saccade.data.sources.labels import KINDS, LabelReader, group_named
from saccade.data.sources.listing import Listing, assemble
from saccade.data.sources.split_columns import AUTO, unused_note
from saccade.errors import DataError, UsageError, unknown

HINT = "a row is path,label"


def manifest(
    path: Path,
    *,
    label: str | None = None,
    kind: str | None = None,
    split: str = AUTO,
    group: str | None = None,
) -> Listing:
    """The images that a table names, relative to the table's folder.

    `label` is the column to learn, or several of 0 and 1 with commas between; `kind` is class,
    several, number or count, and `None` follows the column's name; `split` is the column of the
    splits, as of `splits_from_columns`; `group` that of what must stay together.  Images that are
    not there are skipped and counted in a note.
    """
    return listing_of(table_at(path), path.stem, label=label, kind=kind, split=split, group=group)


def manifest_of(path: Path, detail: str, **columns: Any) -> Listing | None:
    """The table in a file, with the column and kind in `detail`, as in `price (EUR)=number`.

    None where `detail` is a pattern: it has brackets and is no column's name.
    """
    try:
        table = table_at(path)
    except DataError:
        if "(" in detail:
            return None
        raise
    return detailed(table, path.stem, detail, **columns)


def detailed(table: Table, name: str, detail: str, **columns: Any) -> Listing | None:
    """The images of `table` with the column and kind in `detail`; None for a pattern."""
    column, separator, kind = detail.rpartition("=")
    if not separator or table.column(detail) is not None:
        column, kind = detail, ""
    if "(" in detail and table.column(column) is None:
        return None
    return listing_of(table, name, label=column or None, kind=kind or None, **columns)


def listing_of(
    table: Table,
    name: str,
    *,
    label: str | None = None,
    kind: str | None = None,
    split: str = AUTO,
    group: str | None = None,
) -> Listing:
    """The images that the rows of `table` name, as a source called `name`."""
    columns = choose_columns(table, label, split, group)
    labels, notes = _labels(table, columns, kind)
    finder = ImageFinder(table.folder, [cells[columns.path] for _, cells in table.rows])
    reader = _RowReader(table, columns, finder)
    items = [
        (part or "all", item)
        for (line, cells), label_, part in zip(table.rows, labels, columns.splits, strict=True)
        if (item := reader.row(line, cells, label_, part))
    ]
    reader.refuse_unusable(items)
    unused = unused_note(table.header, table.rows, columns.used)
    notes = (*table.notes, *columns.notes, *notes, *finder.notes(), *reader.notes(items), *unused)
    return assemble(items, name, f"'{table.place}'", reader.skipped, notes)


def column_values(path: Path, column: str = "") -> dict[str, str]:
    """The values of a column by image name: of `column`, or of the first other than the name."""
    table, name, rows = named_rows(path)
    if name is None or len(table.header) < 2:
        raise DataError(
            f"'{path}' does not say which image a row is of: its columns are "
            f"{', '.join(table.header)}",
            f"call one of them {', '.join(COLUMNS['path'])}",
        )
    position = table.column(column) if column else int(name == 0)
    if position is None:
        raise unknown("column", column, table.header, DataError)
    return {image: cells[position].strip() for image, cells in rows.items()}


def named_rows(path: Path) -> tuple[Table, int | None, Mapping[str, Sequence[str]]]:
    """A table, which of its columns names the images, and each image's first row by its name."""
    table = table_at(path)
    column, _ = path_column(table)
    if column is None:
        return table, None, {}
    finder = ImageFinder(table.folder, [cells[column] for _, cells in table.rows])
    rows: dict[str, Sequence[str]] = {}
    for _, cells in table.rows:
        written = as_posix(cells[column])
        found = finder.find(written)
        rows.setdefault(found[0] if found else written, cells)
    return table, column, rows


def unlabelled(table: Table) -> ScanResult:
    """The images that a table without labels names; none where it has some."""
    scan = ScanResult()
    column, _ = path_column(table)
    labels = [i for i, title in enumerate(table.header) if folded(title) in COLUMNS["label"]]
    if column is None or any(cells[i].strip() for _, cells in table.rows for i in labels):
        return scan
    finder = ImageFinder(table.folder, [cells[column] for _, cells in table.rows])
    for name in dict.fromkeys(as_posix(cells[column]) for _, cells in table.rows):
        if found := finder.find(name):
            scan.images.append((found[0], ImageFile(found[1])))
        else:
            scan.skip(name, "not there")
    return scan


class _RowReader:
    """Rows of the table turned into items, with what went wrong on the way."""

    def __init__(self, table: Table, columns: Columns, finder: ImageFinder):
        self.table, self.columns, self.finder = table, columns, finder
        self.skipped: list[Skipped] = []
        self.missing: list[str] = []
        self.labels: dict[str, Label] = {}
        self.places: dict[str, tuple[str, str]] = {}  # of each image its split and group

    def row(self, line: int, cells: Sequence[str], label: Label, part: str) -> Item | None:
        """The item of one row, or nothing when there is no image to learn from."""
        written = as_posix(cells[self.columns.path])
        if not written:
            raise _row_error(self.table, line, "names no image", "each row starts with a path")
        try:
            found = self.finder.find(written)
        except DataError as error:
            raise _row_error(self.table, line, f"is not clear: {error.what}", error.hint) from error
        name, path = found or (written, "")
        reason = self._skip_reason(name, path, label, line)
        self.labels.setdefault(name, label)
        group = "" if self.columns.group is None else group_named(cells[self.columns.group])
        if self.places.setdefault(name, (part, group)) != (part, group):
            hint = "one split and one group for each image"
            raise _row_error(self.table, line, f"puts '{name}' elsewhere than a row above", hint)
        if reason:
            self.skipped.append(Skipped(name, reason))
            return None
        return Item(name, label, ImageFile(path), group or None)

    def _skip_reason(self, name: str, path: str, label: Label, line: int) -> str:
        """Why the image of a row is left out, or nothing."""
        if name in self.labels:
            if self.labels[name] != label:
                hint = "one row per image, several labels joined by |"
                raise _row_error(self.table, line, f"labels '{name}' anew", hint)
            return "named more than once"
        last = name.rpartition("/")[2]
        reason = skip_reason(last, partial(first_bytes_of, path))
        if reason and (path or "." in last.lstrip(".")):
            return reason
        if not path:
            self.missing.append(name)
            return "not there"
        return "" if label is not None else "without a label"

    def refuse_unusable(self, rows: Sequence[tuple[str, Item]]) -> None:
        """Raise `DataError` when the table leaves nothing to learn from."""
        if rows:
            return
        if self.missing:
            raise DataError(
                f"none of the {len(self.missing)} images that '{self.table.place}' names is there, "
                f"such as '{self.missing[0]}'",
                f"paths are relative to '{self.table.folder}': put the table beside the images, or "
                "beside their folder",
            )
        first = f", such as {self.skipped[0]}" if self.skipped else ""
        raise DataError(f"'{self.table.place}' names nothing to learn from{first}", HINT)

    def notes(self, rows: Sequence[tuple[str, Item]]) -> tuple[str, ...]:
        """What is not there: images, and classes with all of theirs."""
        notes: tuple[str, ...] = ()
        if self.missing:
            shown = ", ".join(f"'{name}'" for name in self.missing[:3])
            notes += (f"{len(self.missing)} images of the table are not there: {shown}",)
        read = {item.label for _, item in rows}
        lost = {label for label in self.labels.values() if isinstance(label, str)} - read
        if lost:
            shown = ", ".join(f"'{label}'" for label in sorted(lost)[:3])
            notes += (f"no image of {len(lost)} classes of the table is read: {shown}",)
        return notes


def _row_error(table: Table, line: int, what: str, hint: str) -> DataError:
    return DataError(f"row {line} of '{table.place}' {what}", hint)


def _labels(
    table: Table, columns: Columns, kind: str | None
) -> tuple[list[Label], tuple[str, ...]]:
    """The label of each row, and what is to be known of how they were read."""
    if len(columns.labels) > 1:
        return _one_hot(table, columns.labels, kind)
    column = next(iter(columns.labels))
    title = table.header[column]
    asked, kind = kind, kind or KINDS.get(folded(title), "class")
    texts = [cells[column].strip() for _, cells in table.rows]
    reader = LabelReader(
        kind,
        texts,
        title,
        table.place,
        decimal_comma=table.decimal_comma,
        asked=asked is not None,
    )
    labels: list[Label] = []
    for (line, _), text in zip(table.rows, texts, strict=True):
        try:
            labels.append(reader.read(text))
        except ValueError as error:
            what = f"has '{text}' for a {error}"
            raise _row_error(table, line, what, reader.hint(str(error), text)) from error
    return labels, () if asked else reader.notes()


def _one_hot(
    table: Table, columns: Sequence[int], kind: str | None
) -> tuple[list[Label], tuple[str, ...]]:
    """Labels from columns of 0 and 1: one class where each row has a single 1, else several."""
    names = [class_name(table.header[i]) for i in columns]
    for line, cells in table.rows:
        for i in columns:
            if cells[i].strip().casefold() not in (*TRUE, *FALSE):
                what = f"has '{cells[i]}' in '{table.header[i]}'"
                raise _row_error(table, line, what, "each of these columns holds 0 and 1 alone")
    marked = [
        tuple(n for n, i in zip(names, columns) if cells[i].strip().casefold() in TRUE)
        for _, cells in table.rows
    ]
    single = all(len(labels) == 1 for labels in marked) if kind is None else kind == "class"
    if kind not in (None, "class", "several"):
        raise UsageError(f"columns of 0 and 1 are no {kind}", "write class or several")
    listed = ",".join(table.header[i] for i in columns)
    empty = set(names).difference(*marked)
    notes = tuple(f"no image has the class '{name}'" for name in names if name in empty)
    if not single:
        return list(marked), (f"the columns {listed} are read as several classes", *notes)
    for (line, _), labels in zip(table.rows, marked, strict=True):
        if len(labels) > 1:
            what = f"has several classes: {', '.join(labels)}"
            raise _row_error(table, line, what, f"write '{table.place}::{listed}=several'")
    what = f"the columns {listed} are read as one class per image"
    return [labels[0] if labels else None for labels in marked], (
        f"{what}; for several write '{table.place}::{listed}=several'",
        *notes,
    )
