"""split.csv: a row for each image of a run, with its label, its split and its group."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from saccade.data.classes import refuse_unknown
from saccade.data.item import Item, Source, label_text
from saccade.data.splits import SPLITS, DataSplit, refuse_trainless, used
from saccade.errors import DataError
from saccade.files import atomic_write, read_utf8
from saccade.words import LineFeeds


def write_split(path: Path, data_split: DataSplit) -> None:
    """Write a table `name,label,split[,group]` that anyone can read; same split, same bytes."""
    splits = used(data_split) | {"unused": data_split.unused}
    grouped = any(item.group is not None for items in splits.values() for item in items)
    text = io.StringIO()
    table = csv.writer(LineFeeds(text))
    table.writerow(("name", "label", "split", "group")[: 4 if grouped else 3])
    for split, items in splits.items():
        for item in items:
            row = (item.name, label_text(item.label), split, item.group or "")
            table.writerow(row[: 4 if grouped else 3])
    atomic_write(path, text.getvalue())


def read_split(path: Path, source: Source, classes: tuple[str, ...] = ()) -> DataSplit:
    """The split in the table at `path`, its items taken from `source` by name.

    Images that came since are in no split; that, and labels that have changed, is noted, and
    nothing else.  Raises `DataError` for images that have gone, for a class that is none of
    `classes`, if given, and for a split without images to train on.
    """
    rows = split_rows(path)
    items = {item.name: item for split in source.splits for item in source.read(split)}
    where = f"'{source.name}'"
    _refuse_difference(rows.keys() - items.keys(), f"'{path}' names", f"that {where} lacks")
    if classes:
        refuse_unknown((items[name] for name in rows), classes, where)
    splits: dict[str, list[Item]] = {split: [] for split in SPLITS}
    for name, item in items.items():
        if (row := rows.get(name)) is not None:
            group = row.group or None
            splits[row.split].append(item if item.group == group else replace(item, group=group))
    notes: tuple[str, ...] = ()
    if came := [name for name in items if name not in rows]:
        notes += (f"{len(came):,} images came since the split and are not used: {_named(came)}",)
    changed = [name for name, row in rows.items() if row.label != label_text(items[name].label)]
    if changed:
        notes += (f"{len(changed)} labels have changed since the split, such as '{changed[0]}'",)
    train, val, test, unused = (tuple(splits[split]) for split in SPLITS)
    refuse_trainless(train)
    return DataSplit(train, val, test, classes or source.classes, notes, unused)


class SplitRow(NamedTuple):
    """What the file tells of an image."""

    label: str  # as one cell of a table
    split: str  # of SPLITS
    group: str  # empty for an image of none


def split_rows(path: Path) -> dict[str, SplitRow]:
    """The rows by the names of their images; raises `DataError` for a damaged file."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_utf8(path), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"'{path}' cannot be read as a split: {error}", "each row is name,label,split"
        ) from error
    entries: dict[str, SplitRow] = {}
    for line, row in enumerate(rows, start=2):
        name, split = row.get("name"), row.get("split")
        if not name or split not in SPLITS:
            raise DataError(
                f"row {line} of '{path}' has the name '{name}' and the split '{split}'",
                f"each row is name,label,split with a split of {', '.join(SPLITS)}",
            )
        if name in entries:
            raise DataError(f"'{path}' names '{name}' twice", "an image lies in one part only")
        entries[name] = SplitRow(row.get("label") or "", split, row.get("group") or "")
    if not entries:
        raise DataError(f"'{path}' names no image", "each row is name,label,split")
    return entries


def _refuse_difference(names: Iterable[str], subject: str, complement: str) -> None:
    """Raise `DataError` with the count and the first examples when there are such names."""
    differing = sorted(names)
    if differing:
        raise DataError(
            f"{subject} {len(differing)} images {complement}: {_named(differing)}",
            "images were removed, renamed or moved since: put them back, or train anew",
        )


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:3])
