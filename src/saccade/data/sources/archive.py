"""Archives: folders of images inside a .zip or .tar, read in place: nothing is unpacked.

An image is an offset in the archive, a size, and how it is compressed; any process can read it
without the archive's table.  A compressed .tar has no offsets, so its images are kept in memory.
Names are never used as paths, and the size that a member claims is checked before and after.
Names of a .zip are UTF-8 by their flag (APPNOTE 4.4.4, bit 11) or their Unicode Path (4.6.9), or
where they are valid UTF-8 without these, as many tools write them; else CP437, and that is noted.
"""

from __future__ import annotations

import bz2
import lzma
import posixpath
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from saccade.data.classes import is_text
from saccade.data.image_files import LONGEST, NO_TEXT, ScanResult, is_hidden, skip_reason
from saccade.data.item import EncodedImage, LazyImage
from saccade.data.sources.layout import arrange
from saccade.data.sources.listing import Listing
from saccade.data.sources.split_lists import unread_lists
from saccade.errors import DataError

LARGEST = 256 * 2**20  # bytes of one image file
MAX_UNPACKED = 2**30  # bytes of all images of a compressed .tar
LOCAL_HEADER = 30  # bytes, before a zip member's name (APPNOTE 4.3.7)
ZIPS = (".zip",)
UTF8_FLAG, END_MARK_FLAG = 0x800, 0x2  # of a zip member (APPNOTE 4.4.4)
UNICODE_PATH = 0x7075  # an extra field (APPNOTE 4.6.9)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
METHOD_NAMES = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
ROOT = re.compile(r"^(?:[A-Za-z]:)?/+")  # of an absolute name
DRIVE = re.compile("[A-Za-z]:")  # of Windows
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
        try:
            data = self._unpacked(data, int.from_bytes(header[6:8], "little"))
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            raise DataError(f"damaged in '{self.archive}': {error}") from error
        if len(data) != self.size or zlib.crc32(data) != self.crc:
            raise DataError(f"damaged in '{self.archive}': size or checksum differ")
        return data

    def _unpacked(self, data: bytes, flags: int) -> bytes:
        """At most a byte more than the member claims to have."""
        if self.method == zipfile.ZIP_DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, self.size + 1)
        if self.method == zipfile.ZIP_BZIP2:
            return bz2.BZ2Decompressor().decompress(data, self.size + 1)
        if self.method == zipfile.ZIP_LZMA:  # APPNOTE 5.8.8: version, length, properties
            start = 4 + int.from_bytes(data[2:4], "little")
            size = b"\xff" * 8 if flags & END_MARK_FLAG else self.size.to_bytes(8, "little")
            alone = lzma.LZMADecompressor(lzma.FORMAT_ALONE)
            return alone.decompress(data[4:start] + size + data[start:], self.size + 1)
        return data


def archive(path: Path, held_out: Mapping[str, str] | None = None) -> Listing:
    """The images in an archive, by the folders inside it; `held_out` as of `arrange`."""
    name = path.name.lower()
    suffix = next((s for s in (*ZIPS, *TARS) if name.endswith(s)), "")
    scan, stem = members(path), path.name[: len(path.name) - len(suffix)]
    lists = partial(unread_lists, tuple(scan.skipped))
    return arrange(scan, stem, str(path), held_out, None if held_out else lists)


def members(path: Path) -> ScanResult:
    """Every member of an archive; the last one counts where several have one name."""
    latest: dict[str, tuple[str, LazyImage | None]] = {}
    scan, absolute = ScanResult(), ""
    listed = _zip_members(path, scan.notes) if is_zip(path) else tar_members(path)
    for given, reason, image in listed:
        name = given
        if name[:1] == "/" or name[1:3] == ":/":
            name, absolute = ROOT.sub("", name), absolute or given
        name = "/".join(part for part in name.split("/") if part not in ("", "."))
        if name in latest:
            scan.skip(name, "a later member has the same name")
        left_out = _member_skip_reason(name, None if reason else image)
        latest[name] = (left_out or reason, image)
    for name, (reason, image) in latest.items():
        if reason or image is None:
            scan.skip(name, reason)
        else:
            scan.images.append((name, image))
    if absolute:
        scan.notes.append(f"absolute names are read without their root, such as '{absolute}'")
    return scan


def is_zip(path: Path) -> bool:
    """Whether a path is to be read as a .zip."""
    return path.name.lower().endswith(ZIPS)


def is_tar(path: Path) -> bool:
    """Whether a path is to be read as a .tar, compressed or not."""
    return path.name.lower().endswith(TARS)


def _member_skip_reason(name: str, image: LazyImage | None) -> str:
    """Why a member called `name` is left out, or nothing."""
    parts = name.split("/")
    if ".." in parts or DRIVE.match(name):
        return "a name that leads out of the archive"
    if not is_text(name):
        return NO_TEXT
    if any(map(is_hidden, parts)):
        return "hidden"
    reason = skip_reason(parts[-1], lambda: _first_bytes(image))
    if reason and parts[-1].lower().endswith((*ZIPS, *TARS)):
        return "an archive inside the archive, which is not opened"
    return reason


def _first_bytes(image: LazyImage | None) -> bytes:
    """The first bytes of a member; none of a damaged one."""
    try:
        return bytes(image.read()[:LONGEST]) if image else b""
    except (DataError, OSError):
        return b""


def _zip_members(path: Path, notes: list[str]) -> Iterator[tuple[str, str, LazyImage | None]]:
    """Name, reason to leave it out, and image of every file in a .zip."""
    try:
        with zipfile.ZipFile(path) as file:
            entries = file.infolist()
    except Exception as error:  # zipfile raises errors of many kinds on damaged files
        raise _unreadable(path, error) from error
    guessed: list[str] = []
    names = [e.filename if e.filename.isascii() else _zip_name(e, guessed) for e in entries]
    if guessed:
        notes.append(
            f"{len(guessed)} names in '{path.name}' do not say their encoding and are read as "
            f"CP437, such as '{guessed[0]}'; if it looks wrong, make the archive with UTF-8 names"
        )
    for name, entry in zip(names, entries, strict=True):
        if entry.filename.endswith("/"):
            continue
        reason = "" if entry.header_offset >= 0 else "damaged"
        if entry.flag_bits & 1:
            reason = "encrypted"
        elif stat.S_ISLNK(entry.external_attr >> 16):
            reason = "a link, which is not followed in a .zip"
        elif entry.compress_type not in METHODS:
            method = METHOD_NAMES.get(entry.compress_type, entry.compress_type)
            reason = f"packed by method {method}, which is not read"
        elif max(entry.file_size, entry.compress_size) > LARGEST:
            reason = f"larger than {LARGEST >> 20} MiB"
        fields = (
            entry.header_offset,
            entry.compress_size,
            entry.file_size,
            entry.CRC,
            entry.compress_type,
        )
        yield name.replace("\\", "/"), reason, ZippedImage(str(path), *fields)


def _zip_name(entry: zipfile.ZipInfo, guessed: list[str]) -> str:
    """The name of a member; one whose encoding is not known is added to `guessed`."""
    if entry.flag_bits & UTF8_FLAG:
        return entry.filename
    raw, extra = entry.orig_filename.encode("cp437"), entry.extra
    while len(extra) >= 4:
        kind, size = (int.from_bytes(extra[i : i + 2], "little") for i in (0, 2))
        if kind == UNICODE_PATH and extra[5:9] == zlib.crc32(raw).to_bytes(4, "little"):
            return extra[9 : 4 + size].decode("utf-8", "replace")
        extra = extra[4 + size :]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        guessed.append(entry.filename)
        return entry.filename


def tar_members(path: Path) -> Iterator[tuple[str, str, LazyImage | None]]:
    """Name, reason to leave it out, and image of every file in a .tar; in the file's order.

    A link to a file of the archive is that file once more; symbolic ones come last.
    """
    unpacked = 0
    files: dict[str, LazyImage] = {}
    links: list[tuple[str, str]] = []
    try:
        in_place = path.name.lower().endswith(".tar")
        with tarfile.open(path, "r:" if in_place else "r|*") as tar:
            for entry in tar:
                if entry.isdir():
                    continue
                if entry.issym():
                    folder = posixpath.dirname(entry.name)
                    links.append((entry.name, posixpath.join(folder, entry.linkname)))
                    continue
                if entry.islnk():
                    reason, image = _linked(files, entry.linkname)
                    if image:
                        files[posixpath.normpath(entry.name)] = image
                    yield entry.name, reason, image
                    continue
                reason = ""
                if not entry.isreg() or entry.issparse():
                    reason = "no regular file"
                elif entry.size > LARGEST:
                    reason = f"larger than {LARGEST >> 20} MiB"
                if in_place or reason:
                    image = ArchivedImage(str(path), entry.offset_data, entry.size)
                    if not reason:
                        files[posixpath.normpath(entry.name)] = image
                    yield entry.name, reason, image
                    continue
                unpacked += entry.size
                file = tar.extractfile(entry)
                if unpacked > MAX_UNPACKED or file is None:
                    raise DataError(
                        f"'{path}' unpacks to more than {MAX_UNPACKED >> 30} GiB",
                        "unpack it to a .tar",
                    )
                image = files[posixpath.normpath(entry.name)] = EncodedImage(file.read())
                yield entry.name, "", image
            for name, target in links:
                yield name, *_linked(files, target)
    except DataError:
        raise
    except Exception as error:  # among them RecursionError, on a chain of long names
        raise _unreadable(path, error) from error


def _linked(files: Mapping[str, LazyImage], target: str) -> tuple[str, LazyImage | None]:
    """Why a link is left out, or nothing, and the image that it leads to."""
    image = files.get(posixpath.normpath(target))
    return ("" if image else "a link to no file of the archive"), image


def _unreadable(path: Path, error: Exception) -> DataError:
    what = str(error) or type(error).__name__
    return DataError(f"'{path}' cannot be read as an archive: {what}", "fetch or make it anew")
