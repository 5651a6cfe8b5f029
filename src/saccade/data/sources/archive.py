"""Archives: folders of images inside a .zip or .tar, read in place: nothing is unpacked.

An image is an offset in the archive, a size, and how it is compressed; any process can read it
without the archive's table.  A compressed .tar has no offsets, so its images are kept in memory.
Names are never used as paths, and the size that a member claims is checked before and after.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from saccade.data.classes import is_text
from saccade.data.item import EncodedImage, LazyImage
from saccade.data.sources.listing import (
    NO_TEXT,
    Listing,
    ScanResult,
    arrange,
    is_hidden,
    skip_reason,
)
from saccade.errors import DataError

LARGEST = 256 * 2**20  # bytes of one image file
MAX_UNPACKED = 2**30  # bytes of all images of a compressed .tar
LOCAL_HEADER = 30  # bytes, before a zip member's name (APPNOTE 4.3.7)
ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """An uncompressed image file inside a larger file."""

    archive: str
    offset: int
    size: int

    def read(self) -> bytes:
        with Path(self.archive).open("rb") as file:
            file.seek(self.offset)
            data = file.read(self.size)
        if len(data) != self.size:
            raise DataError(f"cut off in '{self.archive}'")
        return data


@dataclass(frozen=True, slots=True)
class ZippedImage:
    """An image file in a .zip, compressed or not."""

    archive: str
    offset: int  # of the member's local header
    packed: int  # bytes in the archive
    size: int  # bytes unpacked
    crc: int
    method: int

    def read(self) -> bytes:
        with Path(self.archive).open("rb") as file:
            file.seek(self.offset)
            header = file.read(LOCAL_HEADER)
            name, extra = (int.from_bytes(header[i : i + 2], "little") for i in (26, 28))
            file.seek(self.offset + LOCAL_HEADER + name + extra)
            data = file.read(self.packed)
        if self.method == zipfile.ZIP_DEFLATED:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, self.size + 1)
            except zlib.error as error:
                raise DataError(f"damaged in '{self.archive}': {error}") from error
        if len(data) != self.size or zlib.crc32(data) != self.crc:
            raise DataError(f"damaged in '{self.archive}': size or checksum differ")
        return data


def archive(path: Path) -> Listing:
    """The images in an archive, by the folders inside it."""
    name = path.name.lower()
    suffix = next((s for s in (*ZIPS, *TARS) if name.endswith(s)), "")
    return arrange(members(path), path.name[: len(path.name) - len(suffix)], f"'{path}'")


def members(path: Path) -> ScanResult:
    """Every member of an archive; the last one counts where several have one name."""
    latest: dict[str, tuple[str, LazyImage | None]] = {}
    scan = ScanResult()
    for name, reason, image in _zip_members(path) if is_zip(path) else tar_members(path):
        name = name.removeprefix("./")
        if name in latest:
            scan.skip(name, "a later member has the same name")
        latest[name] = (_member_skip_reason(name) or reason, image)
    for name, (reason, image) in latest.items():
        if reason or image is None:
            scan.skip(name, reason)
        else:
            scan.images.append((name, image))
    return scan


def is_zip(path: Path) -> bool:
    """Whether a path is to be read as a .zip."""
    return path.name.lower().endswith(ZIPS)


def is_tar(path: Path) -> bool:
    """Whether a path is to be read as a .tar, compressed or not."""
    return path.name.lower().endswith(TARS)


def _member_skip_reason(name: str) -> str:
    """Why a member called `name` is left out, or nothing."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or ":" in parts[0]:
        return "a name that leads out of the archive"
    if not is_text(name):
        return NO_TEXT
    return "hidden" if any(map(is_hidden, parts)) else skip_reason(parts[-1])


def _zip_members(path: Path) -> Iterator[tuple[str, str, LazyImage | None]]:
    """Name, reason to leave it out, and image of every file in a .zip."""
    try:
        with zipfile.ZipFile(path) as file:
            entries = file.infolist()
    except Exception as error:  # zipfile raises errors of many kinds on damaged files
        raise _unreadable(path, error) from error
    for entry in entries:
        if entry.filename.endswith("/"):
            continue
        reason = "" if entry.header_offset >= 0 else "damaged"
        if entry.flag_bits & 1:
            reason = "encrypted"
        elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            reason = f"packed by method {entry.compress_type}, which is not read"
        elif max(entry.file_size, entry.compress_size) > LARGEST:
            reason = f"larger than {LARGEST >> 20} MiB"
        fields = (
            entry.header_offset,
            entry.compress_size,
            entry.file_size,
            entry.CRC,
            entry.compress_type,
        )
        yield entry.filename.replace("\\", "/"), reason, ZippedImage(str(path), *fields)


def tar_members(path: Path) -> Iterator[tuple[str, str, LazyImage | None]]:
    """Name, reason to leave it out, and image of every file in a .tar; in the file's order."""
    unpacked = 0
    try:
        in_place = path.name.lower().endswith(".tar")
        with tarfile.open(path, "r:" if in_place else "r|*") as tar:
            for entry in tar:
                if entry.isdir():
                    continue
                reason = ""
                if not entry.isreg() or entry.issparse():
                    reason = "a link" if entry.issym() or entry.islnk() else "no regular file"
                elif entry.size > LARGEST:
                    reason = f"larger than {LARGEST >> 20} MiB"
                if in_place or reason:
                    image = ArchivedImage(str(path), entry.offset_data, entry.size)
                    yield entry.name, reason, image
                    continue
                unpacked += entry.size
                file = tar.extractfile(entry)
                if unpacked > MAX_UNPACKED or file is None:
                    raise DataError(
                        f"'{path}' unpacks to more than {MAX_UNPACKED >> 30} GiB",
                        "unpack it to a .tar",
                    )
                yield entry.name, "", EncodedImage(file.read())
    except DataError:
        raise
    except Exception as error:  # among them RecursionError, on a chain of long names
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    what = str(error) or type(error).__name__
    return DataError(f"'{path}' cannot be read as an archive: {what}", "fetch or make it anew")
