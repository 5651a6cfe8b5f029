"""Pictures named one by one, or by folder, without labels: what is to be predicted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from saccade.data.classes import natural
from saccade.data.source import Encoded, File, Item
from saccade.data.sources.layout import why_no_picture
from saccade.errors import DataError, UsageError

STANDARD_INPUT = "-"


def unlabelled(images: Sequence[str | Path]) -> list[Item]:
    """Picture files, the pictures in folders, and `-` for standard input, as items."""
    items: list[Item] = []
    for image in images:
        path = Path(image)
        if str(image) == STANDARD_INPUT:
            items.append(Item(STANDARD_INPUT, None, Encoded(sys.stdin.buffer.read())))
        elif path.is_dir():
            items += _inside(path)
        elif path.exists():
            items.append(Item(str(path), None, File(path)))
        else:
            raise DataError(f"there is no picture '{path}'", "name a file or a folder of pictures")
    if not items:
        raise UsageError("no picture is named", "name files or folders of pictures")
    return items


def _inside(folder: Path) -> list[Item]:
    files = [f for f in folder.rglob("*") if not why_no_picture(f.name) and f.is_file()]
    if not files:
        raise DataError(f"there is no picture in '{folder}'")
    return [Item(str(f), None, File(f)) for f in sorted(files, key=lambda f: natural(str(f)))]
