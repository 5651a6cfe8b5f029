"""Slices: the pictures in parts, by group, folder, column of a table, or pattern in their names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from saccade.data.classes import natural
from saccade.data.grouping import Grouping, by_folder, by_pattern, by_source
from saccade.data.source import Item
from saccade.data.sources.manifest import cells_of
from saccade.data.sources.opening import TABLES
from saccade.engine.evaluate import Evaluated
from saccade.errors import DataError, UsageError
from saccade.evaluation.readable import Readable
from saccade.results import Slice
from saccade.tasks.task import Task

MOST = 200  # slices: with more, each holds too few pictures to say anything
APART = "(none)"  # the slice of pictures that belong to no other


def part_of_each(items: Sequence[Item], by: str, data: str | None) -> dict[str, str]:
    """The slice that each item is in, by its name; `data` is where they come from.

    `by` is group, folder, a table with its column as in `weather.csv::sky`, a column of the table
    that `data` is, or a regular expression on names: what its first group finds.
    """
    grouping = _grouping(by, data)
    parts = {item.name: grouping(item) or APART for item in items}
    count = len(set(parts.values()))
    if set(parts.values()) == {APART}:
        raise UsageError(
            f"'{by}' tells nothing of these pictures, such as '{items[0].name}'",
            "write group, folder, a column of the table, table.csv::column, or a pattern of names",
        )
    if count > MOST:
        raise UsageError(
            f"'{by}' makes {count} slices of {len(items)} pictures, more than {MOST}",
            "name something that many pictures share",
        )
    return parts


def slices(
    task: Task, found: Evaluated, ready: Readable, parts: Mapping[str, str], number: str
) -> tuple[Slice, ...]:
    """The number of this name of each of `parts`, in their natural order."""
    places: dict[str, list[int]] = {}
    for at, item in enumerate(ready.items):
        if item.name in parts:
            places.setdefault(parts[item.name], []).append(at)
    made = []
    for part in sorted(places, key=natural):
        at = torch.tensor(places[part])
        groups = None if ready.groups is None else ready.groups[at]
        one = task.measured(found.predictions[at], found.targets[at], groups)[number]
        value = one.value if math.isfinite(one.value) else math.nan  # of too few pictures
        made.append(Slice(part, replace(one, value=value)))
    return tuple(made)


def _grouping(by: str, data: str | None) -> Grouping:
    place, _, column = by.partition("::")
    if by == "group":
        return by_source
    if by == "folder":
        return by_folder
    if Path(place).suffix.lower() in TABLES:
        if not Path(place).is_file():
            raise DataError(f"there is no table '{place}'", "check the path")
        return _by_cells(cells_of(Path(place), column))
    source = Path((data or "").partition("::")[0])
    if source.suffix.lower() in TABLES and source.is_file():
        try:
            return _by_cells(cells_of(source, by))
        except DataError:  # no column of it
            return by_pattern(by)
    return by_pattern(by)


def _by_cells(cells: Mapping[str, str]) -> Grouping:
    return lambda item: cells.get(item.name)
