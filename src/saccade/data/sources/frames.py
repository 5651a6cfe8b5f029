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
from saccade.data.sources.exports import records_table
from saccade.errors import DataError
from saccade.files import atomic_write, cache_folder
from saccade.words import LineFeeds


def is_frame(data: object) -> bool:
    """Whether `data` is a pandas DataFrame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def frame_table(frame: Any) -> Table:
    """The table in a frame; names of images are relative to the current folder."""
    records = [
        {str(k): None if v is None or v != v else v for k, v in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]
    return records_table(records, Path("frame"), Path())


def written_frame(frame: Any) -> str:
    """The file, in the cache, of a frame's table with whole paths, to be found again from anywhere.

    One frame is one file: the same cells give the same name.
    """
    table = frame_table(frame)
    column, _ = path_column(table)
    if column is None:
        raise DataError(
            f"the frame has no column path: its columns are {', '.join(table.header)}",
            "none of them names files below the current folder; call the one of images path",
        )
    text = io.StringIO()
    writer = csv.writer(LineFeeds(text))
    writer.writerow(table.header)
    for _, cells in table.rows:
        named = [*cells]
        named[column] = str(Path(cells[column]).absolute())
        writer.writerow(named)
    digest = hashlib.sha256(text.getvalue().encode("utf-8", "surrogatepass")).hexdigest()[:16]
    file = cache_folder() / "frames" / f"frame-{digest}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, text.getvalue())
    return str(file)
