"""Image files: what counts as one, by its name or first bytes, and where they lie in folders.

Training, doctor, predict and evaluate find images by these rules alone, as the readers of archives
and tables do.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from saccade.data.classes import is_text, natural_sort_key, safe_name
from saccade.data.item import EncodedImage, ImageFile, Item, LazyImage, Skipped
from saccade.errors import DataError, UsageError
from saccade.files import UTF8_NAMES, name_of_text, text_of_name
from saccade.words import shortened_text

STARTS = rb"(?:\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF[\s\S]{4}WEBP)"
IMAGE_START = re.compile(STARTS)
JOINED = re.compile(rb"(?:\xff\xd9|IEND\xaeB`\x82|\x00;)" + STARTS)  # an end of JPEG, PNG, GIF
MPO_HEAD = 65_536  # bytes in which a file of several JPEGs says so

# fmt: off
SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".apng", ".webp", ".avif", ".avifs", ".bmp",
    ".dib", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".dcm", ".dicom",
))
NO_IMAGES = frozenset((  # of these nothing is opened to look
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".md", ".rst",
    ".html", ".htm", ".pdf", ".py", ".ipynb", ".log", ".cls", ".npy", ".npz", ".pt", ".pth",
    ".pkl", ".h5", ".mat", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".db",
    ".tmp", ".part", ".crdownload", ".mp4", ".avi", ".mov", ".mp3", ".wav", ".doc", ".docx",
    ".xls", ".xlsx", ".svg", ".ini", ".cfg", ".lnk", ".exe", ".sh", ".bat", ".arrow", ".parquet",
))
RAW = (
    ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".srf", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw",
    ".x3f", ".3fr", ".iiq", ".rwl",
)
# fmt: on
FOREIGN = {  # images that nothing here reads; raw files look like TIFF and hold a preview first
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".jp2", ".j2k", ".jpx", ".jpf"), "JPEG 2000"),
    **dict.fromkeys((".jxl",), "JPEG XL"),
    **dict.fromkeys(RAW, "a camera's raw file"),
}
FIRST_BYTES = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|....ftypavi[fs]|II[*+]\0|MM\0[*+]"
    rb"|BM....\0\0\0\0....[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|P[1-6][ \t\r\n#]|.{128}DICM",
    re.DOTALL,
)  # of JPEG, PNG, GIF, WebP, AVIF, TIFF, BMP (its headers' sizes), the Netpbm formats and DICOM
LONGEST = 132  # bytes that `FIRST_BYTES` looks at
RUBBISH = ("__MACOSX", "@eaDir", "@__thumb", "@Recycle", "#recycle", "#snapshot", "$RECYCLE.BIN")
SYSTEM = (
    "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "lost+found", "__pycache__",
    "System Volume Information", "DICOMDIR",
)  # fmt: skip
NO_TEXT = "a name that is no valid text"
LABELLED = "put each class into a folder of its own, or give a table with path and label"


STANDARD_INPUT = "-"


@dataclass
class ScanResult:
    """The files of a folder or an archive: images by name, and what is left out."""

    images: list[tuple[str, LazyImage]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Note that `name` is left out; undecodable bytes in it are escaped."""
        self.skipped.append(Skipped(safe_name(name), reason))


def is_hidden(name: str) -> bool:
    """Whether a file or folder is there for the system's sake and not for a person's."""
    return name.startswith((".", *RUBBISH)) or name in SYSTEM


def skip_reason(name: str, first_bytes: Callable[[], bytes] | None = None) -> str:
    """Why a file called `name` is left out, or nothing when it should be an image.

    `first_bytes` reads the beginning of the file, where its name does not tell what it is.
    """
    if is_hidden(name):
        return "hidden"
    if not is_text(name):
        return NO_TEXT
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  quick
    if suffix in SUFFIXES:
        return ""
    if suffix in FOREIGN:
        return f"{FOREIGN[suffix]}, which is not read: save it as JPEG"
    if first_bytes and suffix not in NO_IMAGES and FIRST_BYTES.match(first_bytes()):
        return ""
    return f"not an image ({suffix or 'no suffix'})"


def first_bytes_of(path: str) -> bytes:
    """The first bytes of a file; none of what is no regular file or cannot be read."""
    try:
        if not os.path.isfile(path):  # noqa: PTH113  nothing to wait for, as of a pipe
            return b""
        with open(path, "rb") as file:  # noqa: PTH123  quick
            return file.read(LONGEST)
    except (OSError, ValueError):
        return b""


def walk(root: Path) -> ScanResult:
    """Every file below `root`, each folder once, however links lead about.

    Links are followed after all real folders have been read, so that a file counts under its real
    name and a loop ends at once.
    """
    if not root.exists():
        raise DataError(f"there is no folder '{root}'", "check the spelling of the path")
    if not root.is_dir():
        raise DataError(f"'{root}' is a file where a folder is needed", LABELLED)
    scan = ScanResult()
    read: dict[tuple[int, int], str] = {}
    folders, links = [""], []
    while folders or links:
        name = folders.pop() if folders else links.pop(0)
        path = root / name_of_text(name)
        try:
            status = path.stat()
            first = read.setdefault((status.st_dev, status.st_ino), name)
            if first != name:
                scan.skip(name, f"a link to '{first or root}', which is read already")
                continue
            _read_folder(path, name, scan, folders, links)
        except OSError as error:
            if not name:
                raise DataError(
                    f"'{root}' cannot be read: {error.strerror}", "check who may read it"
                ) from error
            scan.skip(name, f"cannot be read: {error.strerror}")
    return scan


def _read_folder(
    path: Path, name: str, scan: ScanResult, folders: list[str], links: list[str]
) -> None:
    """List one folder: its files into `scan`, its folders into `folders` or `links`."""
    prefix = f"{name}/" if name else ""
    with os.scandir(path) as entries:
        children = sorted(entries, key=lambda entry: entry.name)
    if name and not children:
        scan.skip(name, "an empty folder")
    for entry in children:
        name = entry.name if UTF8_NAMES else text_of_name(entry.name)
        child = prefix + name
        try:
            is_folder = entry.is_dir()
        except OSError as error:  # a link to itself, say
            scan.skip(child, f"cannot be read: {error.strerror}")
            continue
        if is_folder:
            if is_hidden(entry.name):
                scan.skip(child, "hidden")
            elif not is_text(child):
                scan.skip(child, NO_TEXT)
            else:
                (links if entry.is_symlink() else folders).append(child)
        elif reason := skip_reason(name, partial(first_bytes_of, entry.path)):
            scan.skip(child, reason)
        elif not entry.is_file():
            scan.skip(child, "a link to nothing" if entry.is_symlink() else "no regular file")
        else:
            scan.images.append((child, ImageFile(entry.path)))


def holds_image(root: Path) -> bool:
    """Whether there is an image below `root`, looked for no further than the first."""
    folders = [str(root)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders += [] if is_hidden(entry.name) else [entry.path]
                    elif not skip_reason(entry.name, partial(first_bytes_of, entry.path)):
                        return True
        except OSError:
            continue
    return False


def refuse_imageless(scan: ScanResult, where: str, hint: str = LABELLED) -> None:
    """Raise `DataError` saying what there is instead when there is no image."""
    if scan.images:
        return
    if not scan.skipped:
        raise DataError(f"{where} is empty", hint)
    reasons = Counter(entry.reason for entry in scan.skipped)
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(4))
    suffixes = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
    raise DataError(f"{where} holds no image: {listed}", f"images are files that end in {suffixes}")


class FoundImages(NamedTuple):
    """The images that a person named, and what of their folders is no image."""

    items: list[Item]
    left_out: list[Skipped]


def find_images(images: Iterable[str | PathLike[str] | Item]) -> FoundImages:
    """Image files, the images in folders, and `-` for standard input, as items; items stay.

    What of several is not there, or holds no image, is left out; `DataError` where nothing is left.
    """
    found, errors = FoundImages([], []), []
    for image in images:
        if isinstance(image, Item):
            found.items.append(image)
            continue
        place = safe_name(text_of_name(str(image if str(image) == STANDARD_INPUT else Path(image))))
        try:
            items, left_out = _named_images(image, place)
            found.items.extend(items)
            found.left_out.extend(left_out)
        except DataError as error:
            if place.startswith("--"):  # an option that there is not
                raise
            errors.append(error)
            there = os.path.exists(image)  # noqa: PTH110
            found.left_out.append(Skipped(place, error.what if there else "there is no such file"))
    if not found.items:
        raise (
            errors[0]
            if errors
            else UsageError("no image is named", "name files or folders of images")
        )
    return found


def _named_images(image: str | PathLike[str], place: str) -> FoundImages:
    """What a person named, shown as `place`; raises `DataError` where there is no image."""
    path = Path(image)
    if str(image) == STANDARD_INPUT:
        data = sys.stdin.buffer.read()
        item = Item(STANDARD_INPUT, None, EncodedImage(data))
        more = Skipped(STANDARD_INPUT, "more images follow, and one is read from standard input")
        return FoundImages([item], [more] if has_more_images(data) else [])
    if os.path.isdir(path):  # noqa: PTH112  False for a name that is too long, too
        scan = walk(path)
        refuse_imageless(scan, f"'{place}'", "name a folder with image files in it")
        named = sorted(scan.images, key=lambda pair: natural_sort_key(pair[0]))
        items = [Item(f"{place}/{name}", None, file) for name, file in named]
        return FoundImages(items, [Skipped(f"{place}/{s.name}", s.reason) for s in scan.skipped])
    if not os.path.exists(path):  # noqa: PTH110
        refuse_address(str(image))
        raise DataError(
            f"there is no image '{shortened_text(place)}'", "name a file or a folder of images"
        )
    return FoundImages([Item(place, None, ImageFile(path))], [])


def has_more_images(data: bytes) -> bool:
    """Whether the bytes of an image are followed by those of another, as `cat` joins files.

    A file of several frames, as a camera's MPO, is one image.
    """
    if b"MPF\0" in data[:MPO_HEAD]:
        return False
    if data.startswith(b"RIFF"):
        size = int.from_bytes(data[4:8], "little")
        return IMAGE_START.match(data, 8 + size + size % 2) is not None
    return JOINED.search(data) is not None


def refuse_address(text: str) -> None:
    """Raise `DataError` for an address on the web, from which nothing is fetched."""
    if text.partition("://")[0] in ("http", "https", "ftp", "s3", "gs", "hf"):
        file = shlex.quote(PurePosixPath(text.partition("?")[0]).name or "images.zip")
        raise DataError(
            f"'{shortened_text(text)}' is an address, and nothing is fetched from the web",
            f"fetch it first, as with curl -L -o {file} {shlex.quote(text)}, and name {file}",
        )


def manifest_path(item: Item, folder: Path | None) -> str:
    """What a manifest in `folder` calls an image: its path from there, else its name.

    Raises `DataError` where the way there is no text, as a folder of another system's may be.
    """
    if folder is None or not isinstance(item.image, ImageFile):
        return item.name
    path = text_of_name(Path(os.path.relpath(item.image.path, folder)).as_posix())
    if not is_text(path):
        raise DataError(
            f"the path '{safe_name(path)}' is no text, and no table can hold it",
            "name a table in the folder of the images itself, or rename the folder",
        )
    return path
