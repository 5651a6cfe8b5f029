"""Records: dictionaries of keys and values, of JSON or of frames, as a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from saccade.data.sources.cells import Table
from saccade.data.sources.finding import UPLOADED

ADDRESS = re.compile(r"^(https?|s3|gs|azure-blob)://|^/data/upload/")
QUERY = re.compile(r"[?#].*$")  # of an address: ?token=..., and what stands behind a #


def records_table(records: Sequence[Mapping[str, Any]], path: Path, folder: Path) -> Table:
    """A table of records, a column a key; lists stay lists, and an image's address its name."""
    header = list(dict.fromkeys(str(key) for row in records for key in row))
    rows = [[cell_text(row.get(key), folder) for key in header] for row in records]
    return Table(str(path), folder, tuple(header), list(enumerate(rows, start=1)))


def cell_text(value: Any, folder: Path) -> str:
    """What a table has in the cell of a value: nothing for what is none or not a number."""
    if value is None:
        return ""
    if isinstance(value, Mapping) and "choices" in value:
        value = value["choices"]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return local_name(value, folder) if is_address(value) else value
    if isinstance(value, bool | int | float):
        return str(int(value)) if isinstance(value, bool) else "" if value != value else f"{value}"
    listed = isinstance(value, Iterable) and not isinstance(value, Mapping)
    try:
        return json.dumps([*value] if listed else value, ensure_ascii=False, default=str)
    except TypeError:
        return str(value)


def is_address(text: str) -> bool:
    """Whether a text is where Label Studio has a file, and not the file's name."""
    return bool(ADDRESS.match(text)) or "?d=" in text


def local_name(address: str, folder: Path) -> str:
    """The name of the file that Label Studio has an address of."""
    if "?d=" in address:
        return unquote(address.partition("?d=")[2])
    name = unquote(QUERY.sub("", address).rpartition("/")[2])
    return name if (folder / name).is_file() else UPLOADED.sub("", name)
