"""Lists of names beside images that tell their splits: `train.txt`, `meta/test.txt`, `val.csv`.

Each line begins with the name of an image as far as it tells it apart: with or without the folders
around it and its suffix, as in Food-101 (Bossard 2014) and Speech Commands (Warden 2018).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from saccade.data.item import Skipped
from saccade.data.sources.cells import lines_in
from saccade.data.sources.split_names import WITHIN, split_within
from saccade.errors import DataError

LISTS = (".txt", ".csv", ".tsv", ".lst", ".list")
TABLES = (*LISTS, ".json", ".jsonl", ".xlsx", ".parquet", ".mat")  # what may tell of a split
OF_SPLITS = re.compile("(?<![a-z])(?:splits?|folds?|partitions?|subsets?)(?![a-z])")
LARGEST = 64 * 2**20  # bytes
FOLDERS = 1  # around a list, below the data


def listed_splits(
    root: Path, skipped: Iterable[Skipped], names: Sequence[str]
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The split of each image that lists below `root` name, and notes on what was read.

    `skipped` are the files that are no images.  A file counts as a list when its name holds the
    word of a split and most of its lines name an image.  Raises `DataError` for an image on the
    lists of two splits.
    """
    splits: dict[str, str] = {}
    read, unread = [], []
    index: Mapping[str, str] = {}
    for name in sorted(entry.name for entry in skipped if _tells_of_split(entry.name)):
        split = split_within(PurePosixPath(name).stem)
        index = index or _index(names)
        lines = _lines(root / name) if split else []
        found = [match for line in lines if (match := _match(line, index))]
        if not split or 2 * len(found) <= len(lines):
            unread.append(name)
            continue
        for image in found:
            if splits.setdefault(image, split) != split:
                raise on_two_lists(image, (splits[image], split), root, name)
        missing = len(lines) - len(found)
        absent = f", {missing} others are not there" if missing > 1 else ""  # one may be a header
        read.append(f"'{name}' names {len(found):,} images of {split}{absent}")
    notes = (f"splits are read from lists: {'; '.join(read)}",) if read else ()
    return splits, notes + _unread_note(unread, "give a table with path, label and split")


def on_two_lists(image: str, splits: tuple[str, str], root: Path, name: str) -> DataError:
    """The error for an image on the lists of two splits below `root`, one in the file `name`."""
    what = f"'{image}' is on the lists of {splits[0]} and {splits[1]} in '{root}'"
    return DataError(what, f"take it off '{name}' or the other")


def unread_lists(
    skipped: Iterable[Skipped], _names: Sequence[str]
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The splits of no image, and a note where lists lie in an archive, for none is read."""
    unread = sorted(entry.name for entry in skipped if _tells_of_split(entry.name))
    return {}, _unread_note(unread, "unpack the archive")


def _unread_note(unread: Sequence[str], hint: str) -> tuple[str, ...]:
    if not unread:
        return ()
    more = f", nor are {len(unread) - 1} more" if unread[1:] else ""
    what = f"'{unread[0]}' lies beside the images and is not read{more}"
    return (f"{what}: if it tells the splits, {hint}",)


def _tells_of_split(name: str) -> bool:
    path = PurePosixPath(name)
    words = path.stem.casefold()
    return (
        path.suffix.lower() in TABLES
        and len(path.parts) <= FOLDERS + 1
        and any(pattern.search(words) for pattern in (*WITHIN.values(), OF_SPLITS))
    )


def _lines(path: Path) -> list[str]:
    """The lines of a list; none of a file that is none."""
    try:
        if path.suffix.lower() not in LISTS or path.stat().st_size > LARGEST:
            return []
        return lines_in(path)
    except (DataError, OSError):
        return []


def _match(line: str, index: Mapping[str, str]) -> str:
    """The image that a line names, by all of it, its first cell or its first word; or nothing."""
    for cell in (line, re.split(r"[,;\t]", line)[0], line.split()[0]):
        key = cell.strip().strip('"').replace("\\", "/").removeprefix("./")
        while key not in index and key.count("/") > 1:  # folders of another machine
            key = key.partition("/")[2]
        if image := index.get(key):
            return image
    return ""


def _index(names: Iterable[str]) -> Mapping[str, str]:
    """The images by all that a list may call them; "" for what would be two."""
    index: dict[str, str] = {}
    for name in names:
        for key in _keys(name):
            index[key] = name if index.get(key, name) == name else ""
    return index


def _keys(name: str) -> Iterator[str]:
    tail = name
    while True:
        yield tail
        yield tail.rpartition(".")[0]
        _, slash, tail = tail.partition("/")
        if not slash:
            return
