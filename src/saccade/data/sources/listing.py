"""Listing: a source whose items are all listed; splits and classes from a tree of folders.

`<class>/**` or `{train,val,test}/<class>/**`, below any number of folders that hold all the rest:
the same on disk and in an archive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from saccade.data.classes import (
    alike_note,
    class_list,
    class_name,
    is_text,
    missing_note,
    natural_sort_key,
    refuse_unknown,
    refuse_unwritable,
    safe_name,
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


def assemble(
    rows: Iterable[tuple[str, Item]],
    name: str,
    where: str,
    skipped: Iterable[Skipped] = (),
    notes: tuple[str, ...] = (),
    classes: tuple[str, ...] = (),
) -> Listing:
    """Items with their splits as a source, held to the class-name contract.

    Without `classes`, the names are those of train; `where` is what messages call the place.
    """
    by_split: dict[str, list[Item]] = {split: [] for split in ("train", "val", "test", "all")}
    for split, item in rows:
        by_split[split].append(item)
    items = {split: tuple(group) for split, group in by_split.items() if group}
    if "all" in items and len(items) > 1:
        first = items["all"][0].name
        raise DataError(
            f"{len(items['all'])} images of {where} have no split, such as '{first}'",
            "give each its split, train, val or test, or none of them one",
        )
    training = items.get("train") or items.get("all")
    classes = classes or class_list(training or sum(items.values(), ()))
    refuse_unwritable(classes, where)
    notes += alike_note(classes)
    for split, group in items.items():
        refuse_unknown(group, classes, f"{split} in {where}" if split != "all" else where)
        notes += missing_note(group, classes, split if split != "all" else where)
    if training and len(classes) == 1 and isinstance(training[0].label, str):
        raise DataError(
            f"{where} holds one class only: '{classes[0]}'",
            "two classes at least are needed, side by side",
        )
    ordered = tuple(sorted(skipped, key=lambda entry: natural_sort_key(entry.name)))
    return Listing(name, classes, items, ordered, notes)


SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
)
SPELLINGS = {
    "train": "train|training|trn",
    "val": "val|valid|validation|dev|development|eval|evaluation",
    "test": "test|testing|tst|hold[-_ ]?out|held[-_ ]?out",
}
SPLITS = {
    split: re.compile(f"({words})([-_ ]?(set|data|images|imgs|split))?")
    for split, words in SPELLINGS.items()
}
NO_TEXT = "a name that is no valid text"
LABELLED = "put each class into a folder of its own, or give a table with path and label"


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
    return name.startswith((".", "__MACOSX", "@eaDir")) or name in ("Thumbs.db", "desktop.ini")


def skip_reason(name: str) -> str:
    """Why a file called `name` is left out, or nothing when it should be an image."""
    if is_hidden(name):
        return "hidden"
    if not is_text(name):
        return NO_TEXT
    suffix = PurePosixPath(name).suffix.lower()
    return "" if suffix in SUFFIXES else f"not an image ({suffix or 'no suffix'})"


def split_of(folder: str) -> str | None:
    """The split that a folder's name stands for, if any."""
    for split, pattern in SPLITS.items():
        if pattern.fullmatch(folder.casefold()):
            return split
    return None


def arrange(scan: ScanResult, name: str, where: str) -> Listing:
    """The images by split and class; `where` is what messages call the place."""
    refuse_imageless(scan, where)
    images = sorted(scan.images, key=lambda pair: natural_sort_key(pair[0]))
    names = [image for image, _ in images]
    depth = _depth_of_wrapping(names)
    folders = _split_folders(names, depth, where)
    rows: list[tuple[str, Item]] = []
    for path, image in images:
        parts = path.split("/")[depth:]
        split = folders.get(parts[0]) if folders else "all"
        label = parts[1 if folders else 0 : -1]
        if split is None:
            scan.skip(path, f"in none of the folders {', '.join(folders)}")
        elif not label:
            scan.skip(path, "not in the folder of a class")
        else:
            rows.append((split, Item(path, class_name(label[0]), image)))
    if not rows:
        raise DataError(f"the images in {where} lie in no class folders", LABELLED)
    notes = tuple(scan.notes)
    if depth:
        notes += (f"all images lie in '{'/'.join(names[0].split('/')[:depth])}'",)
    accented = [item.name for _, item in rows if not item.name.isascii()]
    notes += _twins_note(path.split("/")[depth + bool(folders)] for path in accented)
    doubtful = sorted({str(item.label) for _, item in rows if split_of(str(item.label))})
    notes += tuple(
        f"'{folder}' is read as a class, for other folders lie beside it" for folder in doubtful
    )
    return assemble(rows, name, where, scan.skipped, notes)


def _twins_note(folders: Iterable[str]) -> tuple[str, ...]:
    """One sentence when folders differ in the normal form of their letters alone."""
    forms: dict[str, set[str]] = {}
    for folder in {folder for folder in folders if not folder.isascii()}:
        forms.setdefault(class_name(folder), set()).add(folder)
    twins = [name for name, spellings in forms.items() if len(spellings) > 1]
    if not twins:
        return ()
    shown = ", ".join(f"'{name}'" for name in sorted(twins))
    return (f"folders whose names are the same text in other bytes are one class: {shown}",)


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


def _depth_of_wrapping(names: Iterable[str]) -> int:
    """How many folders lie around all the images and are neither a class nor a split."""
    rows = [name.split("/")[:-1] for name in names]
    shortest, first = min(map(len, rows)), rows[0]
    depth = 0
    while depth + 1 < shortest and split_of(first[depth]) is None:
        if any(row[depth] != first[depth] for row in rows):
            break
        depth += 1
    return depth


def _split_folders(names: Iterable[str], depth: int, where: str) -> dict[str, str]:
    """Folder to split where folders name splits; nothing where they name classes."""
    nested: dict[str, bool] = {}  # top folder: whether any image lies in a folder below it
    for name in names:
        parts = name.split("/")[depth:]
        if len(parts) > 1:
            nested[parts[0]] = nested.get(parts[0], False) or len(parts) > 2
    splits = {folder: split for folder in nested if (split := split_of(folder))}
    if not splits or (len(splits) == 1 and len(nested) > 1):
        return {}  # a single "train" among others is a vehicle
    repeated = [split for split, count in Counter(splits.values()).items() if count > 1]
    if repeated:
        same = ", ".join(f"'{folder}'" for folder, split in splits.items() if split == repeated[0])
        raise DataError(
            f"{where} has several folders for {repeated[0]}: {same}", "keep one of them"
        )
    flat = [folder for folder in splits if not nested[folder]]
    if flat:
        raise DataError(
            f"the images in '{flat[0]}' of {where} lie in no class folders",
            f"{LABELLED}; images without labels can be predicted, not learned from",
        )
    return splits
