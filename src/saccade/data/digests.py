"""digests: what pictures contain, in 32 bytes each; a file that was read once is not read again.

Beside each file's digest stand its size, inode and times to the nanosecond.  While these are the
same the digest counts, as in git; of a file changed within the last seconds none is kept, since it
could change once more within the clock's tick.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from saccade.data.reading import cores, each
from saccade.data.source import File, Item

SETTLED = 3.0  # seconds after which a file's times tell its contents apart
SCHEMA = "CREATE TABLE IF NOT EXISTS digests (place TEXT PRIMARY KEY, stamp TEXT, digest BLOB)"


@dataclass(frozen=True)
class Stamp:
    """What tells, without reading it, whether a file is as it was."""

    place: str
    text: str
    settled: bool


def digests(items: Sequence[Item], memory: Path) -> list[bytes]:
    """The SHA-256 of every picture's contents; `memory` is the file that remembers them."""
    stamps = list(each(items, _stamp, cores()))
    found = _recalled(memory, stamps)
    unread = [k for k in range(len(items)) if k not in found]
    found.update(zip(unread, each([items[k] for k in unread], _content, cores())))
    fresh = [(stamps[k], found[k]) for k in unread]
    _remember(memory, [(s.place, s.text, d) for s, d in fresh if s is not None and s.settled])
    return [found[k] for k in range(len(items))]


def _stamp(item: Item) -> Stamp | None:
    """For pictures in files of their own; the others are in memory or in archives."""
    if not isinstance(item.picture, File):
        return None
    try:
        path = item.picture.path.absolute()
        status = path.stat()
    except OSError:
        return None
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    text = f"{status.st_size} {status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns}"
    return Stamp(str(path), text, settled=changed / 1e9 < time.time() - SETTLED)


def _content(item: Item) -> bytes:
    try:
        raw = item.picture.read()
    except Exception as error:  # it will be listed; once it can be read it is another set
        return hashlib.sha256(b"unread" + str(error).encode()).digest()
    if isinstance(raw, bytes):
        return hashlib.sha256(raw).digest()
    return hashlib.sha256(f"{raw.dtype}{raw.shape}".encode() + raw.tobytes()).digest()


def _recalled(memory: Path, stamps: Sequence[Stamp | None]) -> dict[int, bytes]:
    """The digests of unchanged files; fewer, or none, when the memory cannot be used."""
    found = {}
    with suppress(sqlite3.Error), closing(sqlite3.connect(memory)) as store:
        query = "SELECT digest FROM digests WHERE place = ? AND stamp = ?"
        for k, stamp in enumerate(stamps):
            if stamp is not None:
                row = store.execute(query, (stamp.place, stamp.text)).fetchone()
                if row is not None:
                    found[k] = row[0]
    return found


def _remember(memory: Path, rows: Sequence[tuple[str, str, bytes]]) -> None:
    with suppress(sqlite3.Error, OSError):  # what is not remembered is read again, no more
        memory.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(memory)) as store, store:
            store.execute(SCHEMA)
            store.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", rows)
