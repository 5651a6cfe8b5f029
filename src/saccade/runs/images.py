"""images.csv: what each image of a run held when it began, and what has become of it since.

A row an image: its name, the digest of its contents, and what the doctor tells near copies by.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.command import Command
from saccade.data.doctor.duplicates import alike_by_hash, candidate_pairs, confirmed_pairs
from saccade.data.doctor.facts import COLUMNS, DIGEST_SIZE
from saccade.data.doctor.scan import scan
from saccade.data.item import EncodedImage, Item, Source
from saccade.data.sources import absolute_location, open_source
from saccade.data.sources.data_spec import DataSpec
from saccade.data.split_table import read_split, split_rows
from saccade.data.splits import DataSplit
from saccade.data.store import digests
from saccade.errors import DataError, SaccadeError
from saccade.files import atomic_write, cache_folder, disk_errors
from saccade.runs.run import Run
from saccade.words import LineFeeds

FILE = "images.csv"
HASHES = ("phash", "dhash")  # 16 hex digits
NUMBERS = ("width", "height", "structure", "entropy")
TITLES = ("name", "digest", *HASHES, *NUMBERS)
MAX_COMPARED = 100_000  # images, up to which near copies are looked for


def write_images(folder: Path, items: Sequence[Item], facts: Mapping[str, Any]) -> None:
    """Write images.csv; `facts` are the doctor's rows by name, of what it has seen."""
    unseen = [item for item in items if item.name not in facts]
    digest_of = dict(zip((item.name for item in unseen), contents(unseen), strict=True))
    out = io.StringIO()
    table = csv.writer(LineFeeds(out))
    table.writerow(TITLES)
    for item in items:
        if item.name in digest_of:
            table.writerow((item.name, digest_of[item.name]))
            continue
        row = facts[item.name]
        hashes = (f"{int(row[name]):016x}" for name in HASHES)
        numbers = (f"{row[name].item():.6g}" for name in NUMBERS)
        table.writerow((item.name, row["digest"].decode(), *hashes, *numbers))
    atomic_write(folder / FILE, out.getvalue())


def read_images(folder: Path) -> dict[str, np.void]:
    """A row [] of `COLUMNS` by each image's name; none for a run of an earlier version."""
    if not (folder / FILE).is_file():
        return {}
    try:
        with (folder / FILE).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        table = np.zeros(len(rows), dtype=COLUMNS)
        for row, cells in zip(table, rows, strict=True):
            row["digest"], row["readable"] = cells["digest"], bool(cells["digest"])
            for name in HASHES:
                row[name] = int(cells[name] or "0", 16)
            for name in NUMBERS:
                row[name] = float(cells[name] or 0)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        hint = "without the file what has changed since is not noticed"
        raise DataError(f"'{folder / FILE}' cannot be read: {error}", hint) from error
    return {cells["name"]: row for cells, row in zip(rows, table, strict=True)}


def contents(items: Sequence[Item]) -> list[str]:
    """The digest of each image's contents, as of `facts.digest`; files unchanged are not read."""
    found = digests(items, cache_folder() / "digests.sqlite")
    return [whole[:DIGEST_SIZE].hex() for whole in found]


def changed_since(run: Run, items: Sequence[Item]) -> list[str]:
    """The names of those `items` that hold something else than when the run began."""
    known = read_images(run.path)
    then = [item for item in items if item.name in known and known[item.name]["digest"]]
    now = contents(then)
    return [i.name for i, digit in zip(then, now) if known[i.name]["digest"].decode() != digit]


def change_note(run: Run, items: Sequence[Item]) -> list[str]:
    """A note on images that were replaced since the run began."""
    changed = changed_since(run, items)
    if not changed:
        return []
    return [f"{len(changed):,} images hold something else since the run began: {_named(changed)}"]


def source_of(run: Run) -> Source:
    """The source that the run was trained on, where it lies now."""
    try:
        return open_source(run.data)
    except DataError as error:
        command = Command.of("evaluate", run.path, data="FOLDER")
        hint = f"where its images lie now is said by: {command}"
        raise DataError(f"{error.what}: the run '{run.path}' was trained on it", hint) from error


def split_of(run: Run) -> DataSplit:
    """The images of the run, in its splits; `DataError` for other images or other classes."""
    return read_split(run.path / "split.csv", source_of(run), run.classes)


def move(run: Run, data: str | Path) -> None:
    """Keep in the run that its images lie at `data` now.

    Raises `DataError` where names, classes or contents are not those that the run began with.
    """
    data = DataSpec.of(data).with_options_of(run.data)
    division = read_split(run.path / "split.csv", open_source(data), run.classes)
    if changed := changed_since(run, division.items):
        raise DataError(
            f"{len(changed):,} images of '{data}' hold something else than when '{run.path}' "
            f"began: {_named(changed)}",
            f"to measure on them as other data: {Command.of('evaluate', run.path, data)}",
        )
    with disk_errors(run.path / "log.jsonl"):
        run.log("moved", data=absolute_location(data))


def training_overlap(run: Run, items: Sequence[Item], state: Path | None) -> tuple[int, int]:
    """How many `items` are training images of `run`, and how many more are near copies of one.

    Contents are compared, so that names and places do not matter; near copies as the doctor finds
    them, by pixels where the training image can still be read and else by hashes within few bits.
    `state` is a file of the doctor's facts.
    """
    known, rows = read_images(run.path), split_rows(run.path / "split.csv")
    trained = [name for name in known if name in rows and rows[name].split == "train"]
    learned = {known[name]["digest"] for name in trained} - {b""}
    if not any(known[name]["structure"] for name in trained) or len(items) > MAX_COMPARED:
        return sum(content.encode() in learned for content in contents(items)), 0
    table = scan(items, state=state).table
    copied = np.isin(table["digest"], list(learned))
    near = _near_copies([known[name] for name in trained], trained, run, items, table)
    return int(copied.sum()), int((near & ~copied).sum())


def _near_copies(
    known: Sequence[np.void],
    names: Sequence[str],
    run: Run,
    items: Sequence[Item],
    table: NDArray[np.void],
) -> NDArray[np.bool_]:
    """Which of N `items`, with their facts `table` [N], are near copies of the images `names`."""
    both = np.concatenate([np.array(known, dtype=COLUMNS), table])
    pairs = candidate_pairs(both, np.flatnonzero(both["readable"]))
    pairs = pairs[(pairs[:, 0] < len(names)) & (pairs[:, 1] >= len(names))]
    there = _readable(run)
    seen = np.array([names[first] in there for first in pairs[:, 0].tolist()], dtype=np.bool_)
    first = Item("", None, EncodedImage(b""))  # stands for what is not looked at
    training = [there.get(name, first) for name in names]
    certain = confirmed_pairs(pairs[seen], both, [*training, *items])
    likely = alike_by_hash(pairs[~seen], both)
    near = np.zeros(len(both), dtype=np.bool_)
    near[np.concatenate([certain, likely])[:, 1]] = True
    return near[len(names) :]


def _readable(run: Run) -> dict[str, Item]:
    """The images of the run's data by name; none where they are gone."""
    try:
        source = open_source(run.data)
    except (SaccadeError, OSError):
        return {}
    return {item.name: item for split in source.splits for item in source.read(split)}


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:3])
