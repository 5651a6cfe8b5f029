"""Object table: objects of Python in the cache, images in files and a table beside them.

It is named by the digest of all that they hold: the same objects are the same table, which a run
finds again, and a training goes on from.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from saccade.data.image_objects import suffix_of
from saccade.data.item import Label
from saccade.data.sources.frame_images import holds_images, with_files
from saccade.data.sources.frames import is_frame, written_frame
from saccade.data.sources.object_labels import HINT, Marks
from saccade.data.sources.objects import WHAT, samples
from saccade.errors import DataError
from saccade.files import as_utf8, cache_folder, disk_errors
from saccade.words import LineFeeds

TABLE = "images.csv"
Row = tuple[str, Label, str]  # path, label, split
TITLES: dict[type, str] = {str: "label", tuple: "labels", Marks: "labels", float: "value"}
KINDS = {
    "label": "::label=class",
    "labels": "::labels=several",
    "value": "",
}  # as the table is read


def written_table(data: object, *, labelled: bool = True) -> str | Path | None:
    """Where data lie: a path or a name as it is, objects in the table that is written of them.

    Raises `DataError` for what cannot be read as images, or as labels where these are needed, and
    `ResourceError` where the cache cannot be written.
    """
    if data is None or isinstance(data, str | Path):
        return data
    if isinstance(data, PathLike):
        return Path(data)
    if is_frame(data):
        return written_frame(with_files(data) if holds_images(data) else data)
    return _written(data, labelled)


def _written(data: object, labelled: bool) -> str:
    """The table of all samples in the cache, with their images beside it."""
    root = cache_folder() / "objects"
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=root, prefix="."))
    try:
        rows, digest = _rows(data, labelled, temporary)
        _refuse_one_hot(rows)
        title = _title(rows, labelled)
        text = as_utf8(_table(rows, title))
        _write(temporary / TABLE, text)
        digest.update(text)
        folder = root / digest.hexdigest()[:16]
        with disk_errors(folder):
            _move(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return f"{folder / TABLE}{KINDS[title] if title else ''}"


def _write(file: Path, content: bytes) -> None:
    with disk_errors(file):
        file.write_bytes(content)


def _move(temporary: Path, folder: Path) -> None:
    """Give a folder its name, unless one is there already, which then holds the same."""
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _rows(data: object, labelled: bool, folder: Path) -> tuple[list[Row], Any]:
    """Path, label and split of every sample, and a digest of the images written into `folder`."""
    rows: list[Row] = []
    digest = hashlib.sha256()
    for n, sample in enumerate(samples(data, labels=labelled)):
        if isinstance(sample.image, str):
            path = str(Path(sample.image).absolute())
        else:
            path = f"image {n}{suffix_of(sample.image)}"
            _write(folder / path, sample.image)
            digest.update(hashlib.sha256(sample.image).digest())
        rows.append((path, sample.label, sample.split))
    return rows, digest


def _refuse_one_hot(rows: Sequence[Row]) -> None:
    """Raise `DataError` for 0s and 1s with a single 1 for every image: a class, or several?"""
    if all(isinstance(label, Marks) and len(label) == 1 for _, label, _ in rows):
        raise DataError(
            f"the labels are 0s and 1s with exactly one 1 for each of {len(rows):,} images: one "
            "class an image, or several?",
            "for one class give labels.argmax(1); for several a list of names for each image, as "
            "in [[str(k) for k, mark in enumerate(row) if mark] for row in labels]",
        )


def _title(rows: Sequence[Row], labelled: bool) -> str:
    """The title of the column of labels; "" without labels, where none is needed."""
    found = {TITLES[type(label)] for _, label, _ in rows if label is not None}
    if len(found) > 1:
        raise DataError(f"some labels are {' and some '.join(sorted(found))}", HINT)
    if not found and labelled:
        raise DataError("the images that were given have no labels", WHAT)
    return next(iter(found), "")


def _table(rows: Sequence[Row], title: str) -> str:
    text = io.StringIO()
    writer = csv.writer(LineFeeds(text))
    divided = any(split for *_, split in rows)
    writer.writerow(["path", *([title] if title else []), *(["split"] if divided else [])])
    for path, label, split in rows:
        cells = [path, *([_cell(label)] if title else []), *([split] if divided else [])]
        writer.writerow(cells)
    return text.getvalue()


def _cell(label: Label) -> str:
    if isinstance(label, tuple):
        return json.dumps([*label], ensure_ascii=False)
    return "" if label is None else str(label)
