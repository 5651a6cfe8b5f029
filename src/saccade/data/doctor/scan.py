"""Scan: the facts of every image of a source, computed in a sandbox in parallel, and cached.

They are appended to a file of JSON lines as they are computed, under the image's path, size and
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
            images, lambda batch: _inspect_batch(batch, sandbox), sandbox.count
        )


def _inspect_batch(images: Sequence[LazyImage], sandbox: Sandbox) -> list[Facts]:
    raws = [raw_of(image) for image in images]
    readable = [raw for raw in raws if not isinstance(raw, Facts)]
    responses = sandbox.submit([request(raw) for raw in readable])
    facts = iter([parse_response(*pair) for pair in zip(responses, readable, strict=True)])
    return [raw if isinstance(raw, Facts) else next(facts) for raw in raws]


def request(raw: bytes | NDArray[np.uint8]) -> Message:
    """The message that asks the process for the facts of a file, or of pixels [H,W] or [H,W,C]."""
    if isinstance(raw, bytes):
        return SHAPE.pack(0, 0, 0), raw
    return SHAPE.pack(*(*raw.shape, 0)[:3]), np.ascontiguousarray(raw).data.cast("B")


def handle_request(request: bytes) -> Message:
    """The message with which the process answers."""
    height, width, channels = SHAPE.unpack_from(request)
    raw = request[SHAPE.size :]
    if height:
        shape = (height, width, channels) if channels else (height, width)
        return [json.dumps(facts_of(np.frombuffer(raw, np.uint8).reshape(shape))).encode()]
    return [json.dumps(facts_of(raw)).encode()]


def parse_response(response: bytearray | DataError, raw: bytes | NDArray[np.uint8]) -> Facts:
    """The facts in a response, or what the process died of; `raw` pixels are [H,W] or [H,W,C]."""
    if isinstance(response, DataError):
        length = len(raw) if isinstance(raw, bytes) else raw.nbytes
        return Facts(length, "", reason=response.what)
    return Facts(*json.loads(response))


if __name__ == "__main__":
    serve(handle_request)


Progress = Callable[[int, int], None]  # images done, images in all
Stamp = tuple[str, int, int]  # path, bytes, nanoseconds of last change
HEADER = json.dumps({"saccade doctor": VERSION, "decoder": DECODER})
FLUSH_EVERY = 64  # images after which the file is written to


@dataclass(frozen=True)
class Scan:
    """The facts of N images, a row each, and why some could not be read."""

    table: NDArray[np.void]  # [N] of COLUMNS
    reasons: dict[int, str]
    cached: int  # of these images, cached by an earlier scan


def scan(
    items: Sequence[Item],
    *,
    progress: Progress | None = None,
    state: Path | None = None,
    processes: int | None = None,
) -> Scan:
    """Load every image; `state` is the file of cached facts, made when it is not there."""
    table = np.zeros(len(items), dtype=COLUMNS)
    reasons: dict[int, str] = {}

    def store(index: int, facts: Facts) -> None:
        table[index] = row(facts)
        if facts.reason:
            reasons[index] = facts.reason

    stamps = _stamps(items) if state else [None] * len(items)
    known = _read_state(state, set(stamps)) if state else {}
    unknown = []
    for index, stamp in enumerate(stamps):
        facts = known.get(stamp) if stamp else None
        if facts is None:
            unknown.append(index)
        else:
            store(index, facts)
    done = cached = len(items) - len(unknown)
    if progress:
        progress(done, len(items))
    state_file = _StateFile(state)
    try:
        results = inspect_images([items[index].image for index in unknown], processes)
        for index, facts in zip(unknown, results):
            store(index, facts)
            state_file.add(stamps[index], facts)
            done += 1
            if progress:
                progress(done, len(items))
    finally:
        state_file.close()
    return Scan(table, dict(sorted(reasons.items())), cached)


class _StateFile:
    """Lines added to the state file, some at a time."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file: TextIO | None = None
        self.lines: list[str] = []

    def add(self, stamp: Stamp | None, facts: Facts) -> None:
        if self.path and stamp:
            self.lines.append(json.dumps([*stamp, *facts], ensure_ascii=True))
            if len(self.lines) >= FLUSH_EVERY:
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


def _read_state(path: Path, stamps: set[Stamp | None]) -> dict[Stamp | None, Facts]:
    """The cached facts of the images with these `stamps`; leaves the file ready for more.

    A half line at the end, left by a scan that was killed, is cut off; a file of another version,
    or one of which most is out of date, is written anew.
    """
    try:
        lines = path.read_bytes().decode("ascii", "replace").split("\n") if path.exists() else []
        known: dict[Stamp | None, Facts] = {}
        for line in lines[1:-1] if lines[:1] == [HEADER] else []:
            stamp, facts = _parsed(line)
            if facts and stamp in stamps:
                known[stamp] = facts
        stale = len(lines) - 2 - len(known) > max(1000, len(known))
        if lines[:1] != [HEADER] or lines[-1] or stale:
            current = [json.dumps([*stamp, *facts]) for stamp, facts in known.items() if stamp]
            atomic_write(path, "".join(f"{line}\n" for line in [HEADER, *current]))
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
    """Path, size and time of change of each image; None for those that lie in no file."""
    cached_stat = lru_cache(maxsize=64)(os.stat)  # of an archive, once for all its members

    def stamp(image: LazyImage) -> Stamp | None:
        if isinstance(image, ImageFile):
            path, member = str(image.location), ""
        elif isinstance(image, ArchivedImage | ZippedImage):
            path, member = image.archive, f":{image.offset}"
        else:
            return None
        try:
            stat = cached_stat(path)
        except OSError:
            return None
        return os.path.abspath(path) + member, stat.st_size, stat.st_mtime_ns  # noqa: PTH100

    return [stamp(item.image) for item in items]
