"""Frames: pandas DataFrames as tables of images; pandas is not imported for it."""

from __future__ import annotations

import csv
import hashlib
import io
import sys
from pathlib import Path
from typing import Any

from saccade.data.sources.cells import Table
from saccade.data.sources.columns import path_column
from saccade.data.sources.records import cell_text
from saccade.errors import DataError
from saccade.files import atomic_write, cache_folder, disk_errors
from saccade.words import LineFeeds


def is_frame(data: object) -> bool:
    """Whether `data` is a pandas DataFrame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def frame_table(frame: Any) -> Table:
    """The table in a frame; names of images are relative to the current folder."""
    header = tuple(map(str, frame.columns))
    missing = frame.isna().to_numpy()
    cells = frame.astype(object).to_numpy()
    rows = [
        [cell_text(None if gone else value, Path()) for value, gone in zip(*row, strict=True)]
        for row in zip(cells, missing, strict=True)
    ]
    return Table("frame", Path(), header, list(enumerate(rows, start=1)))


def path_column_of(table: Table) -> int:
    """The position of the column of paths in a frame's table; raises `DataError` without one."""
    column, _ = path_column(table)
    if column is None:
        raise DataError(
            f"the frame has no column path: its columns are {', '.join(table.header)}",
            "none of them names files below the current folder; call the one of images path",
        )
    return column


def written_frame(frame: Any) -> str:
    """The file, in the cache, of a frame's table with whole paths, to be found again from anywhere.

    One frame is one file: the same cells give the same name.  Raises `ResourceError` where the
    cache cannot be written.
    """
    table = frame_table(frame)
    column = path_column_of(table)
    text = io.StringIO()
    writer = csv.writer(LineFeeds(text))
    writer.writerow(table.header)
    for _, cells in table.rows:
        named = [*cells]
        named[column] = str(Path(cells[column]).absolute())
        writer.writerow(named)
    digest = hashlib.sha256(text.getvalue().encode("utf-8", "surrogatepass")).hexdigest()[:16]
    file = cache_folder() / "frames" / f"frame-{digest}.csv"
    with disk_errors(file):
        atomic_write(file, text.getvalue())
    return str(file)
