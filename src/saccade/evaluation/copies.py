"""Copies of images in a folder for each answer; nothing is moved, and nothing is overwritten."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from filecmp import cmp
from io import BytesIO
from pathlib import Path

from PIL import Image

from saccade.data.image_files import STANDARD_INPUT
from saccade.data.image_objects import suffix_of
from saccade.data.item import ImageFile, Item
from saccade.errors import UsageError
from saccade.files import disk_errors, name_of_text, refuse_unwritable, write_new
from saccade.tasks.answers import Answer
from saccade.tasks.task import Task

UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\ud800-\udfff]')  # on some disk or other
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # by Windows
LONGEST = 120  # bytes of the name of a folder; disks take 255 with all that is added
MOST_TOLD = 20  # folders that a sentence counts


class Copies:
    """Copies each image into the folder of its answer below `folder`.

    An image with several labels goes into the folder of each.  Two images of one name are told
    apart by a number.  A copy that is there already from an earlier call is not made again.
    """

    def __init__(self, folder: Path, task: Task):
        if not task.classes:
            what = f"copies go into a folder for each class, and a {task.kind} answers with numbers"
            raise UsageError(what, "have them as a table instead: saccade predict RUN IMAGES --csv")
        if os.path.lexists(folder) and not folder.is_dir():
            raise UsageError(f"'{folder}' is no folder", "name a new folder for the copies")
        refuse_unwritable(folder / "image")
        self.folder, self.classes = folder, task.classes
        self.folders: dict[str, str] = {}  # by class, what its folder is called
        self.taken: set[Path] = set()
        self.copied: Counter[str] = Counter()  # by folder
        self.there: Counter[str] = Counter()  # by folder, copies of an earlier call

    def take(self, item: Item, answer: Answer) -> None:
        """Copy an image; raises `ResourceError` where that cannot be done."""
        if not self.folders:
            names = (answer.no_class, *self.classes)
            self.folders = dict(zip(("", *self.classes), folder_names(names)))
        for said in answer.predicted_classes or ("",):
            name = self.folders[said]
            with disk_errors(self.folder / name):
                made = self._copy(item, self.folder / name)
            (self.copied if made else self.there)[name] += 1

    def _copy(self, item: Item, folder: Path) -> bool:
        """Copy into a folder; False where the copy is there already."""
        content = content_of(item)
        for path in numbered(folder / file_name(item, content)):
            if path in self.taken:
                continue
            made = write_new(path, content)
            if made or same_content(path, content):
                self.taken.add(path)
                return made
        raise AssertionError("numbers never end")

    def sentence(self) -> str:
        """How many images went into which folder."""
        counts = ", ".join(f"{n:,} into {name}" for name, n in self.copied.most_common(MOST_TOLD))
        more = len(self.copied) - MOST_TOLD
        counts += f", the rest into {more:,} more" if more > 0 else ""
        there = self.there.total()
        told = f"{self.copied.total():,} copied into {self.folder}" + (counts and f": {counts}")
        return told + (f"; {there:,} were there already" if there else "")


def refuse_inside(folder: Path, images: Iterable[object]) -> None:
    """Raise `UsageError` where copies would lie among the images of a folder that is named."""
    place = folder.resolve()
    for image in images:
        if not isinstance(image, str | os.PathLike) or not Path(image).is_dir():
            continue
        if place.is_relative_to(Path(image).resolve()):
            what = f"copies in '{folder}' would lie among the images of '{image}'"
            raise UsageError(what, "name a folder outside of it, or they are predicted next time")


def folder_names(classes: Sequence[str]) -> list[str]:
    """A name that every disk takes for each class, all different also where case does not count."""
    names: list[str] = []
    taken: set[str] = set()
    for wanted in map(safe_folder, classes):
        name = next(n for n in _with_numbers(wanted) if _folded(n) not in taken)
        taken.add(_folded(name))
        names.append(name)
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def safe_folder(name: str) -> str:
    """A class name as the name of one folder, whatever the disk."""
    text = UNSAFE.sub("_", name).strip().rstrip(".")
    text = text.encode()[:LONGEST].decode(errors="ignore").rstrip(" .")
    if text.startswith("."):
        text = f"_{text[1:]}"
    return f"{text}_" if RESERVED.fullmatch(text) else text or "_"


def numbered(path: Path) -> Iterator[Path]:
    """The path, then the same with a number before its suffix: cat.png, cat (2).png."""
    return (path.with_name(name + path.suffix) for name in _with_numbers(path.stem))


def _with_numbers(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def content_of(item: Item) -> bytes | Path:
    """The file of an image, or its bytes; pixels become a PNG file."""
    if isinstance(item.image, ImageFile):
        return item.image.path
    raw = item.image.read()
    if isinstance(raw, bytes):
        return raw
    out = BytesIO()
    Image.fromarray(raw).save(out, "PNG")
    return out.getvalue()


def file_name(item: Item, content: bytes | Path) -> str:
    """What the copy is called: as the file was, or as the image is called in the answers."""
    if isinstance(content, Path):
        return content.name
    name = "standard input" if item.name == STANDARD_INPUT else item.name
    stem, suffix = os.path.splitext(safe_folder(name))  # noqa: PTH122  of no path
    known = suffix_of(content)
    return name_of_text(f"{stem}{known}" if suffix.lower() == known else f"{stem}{suffix}{known}")


def same_content(path: Path, content: bytes | Path) -> bool:
    """Whether the file there, and no link, has this content."""
    if path.is_symlink() or not path.is_file():
        return False
    if isinstance(content, Path):
        return cmp(path, content, shallow=False)
    return path.stat().st_size == len(content) and path.read_bytes() == content
