"""The facts of every image of a source, found in a sandbox, in parallel, and remembered.

What was found is appended to a file of JSON lines as it is found, under the image's path, size and
time of change: a scan that was interrupted goes on, and the next one reads only what changed.  The
sandbox's process runs this file; it needs no torch.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.facts import COLUMNS, VERSION, Facts, facts_of, raw_of, row
from saccade.data.formats import DECODER
from saccade.data.item import ImageFile, Item, LazyImage
from saccade.data.parallel import parallel_map_batches
from saccade.data.sandbox import Message, Sandbox, serve
from saccade.data.sources.archive import ArchivedImage, ZippedImage
from saccade.errors import DataError, ResourceError
from saccade.files import atomic_write

SHAPE = struct.Struct("<QQQ")  # height, width, channels of the pixels that follow; 0: of a file


def inspect_images(images: Sequence[LazyImage], processes: int | None = None) -> Iterator[Facts]:
    """The facts of each image, in order.

    Few images are in memory at a time; leaving the iterator ends the processes.
    """
    with Sandbox("saccade.data.doctor.scan", processes) as sandbox:
        yield from parallel_map_batches(
            images, lambda some: _looked_at(some, sandbox), sandbox.count
        )


def _looked_at(images: Sequence[LazyImage], sandbox: Sandbox) -> list[Facts]:
    some = [raw_of(image) for image in images]
    there = [raw for raw in some if not isinstance(raw, Facts)]
    answers = sandbox.submit([request(raw) for raw in there])
    found = iter([parse_response(*both) for both in zip(answers, there, strict=True)])
    return [raw if isinstance(raw, Facts) else next(found) for raw in some]


def request(raw: bytes | NDArray[np.uint8]) -> Message:
    """What asks the process for the facts of a file, or of pixels [H,W] or [H,W,C]."""
    if isinstance(raw, bytes):
        return SHAPE.pack(0, 0, 0), raw
    return SHAPE.pack(*(*raw.shape, 0)[:3]), np.ascontiguousarray(raw).data.cast("B")


def handle_request(request: bytes) -> Message:
    """What the process says."""
    height, width, channels = SHAPE.unpack_from(request)
    raw = request[SHAPE.size :]
    if height:
        shape = (height, width, channels) if channels else (height, width)
        return [json.dumps(facts_of(np.frombuffer(raw, np.uint8).reshape(shape))).encode()]
    return [json.dumps(facts_of(raw)).encode()]


def parse_response(answer: bytearray | DataError, raw: bytes | NDArray[np.uint8]) -> Facts:
    """The facts that an answer means, or what the process died of."""
    if isinstance(answer, DataError):
        length = len(raw) if isinstance(raw, bytes) else raw.nbytes
        return Facts(length, "", reason=answer.what)
    return Facts(*json.loads(answer))


if __name__ == "__main__":
    serve(handle_request)


Progress = Callable[[int, int], None]  # images done, images in all
Stamp = tuple[str, int, int]  # path, bytes, nanoseconds of last change
HEAD = json.dumps({"saccade doctor": VERSION, "decoder": DECODER})
FLUSHED = 64  # images after which the file is written to


@dataclass(frozen=True)
class Scan:
    """The facts of N images, a row each, and why some could not be read."""

    table: NDArray[np.void]  # [N] of COLUMNS
    reasons: dict[int, str]
    cached: int  # of these images, known from an earlier scan


def scan(
    items: Sequence[Item],
    *,
    progress: Progress | None = None,
    state: Path | None = None,
    processes: int | None = None,
) -> Scan:
    """Load every image; `state` is the file that remembers, made when it is not there."""
    table = np.zeros(len(items), dtype=COLUMNS)
    reasons: dict[int, str] = {}

    def keep(number: int, facts: Facts) -> None:
        table[number] = row(facts)
        if facts.reason:
            reasons[number] = facts.reason

    stamps = _stamps(items) if state else [None] * len(items)
    known = _recall(state, set(stamps)) if state else {}
    todo = []
    for number, stamp in enumerate(stamps):
        facts = known.get(stamp) if stamp else None
        if facts is None:
            todo.append(number)
        else:
            keep(number, facts)
    done = remembered = len(items) - len(todo)
    if progress:
        progress(done, len(items))
    memory = _Memory(state)
    try:
        found = inspect_images([items[number].image for number in todo], processes)
        for number, facts in zip(todo, found):
            keep(number, facts)
            memory.add(stamps[number], facts)
            done += 1
            if progress:
                progress(done, len(items))
    finally:
        memory.close()
    return Scan(table, dict(sorted(reasons.items())), remembered)


class _Memory:
    """Lines added to the state file, some at a time."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file: TextIO | None = None
        self.lines: list[str] = []

    def add(self, stamp: Stamp | None, facts: Facts) -> None:
        if self.path and stamp:
            self.lines.append(json.dumps([*stamp, *facts], ensure_ascii=True))
            if len(self.lines) >= FLUSHED:
                self._write()

    def close(self) -> None:
        self._write()
        if self.file:
            self.file.close()

    def _write(self) -> None:
        if not self.lines or not self.path:
            return
        try:
            self.file = self.file or self.path.open("a", encoding="ascii")
            self.file.write("".join(f"{line}\n" for line in self.lines))
            self.file.flush()
        except OSError as error:
            hint = "give another place for it, or none"
            raise ResourceError(
                f"'{self.path}' cannot be written: {error.strerror}", hint
            ) from error
        self.lines.clear()


def _recall(path: Path, wanted: set[Stamp | None]) -> dict[Stamp | None, Facts]:
    """What the file says of the `wanted` images; leaves it ready to be added to.

    A half line at the end, left by a scan that was killed, is cut off; a file of another version,
    or one of which most is out of date, is written anew.
    """
    try:
        lines = path.read_bytes().decode("ascii", "replace").split("\n") if path.exists() else []
        known: dict[Stamp | None, Facts] = {}
        for line in lines[1:-1] if lines[:1] == [HEAD] else []:
            stamp, facts = _parsed(line)
            if facts and stamp in wanted:
                known[stamp] = facts
        stale = len(lines) - 2 - len(known) > max(1000, len(known))
        if lines[:1] != [HEAD] or lines[-1] or stale:
            kept = [json.dumps([*stamp, *facts]) for stamp, facts in known.items() if stamp]
            atomic_write(path, "".join(f"{line}\n" for line in [HEAD, *kept]))
    except OSError as error:
        hint = "give another place for it, or none"
        raise ResourceError(f"'{path}' cannot be used: {error.strerror}", hint) from error
    return known


def _parsed(line: str) -> tuple[Stamp | None, Facts | None]:
    try:
        name, size, changed, *rest = json.loads(line)
        return (name, size, changed), Facts(*rest)
    except (ValueError, TypeError):
        return None, None


def _stamps(items: Sequence[Item]) -> list[Stamp | None]:
    """What tells that an image is unchanged; None for those that lie in no file."""
    status = lru_cache(maxsize=64)(os.stat)  # of an archive, once for all its members

    def stamp(image: LazyImage) -> Stamp | None:
        if isinstance(image, ImageFile):
            place, member = str(image.location), ""
        elif isinstance(image, ArchivedImage | ZippedImage):
            place, member = image.archive, f":{image.offset}"
        else:
            return None
        try:
            found = status(place)
        except OSError:
            return None
        return os.path.abspath(place) + member, found.st_size, found.st_mtime_ns  # noqa: PTH100

    return [stamp(item.image) for item in items]
