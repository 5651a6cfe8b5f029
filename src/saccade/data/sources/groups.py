"""Groups by what a person wrote: data.group and --by; what groups nothing is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from saccade.data.grouping import Grouping, by_folder, by_pattern, by_source
from saccade.data.sources.data_spec import DataSpec
from saccade.data.sources.exports import TABLES, table_at
from saccade.data.sources.labels import group_named
from saccade.data.sources.table import column_values
from saccade.errors import DataError, without_effect

SOURCE = "source"  # as the source gives them, if it does
HINT = "write group, folder, a column of the table, table.csv::column, or a pattern of names"


def grouping_of(text: str, data: str | Path | None) -> Grouping:
    """The grouping that `text` names; `data` is the source of the images.

    It is group (the groups that the source gives), folder, a table with its column as in
    weather.csv::sky, a column of the table that `data` is, or a regular expression on names: what
    its first group finds.
    """
    table, _, column = text.partition("::")
    if Path(table).suffix.lower() in TABLES:
        if not Path(table).is_file():
            raise DataError(f"there is no table '{table}'", "check the path")
        return _by_cells(column_values(Path(table), column))
    if text in ("group", SOURCE):
        return by_source
    if (cells := _column_of(data, text)) is not None:
        return _by_cells(cells)
    return by_folder if text == "folder" else by_pattern(text)


def refuse_idle(setting: str, names: Mapping[str, str | None]) -> None:
    """Raise `UsageError` where a setting parts nothing; `names` are the images' groups by name.

    It may tell nothing of the images, or make one group of all.
    """
    found = set(names.values())
    if found == {None}:
        raise without_effect(setting, "tells nothing of these images", names.items(), HINT)
    if len(found) == 1 and len(names) > 1:
        raise without_effect(setting, "makes one group of all images", names.items(), HINT)


def refuse_alone(setting: str, names: Mapping[str, str | None]) -> None:
    """Raise `UsageError` where a setting makes a group of each image."""
    found = [name for name in names.values() if name is not None]
    if len(set(found)) == len(found) > 1:
        raise without_effect(setting, "makes a group of each image", names.items(), HINT)


def grouping_note(setting: str, names: Mapping[str, str | None]) -> str:
    """How many groups a setting makes, and of which images it makes none."""
    counts = Counter(name for name in names.values() if name is not None)
    note = f"{setting} makes {len(counts):,} groups, such as '{next(iter(counts))}'"
    if alone := [image for image, name in names.items() if name is None]:
        note += f"; {len(alone):,} images are in none and stand alone, such as '{alone[0]}'"
    return note


def _column_of(data: str | Path | None, column: str) -> Mapping[str, str] | None:
    """The cells of a column by image name, where `data` is a table that has it.

    Raises `DataError` where the table has it twice, or does not say which image a row is of.
    """
    spec = DataSpec.of(data or "")
    if not spec.is_table:
        return None
    try:
        table = table_at(spec.path)
    except DataError:  # a list of paths, with a pattern
        return None
    return None if table.column(column) is None else column_values(spec.path, column)


def _by_cells(cells: Mapping[str, str]) -> Grouping:
    return lambda item: group_named(cells.get(item.name, "")) or None
