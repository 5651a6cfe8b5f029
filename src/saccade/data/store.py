"""The disk cache: decoded images, one folder for each set of images and way of decoding.

An entry, the folder, holds `pixels.npy` [N,C,H,W] and `about.json`.  It is written under a
temporary name, flushed and renamed, so that it is whole or not there; what differs in size or
digest from what `about.json` says is thrown away and written anew.  Two processes that write the
same entry at once both finish, and the entry of the first stays.

A set is known by the SHA-256 of each image, 32 bytes; a file that was read once is not read
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
from saccade.data.item import ImageFile, Item, Skipped, content_digest
from saccade.data.parallel import parallel_map
from saccade.device import cpu_count
from saccade.errors import ResourceError
from saccade.files import as_utf8

HEADER = 128  # bytes before the pixels
NORMALIZATION_FIELDS = ("mean", "std")  # settings that leave the decoded bytes as they are


@dataclass(frozen=True, eq=False)
class CacheEntry:
    """What is cached of one set of images."""

    rows: Tensor | None  # uint8 [N,C,H,W], mapped; None when only the failures are cached
    failed: dict[int, str]  # position among the items, and the reason


@dataclass(frozen=True)
class DiskCache:
    """A folder of entries, with their pixels or with nothing but which images failed."""

    folder: Path
    pixels: bool

    def open(self, key: str) -> CacheEntry | None:
        """The entry of that key if it is there and whole."""
        path = self._path(key)
        try:
            about = json.loads((path / "about.json").read_text("utf-8"))
            failed = {int(position): reason for position, reason in about["failed"]}
            if not self.pixels:
                return CacheEntry(None, failed)
            shape = tuple(about["shape"])
            file = path / "pixels.npy"
            if file.stat().st_size != HEADER + int(np.prod(shape)):
                return None
            if _digest(file) != about["sha256"]:
                return None
            return CacheEntry(_memmap(file, shape), failed)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(
        self,
        key: str,
        shape: tuple[int, int, int],
        results: Iterable[tuple[int, Tensor | Skipped]],
    ) -> CacheEntry:
        """A new entry of these results, by position, in order; each uint8 [C,H,W] of `shape`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _remove_stale(self.folder)
            temporary = self.folder / f".{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
            temporary.mkdir()
        except OSError as error:
            raise self._write_error(error) from error
        try:
            about = self._fill(temporary / "pixels.npy", shape, results)
            _write_flushed(temporary / "about.json", json.dumps(about).encode())
            self._publish(temporary, key)
        except OSError as error:
            raise self._write_error(error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        entry = self.open(key)
        if entry is None:
            raise ResourceError(
                f"what was written to '{self._path(key)}' does not read back",
                "the disk may be failing: set SACCADE_CACHE to a folder on another one",
            )
        return entry

    def _fill(
        self,
        file: Path,
        shape: tuple[int, int, int],
        results: Iterable[tuple[int, Tensor | Skipped]],
    ) -> dict[str, Any]:
        failed, count, digest = [], 0, hashlib.sha256()
        with file.open("wb") as stream:
            stream.write(bytes(HEADER))
            for position, result in results:
                if isinstance(result, Skipped):
                    failed.append((position, result.reason))
                elif self.pixels:
                    row = result.numpy().tobytes()
                    digest.update(row)
                    stream.write(row)
                    count += 1
            stream.seek(0)
            stream.write(_header((count, *shape)))
            stream.flush()
            os.fsync(stream.fileno())
        return {"failed": failed, "shape": (count, *shape), "sha256": digest.hexdigest()}

    def _publish(self, temporary: Path, key: str) -> None:
        _flush_folder(temporary)
        path = self._path(key)
        if self.open(key) is None:
            shutil.rmtree(path, ignore_errors=True)
        try:
            temporary.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.EACCES):
                raise  # else another process was faster
        _flush_folder(self.folder)

    def _path(self, key: str) -> Path:
        return self.folder / (key if self.pixels else f"{key}-failed")

    def _write_error(self, error: OSError) -> ResourceError:
        return ResourceError(
            f"the cache cannot be written to '{self.folder}': {error.strerror or error}",
            "set SACCADE_CACHE to another folder, or set the cache to memory or off",
        )


def cache_key(contents: Iterable[bytes], preprocessing: Preprocessing) -> str:
    """A key for decoded images: of the digests in order, the settings and the versions."""
    settings = {k: v for k, v in asdict(preprocessing).items() if k not in NORMALIZATION_FIELDS}
    versions = (DECODER, PIL.__version__, torch.__version__.partition("+")[0])
    digest = hashlib.sha256(json.dumps([versions, settings], sort_keys=True).encode())
    for content in contents:
        digest.update(content)
    return digest.hexdigest()[:40]


def _header(shape: tuple[int, ...]) -> bytes:
    """The header of a .npy file, version 1.0, of a fixed length."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.ljust(117).encode() + b"\n"


def _memmap(file: Path, shape: tuple[int, ...]) -> Tensor:
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


def _write_flushed(file: Path, content: bytes) -> None:
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


def _remove_stale(folder: Path) -> None:
    """Remove what processes of this machine began to write and did not live to finish."""
    for stale in folder.glob(f".{socket.gethostname()}-*-*"):
        pid = int(stale.name.rsplit("-", 2)[1])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            shutil.rmtree(stale, ignore_errors=True)
        except OSError:
            continue


STABLE_AFTER = 3.0  # seconds after a change from which the times of a file are trusted
SCHEMA = "CREATE TABLE IF NOT EXISTS digests (place TEXT PRIMARY KEY, stamp TEXT, digest BLOB)"


@dataclass(frozen=True)
class FileStamp:
    """Size, inode and times of a file, which tell without reading it whether it has changed."""

    location: str
    text: str
    stable: bool


def digests(items: Sequence[Item], database: Path) -> list[bytes]:
    """The SHA-256 of every image's contents; `database` is the file that stores them."""
    stamps = list(parallel_map(items, _stamp, cpu_count()))
    known = _stored_digests(database, stamps)
    unread = [k for k in range(len(items)) if k not in known]
    known.update(
        zip(unread, parallel_map([items[k] for k in unread], _content_digest, cpu_count()))
    )
    new = [(stamps[k], known[k]) for k in unread]
    _store_digests(
        database, [(s.location, s.text, d) for s, d in new if s is not None and s.stable]
    )
    return [known[k] for k in range(len(items))]


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
    stable = changed / 1e9 < time.time() - STABLE_AFTER
    return FileStamp(as_utf8(str(path)).decode(), text, stable)


def _content_digest(item: Item) -> bytes:
    try:
        raw = item.image.read()
    except Exception as error:  # it will be listed; once it can be read it is another set
        return hashlib.sha256(b"unread" + as_utf8(str(error))).digest()
    return content_digest(raw)


def _stored_digests(database: Path, stamps: Sequence[FileStamp | None]) -> dict[int, bytes]:
    """The digests of unchanged files, by position; none when the database cannot be used."""
    known = {}
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        query = "SELECT digest FROM digests WHERE place = ? AND stamp = ?"
        for k, stamp in enumerate(stamps):
            if stamp is not None:
                row = connection.execute(query, (stamp.location, stamp.text)).fetchone()
                if row is not None:
                    known[k] = row[0]
    return known


def _store_digests(database: Path, rows: Sequence[tuple[str, str, bytes]]) -> None:
    with suppress(sqlite3.Error, OSError):  # what is not stored is only read again
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(SCHEMA)
            connection.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", rows)


CGROUP_FILES = (  # the limit of a container and what of it is used, cgroup version 2 and 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def free_memory() -> int:
    """Bytes that a program may still take without swapping; half of all where it is not known."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration):
        free = _half_of_memory()
    for limit, used in CGROUP_FILES:
        try:
            free = min(
                free, int(Path(limit).read_text("ascii")) - int(Path(used).read_text("ascii"))
            )
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return max(0, free)


def _half_of_memory() -> int:
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
    """A number of bytes with a unit: "3.2 GB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
