"""Listing: a source whose items are all listed; what the names of files and folders stand for."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from saccade.data.classes import (
    class_list,
    missing_note,
    natural_sort_key,
    refuse_unknown,
)
from saccade.data.item import Item, LazyImage, Skipped
from saccade.errors import DataError, unknown


@dataclass(frozen=True)
class Listing:
    """Items by split; see `Source` for what the fields mean."""

    name: str
    classes: tuple[str, ...]
    items: Mapping[str, Sequence[Item]]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.items)

    def read(self, split: str) -> Sequence[Item]:
        if split not in self.items:
            raise unknown("split", split, self.splits, DataError)
        return self.items[split]


PARTS = ("train", "val", "test", "all")  # every other name of a split is a fold's


def assemble(
    rows: Iterable[tuple[str, Item]],
    name: str,
    where: str,
    skipped: Iterable[Skipped] = (),
    notes: tuple[str, ...] = (),
    classes: tuple[str, ...] = (),
) -> Listing:
    """Items with their splits as a source, held to the class-name contract.

    Without `classes`, the names are those of train, or of all folds; `where` is what messages call
    the place.  A split is one of `PARTS`, or else a fold.
    """
    by_split: dict[str, list[Item]] = {split: [] for split in PARTS}
    for split, item in rows:
        by_split.setdefault(split, []).append(item)
    parts = sorted(by_split, key=lambda split: (split not in PARTS, natural_sort_key(split)))
    folds = parts[len(PARTS) :]
    items = {s: tuple(by_split[s]) for s in (*PARTS, *folds) if by_split[s]}
    if "all" in items and len(items) > 1:
        first = items["all"][0].name
        raise DataError(
            f"{len(items['all'])} images of {where} have no split, such as '{first}'",
            "give each its split, train, val or test, or none of them one",
        )
    training = items.get("train") or items.get("all") or sum((items[fold] for fold in folds), ())
    classes = classes or class_list(training or sum(items.values(), ()))
    for split, group in items.items():
        refuse_unknown(group, classes, f"{split} in {where}" if split != "all" else where)
        notes += missing_note(group, classes, split if split != "all" else where)
    ordered = tuple(sorted(skipped, key=lambda entry: natural_sort_key(entry.name)))
    return Listing(name, classes, items, ordered, notes)


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
# fmt: on
FIRST_BYTES = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|....ftypavi[fs]|II[*+]\0|MM\0[*+]"
    rb"|BM....\0\0\0\0....[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|P[1-6][ \t\r\n#]|.{128}DICM",
    re.DOTALL,
)  # of JPEG, PNG, GIF, WebP, AVIF, TIFF, BMP (its headers' sizes), the Netpbm formats and DICOM
LONGEST = 132  # bytes that `FIRST_BYTES` looks at
SPELLINGS = {
    "train": "train(?:ing)?|trn|train[-_ ]?val",
    "val": "val|valid|validation|dev|development|eval|evaluation",
    "test": "test|testing|tst|hold[-_ ]?out|held[-_ ]?out",
}
OF_WHAT = "[-_ ]?(?:set|data|images|imgs|split)"  # that may follow
SPLITS = {split: re.compile(f"(?:{words})(?:{OF_WHAT})?") for split, words in SPELLINGS.items()}
WITHIN = {  # a word of a longer name, whatever digits stand beside it
    split: re.compile(f"(?<![a-z])(?:{words})(?:{OF_WHAT})?(?![a-z])")
    for split, words in SPELLINGS.items()
}
HUMP = re.compile("(?<=[a-z])(?=[A-Z])")
FOLD = re.compile(r"(?:cv|k|x)?[-_ ]?folds?[-_ ]?(?:no|nr)?[-_. ]?([0-9]+|[a-z])|cv[-_ ]?([0-9]+)")
RUBBISH = ("__MACOSX", "@eaDir", "@__thumb", "@Recycle", "#recycle", "#snapshot", "$RECYCLE.BIN")
SYSTEM = (
    "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "lost+found", "__pycache__",
    "System Volume Information", "DICOMDIR",
)  # fmt: skip
LABELLED = "put each class into a folder of its own, or give a table with path and label"


@dataclass
class ScanResult:
    """The files of a folder or an archive: images by name, and what is left out."""

    images: list[tuple[str, LazyImage]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Note that `name` is left out; undecodable bytes in it are escaped."""
        self.skipped.append(Skipped(name.encode("utf-8", "backslashreplace").decode(), reason))


def is_hidden(name: str) -> bool:
    """Whether a file or folder is there for the system's sake and not for a person's."""
    return name.startswith((".", *RUBBISH)) or name in SYSTEM


def skip_reason(name: str, first_bytes: Callable[[], bytes] | None = None) -> str:
    """Why a file called `name` is left out, or nothing when it should be an image.

    `first_bytes` reads the beginning of the file, where its name does not tell what it is.
    """
    if is_hidden(name):
        return "hidden"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "a name that is no valid text"
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in SUFFIXES:
        return ""
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


def split_of(name: str) -> str | None:
    """The split that the whole of a name stands for, if any: train, VALID, test_set."""
    folded = name.casefold()
    return next((split for split, pattern in SPLITS.items() if pattern.fullmatch(folded)), None)


def split_within(name: str) -> str | None:
    """The one split that a word of a name stands for, if any: seg_train, train1, TestImages."""
    folded = HUMP.sub(" ", name).casefold()
    found = [split for split, pattern in WITHIN.items() if pattern.search(folded)]
    return found[0] if len(found) == 1 else None


def split_named(name: str) -> str:
    """The split, or the fold, that a person's own word for one names; nothing for another word."""
    return split_of(name) or fold_of(name) or split_within(name) or ""


def fold_of(name: str) -> str | None:
    """The fold that a name stands for, if any: fold 1 of fold1, Fold_1 and cv-1."""
    match = FOLD.fullmatch(name.casefold())
    return f"fold {match[1] or match[2]}" if match else None


def refuse_imageless(scan: ScanResult, where: str) -> None:
    """Raise `DataError` saying what there is instead when there is no image."""
    if scan.images:
        return
    if not scan.skipped:
        raise DataError(f"{where} is empty", LABELLED)
    reasons = Counter(entry.reason for entry in scan.skipped)
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(4))
    suffixes = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
    raise DataError(f"{where} holds no image: {listed}", f"images are files that end in {suffixes}")
