"""The disk cache: decoded images, one folder for each set of images and way of decoding.

An entry, the folder, holds `pixels.npy` [N,C,H,W] and `about.json`.  It is written beside its
place, flushed and renamed, so what stands there is whole; what differs in size or digest from what
`about.json` says is thrown away and written anew.  Two that write the same entry at once both
finish, and the first one's stays.

A set is known by what its images contain, 32 bytes each; a file that was read once is not read
again.  Beside each file's digest stand its size, inode and times to the nanosecond.  While these
are the same the digest counts, as in git; of a file changed within the last seconds none is kept,
since it could change once more within the clock's tick.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import struct
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch
from torch import Tensor

from saccade.data.decode import Preprocessing
from saccade.data.formats import DECODER
from saccade.data.item import ImageFile, Item, Skipped
from saccade.data.parallel import parallel_map
from saccade.device import cpu_count
from saccade.errors import ResourceError

HEADER = 128  # bytes before the pixels
NORMALIZATION_FIELDS = ("mean", "std")  # settings that leave the decoded bytes as they are


@dataclass(frozen=True, eq=False)
class CacheEntry:
    """What the shelf knows of one set of images."""

    rows: Tensor | None  # uint8 [N,C,H,W], mapped; None when only the failures are kept
    failed: dict[int, str]  # position among the items, and the reason


@dataclass(frozen=True)
class DiskCache:
    """A folder of books, with their pixels or with nothing but which images failed."""

    folder: Path
    pixels: bool

    def open(self, key: str) -> CacheEntry | None:
        """The book of that key if it is there and whole."""
        place = self._place(key)
        try:
            about = json.loads((place / "about.json").read_text())
            failed = {int(position): reason for position, reason in about["failed"]}
            if not self.pixels:
                return CacheEntry(None, failed)
            shape = tuple(about["shape"])
            file = place / "pixels.npy"
            if file.stat().st_size != HEADER + int(np.prod(shape)):
                return None
            if _digest(file) != about["sha256"]:
                return None
            return CacheEntry(_mapped(file, shape), failed)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(
        self,
        key: str,
        shape: tuple[int, int, int],
        results: Iterable[tuple[int, Tensor | Skipped]],
    ) -> CacheEntry:
        """The book of these results, by position, in order; each [C,H,W] as `shape` says."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _sweep(self.folder)
            building = self.folder / f".{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
            building.mkdir()
        except OSError as error:
            raise self._refused(error) from error
        try:
            about = self._fill(building / "pixels.npy", shape, results)
            _flushed(building / "about.json", json.dumps(about).encode())
            self._publish(building, key)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
        book = self.open(key)
        if book is None:
            raise ResourceError(f"what was written to '{self._place(key)}' does not read back")
        return book

    def _fill(
        self,
        file: Path,
        shape: tuple[int, int, int],
        results: Iterable[tuple[int, Tensor | Skipped]],
    ) -> dict[str, Any]:
        failed, kept, digest = [], 0, hashlib.sha256()
        with file.open("wb") as stream:
            stream.write(bytes(HEADER))
            for position, result in results:
                if isinstance(result, Skipped):
                    failed.append((position, result.reason))
                elif self.pixels:
                    row = result.numpy().tobytes()
                    digest.update(row)
                    stream.write(row)
                    kept += 1
            stream.seek(0)
            stream.write(_header((kept, *shape)))
            stream.flush()
            os.fsync(stream.fileno())
        return {"failed": failed, "shape": (kept, *shape), "sha256": digest.hexdigest()}

    def _publish(self, building: Path, key: str) -> None:
        _flush_folder(building)
        place = self._place(key)
        if self.open(key) is None:
            shutil.rmtree(place, ignore_errors=True)
        try:
            building.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.EACCES):
                raise  # else somebody was faster
        _flush_folder(self.folder)

    def _place(self, key: str) -> Path:
        return self.folder / (key if self.pixels else f"{key}-failed")

    def _refused(self, error: OSError) -> ResourceError:
        return ResourceError(
            f"the cache cannot be written to '{self.folder}': {error.strerror or error}",
            "set SACCADE_CACHE to another folder, or set the cache to memory or off",
        )


def cache_key(contents: Iterable[bytes], preprocessing: Preprocessing) -> str:
    """Names what decoding gives: the digests in order, the settings, and who decodes."""
    settings = {k: v for k, v in asdict(preprocessing).items() if k not in NORMALIZATION_FIELDS}
    versions = (DECODER, PIL.__version__, torch.__version__.partition("+")[0])
    digest = hashlib.sha256(json.dumps([versions, settings], sort_keys=True).encode())
    for content in contents:
        digest.update(content)
    return digest.hexdigest()[:40]


def _header(shape: tuple[int, ...]) -> bytes:
    """The head of a .npy file, version 1.0, always as long."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.ljust(117).encode() + b"\n"


def _mapped(file: Path, shape: tuple[int, ...]) -> Tensor:
    if shape[0] == 0:
        return torch.empty(shape, dtype=torch.uint8)
    # copied on writing: torch wants memory that it may write to, the file stays as it is
    return torch.from_numpy(np.memmap(file, np.uint8, "c", HEADER, shape))


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        stream.seek(HEADER)
        while block := stream.read(2**22):
            digest.update(block)
    return digest.hexdigest()


def _flushed(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Throw away what processes of this machine began to write and did not live to finish."""
    for left in folder.glob(f".{socket.gethostname()}-*-*"):
        pid = int(left.name.rsplit("-", 2)[1])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue


STABLE_AFTER = 3.0  # seconds after which a file's times tell its contents apart
SCHEMA = "CREATE TABLE IF NOT EXISTS digests (place TEXT PRIMARY KEY, stamp TEXT, digest BLOB)"


@dataclass(frozen=True)
class FileStamp:
    """What tells, without reading it, whether a file is as it was."""

    location: str
    text: str
    stable: bool


def digests(items: Sequence[Item], database: Path) -> list[bytes]:
    """The SHA-256 of every image's contents; `memory` is the file that remembers them."""
    stamps = list(parallel_map(items, _stamp, cpu_count()))
    found = _recalled(database, stamps)
    unread = [k for k in range(len(items)) if k not in found]
    found.update(zip(unread, parallel_map([items[k] for k in unread], _content, cpu_count())))
    fresh = [(stamps[k], found[k]) for k in unread]
    _remember(database, [(s.location, s.text, d) for s, d in fresh if s is not None and s.stable])
    return [found[k] for k in range(len(items))]


def _stamp(item: Item) -> FileStamp | None:
    """For images in files of their own; the others are in memory or in archives."""
    if not isinstance(item.image, ImageFile):
        return None
    try:
        path = item.image.path.absolute()
        status = path.stat()
    except OSError:
        return None
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    text = f"{status.st_size} {status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns}"
    return FileStamp(str(path), text, stable=changed / 1e9 < time.time() - STABLE_AFTER)


def _content(item: Item) -> bytes:
    try:
        raw = item.image.read()
    except Exception as error:  # it will be listed; once it can be read it is another set
        return hashlib.sha256(b"unread" + str(error).encode()).digest()
    if isinstance(raw, bytes):
        return hashlib.sha256(raw).digest()
    return hashlib.sha256(f"{raw.dtype}{raw.shape}".encode() + raw.tobytes()).digest()


def _recalled(memory: Path, stamps: Sequence[FileStamp | None]) -> dict[int, bytes]:
    """The digests of unchanged files; fewer, or none, when the memory cannot be used."""
    found = {}
    with suppress(sqlite3.Error), closing(sqlite3.connect(memory)) as store:
        query = "SELECT digest FROM digests WHERE place = ? AND stamp = ?"
        for k, stamp in enumerate(stamps):
            if stamp is not None:
                row = store.execute(query, (stamp.location, stamp.text)).fetchone()
                if row is not None:
                    found[k] = row[0]
    return found


def _remember(memory: Path, rows: Sequence[tuple[str, str, bytes]]) -> None:
    with suppress(sqlite3.Error, OSError):  # what is not remembered is read again, no more
        memory.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(memory)) as store, store:
            store.execute(SCHEMA)
            store.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", rows)


GROUPS = (  # the limit of a container and what of it is used, cgroup version 2 and 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def free_memory() -> int:
    """Bytes that a program may still take without swapping; half of all where nobody says."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration):
        free = _half_of_all()
    for limit, used in GROUPS:
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return max(0, free)


def _half_of_all() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return 4 * 2**30


def free_disk(folder: Path) -> int:
    """Bytes free where `folder` is, or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def format_bytes(count: int) -> str:
    """A number of bytes as people say it: "3.2 GB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
