"""Layout: which folders of a tree are classes, splits and folds; on disk and in an archive alike.

`<class>/**`, `<split>/<class>/**`, `<fold>/<class>/**` or `<class>/<split>/**`, below any number of
folders that hold all the rest.  What could be meant in two ways is refused with both: a pattern
after `::` says which.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from saccade.data.classes import class_name, natural_sort_key
from saccade.data.image_files import LABELLED, ScanResult, refuse_imageless
from saccade.data.item import Item, Skipped
from saccade.data.sources.listing import Listing, assemble
from saccade.data.sources.split_names import fold_of, split_of, split_within
from saccade.data.sources.top_folders import (
    Folder,
    Roles,
    refuse_same_subfolders,
    top_roles,
    unwrapped,
)
from saccade.errors import DataError

NOT_A_CLASS = re.compile(
    r"(?:jpe?g|png|raw|colou?r|rgb|input|orig(?:inal)?|left|right|full)?[-_ ]?"
    r"(?:image|img|photo|pic|picture|frame)s?|"
    r"(?:seg|segmentation|instance|semantic|label|class)?[-_ ]?"
    r"(?:mask|label|annotation|anno|trimap|instance|depth|caption|bbox|object)s?|"
    r"ground[-_ ]?truths?|gts?|"
    r"segmentation[-_ ]?(?:class|object|s)?",
    re.IGNORECASE,
)  # but a part of a data set
MAX_LABEL_TABLES = 5  # more are one for each image
LABEL_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".xml")
OUTSIDE_CLASSES = "not in the folder of a class"
FolderParts = tuple[str, ...]  # the folders of an image, from the outermost inwards


class Place(NamedTuple):
    """What the images of one folder are: of a split and a class, or left out for a reason."""

    split: str
    label: str
    reason: str = ""


@dataclass
class Layout:
    """Where the images of each folder belong."""

    places: dict[FolderParts, Place] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parents: set[FolderParts] = field(default_factory=lambda: {()})  # of the folders of classes


ListSplits = Callable[[Sequence[str]], tuple[Mapping[str, str], tuple[str, ...]]]


def arrange(
    scan: ScanResult,
    name: str,
    data: str,
    held_out: Mapping[str, str] | None = None,
    lists: ListSplits | None = None,
) -> Listing:
    """The images by split and class; `data` is what a person types for the place.

    `held_out` are folders that a person named, with the split of each.  `lists` gives the split of
    each image that lists beside the images name, and what to say of that.
    """
    where = f"'{data}'"
    refuse_imageless(scan, where)
    images = sorted(scan.images, key=lambda pair: natural_sort_key(pair[0]))
    counts = Counter(path.rpartition("/")[0] for path, _ in images)
    folders = {text: tuple(text.split("/")) if text else () for text in counts}
    tree = Folder.of((folders[text], count) for text, count in counts.items())
    wrapping, node = tree.wrapping()
    depth = len(wrapping)
    inner = Counter({folders[text][depth:]: n for text, n in counts.items()})
    layout = _layout(node, inner, data, wrapping, held_out or {})
    found = tuple(scan.skipped)
    rows: list[tuple[str, Item]] = []
    for path, image in images:
        place = layout.places[folders[path.rpartition("/")[0]][depth:]]
        if place.reason:
            scan.skip(path, place.reason)
        else:
            rows.append((place.split, Item(path, place.label, image)))
    if not rows:
        raise DataError(f"the images in {where} lie in no class folders", LABELLED)
    _refuse_parts({str(item.label) for _, item in rows}, data, depth, found)
    notes = tuple(scan.notes)
    if depth:
        notes += (f"all images lie in '{'/'.join(wrapping)}'",)
    notes += _twins_note(folders.values())
    notes += (*layout.notes, *_lost_classes(found, layout, depth))
    if lists and all(split == "all" for split, _ in rows):
        rows, more = _by_lists(rows, scan, lists)
        notes += more
    return assemble(rows, name, where, scan.skipped, notes)


def _refuse_parts(
    classes: Collection[str], data: str, depth: int, skipped: Iterable[Skipped]
) -> None:
    """Raise `DataError` where all classes are called like parts of a data set: images, masks."""
    if not all(map(NOT_A_CLASS.fullmatch, classes)):
        return
    listed = ", ".join(f"'{name}'" for name in sorted(classes))
    called = "is called like a part" if len(classes) == 1 else "are called like parts"
    first = shlex.quote(f"{data}::^{'[^/]+/' * depth}([^/]+)/")
    hint = f"where these are classes write {first}" if len(classes) > 1 else LABELLED
    tables = [s.name for s in skipped if s.name.endswith(LABEL_TABLES) and s.name.count("/") < 2]
    if 0 < len(tables) <= MAX_LABEL_TABLES:
        hint = f"labels may be in {shlex.quote(f'{data}/{tables[0]}')}: name that; {hint}"
    raise DataError(f"{listed} in '{data}' {called} of a data set and not like classes", hint)


def _layout(
    node: Folder,
    paths: Counter[FolderParts],
    data: str,
    wrapping: FolderParts,
    held_out: Mapping[str, str],
) -> Layout:
    """The places of all folders: by splits on top, by splits inside of classes, or by class."""
    roles = top_roles(node, data, wrapping, held_out)
    if roles.splits:
        return _split_on_top(node, roles, paths)
    layout = _split_inside(paths, data, len(wrapping))
    if layout is None:
        refuse_same_subfolders(node, data, len(wrapping))
        layout = Layout({path: _of_class(path, "all") for path in paths})
        doubtful = [top for top in sorted(node.below) if split_of(top) or fold_of(top)]
        layout.notes += [
            f"'{top}' is read as a class, for other folders lie beside it" for top in doubtful
        ]
    layout.notes += roles.notes
    return layout


def _of_class(path: FolderParts, split: str) -> Place:
    return Place(split, class_name(path[0])) if path else Place(split, "", OUTSIDE_CLASSES)


def _split_on_top(node: Folder, roles: Roles, paths: Iterable[FolderParts]) -> Layout:
    """The places where top folders are splits, or folds; perhaps with classes of train beside."""
    around = {top: len(unwrapped(top, node.below[top])[0]) for top in roles.splits}
    inner = [unwrapped(top, node.below[top])[1] for top in roles.splits]
    alike = {tuple(folder.below) for folder in inner}  # train/images/cat and test/images/cat
    if len(alike) == 1 and all(f.lone_below() for f in inner):
        around = {top: count + 1 for top, count in around.items()}
    listed = ", ".join(sorted(roles.splits))
    layout = Layout(notes=roles.notes)
    for path in paths:
        split = roles.splits.get(path[0], "") if path else ""
        if split:
            inside = path[1 + around[path[0]] :]
            layout.parents.add(path[: 1 + around[path[0]]])
            layout.places[path] = _of_class(inside, split)
            if not inside and path[0] in roles.unlabelled:
                layout.places[path] = Place(split, "", "in no class folder, hence without a label")
        elif path and roles.rest_is_train:
            layout.places[path] = _of_class(path, "train")
        else:
            layout.places[path] = Place("", "", f"in none of the folders {listed}")
    return layout


def _split_inside(paths: Counter[FolderParts], data: str, depth: int) -> Layout | None:
    """The places where each class folder holds folders of splits, or folds; None where none do."""
    for level in range(1, max(map(len, paths))):
        for meaning in (lambda name: split_of(name) or fold_of(name), split_within):
            marks = {p: mark for p in paths if len(p) > level and (mark := meaning(p[level]))}
            if _divides(marks, paths, level):
                return _places_inside(marks, paths, level, data, depth)
    return None


def _divides(marks: Mapping[FolderParts, str], paths: Iterable[FolderParts], level: int) -> bool:
    """Whether folders called like splits divide the classes: most of them into two at the least.

    One split alone does so where it is in every class, and all other images lie beside it.
    """
    tops, kinds = {path[0] for path in marks}, set(marks.values())
    every = {path[0] for path in paths if path}
    if len(kinds) > 1:
        return 2 * len(tops) > len(every) and len(tops) > 1
    beside = all(len(path) <= level for path in paths if path not in marks)
    return len(tops) > 1 and tops == every and kinds <= {"val", "test"} and beside


def _places_inside(
    marks: Mapping[FolderParts, str],
    paths: Iterable[FolderParts],
    level: int,
    data: str,
    depth: int,
) -> Layout:
    """The places where `marks` are the splits of folders; the class is above them."""
    _refuse_classes_below(marks, level, data, depth)
    listed = ", ".join(sorted({path[level] for path in marks}))
    rest_is_train = set(marks.values()) <= {"val", "test"}
    layout = Layout(notes=[f"the folders {listed} inside of each class are read as its splits"])
    for path in paths:
        if path in marks:
            layout.places[path] = _of_class(path, marks[path])
        elif rest_is_train or not path:
            layout.places[path] = _of_class(path, "train")
        else:
            layout.places[path] = Place("", "", f"in none of the folders {listed} of its class")
    lost = dict.fromkeys(path[0] for path, place in layout.places.items() if path and place.reason)
    read = {place.label for place in layout.places.values() if not place.reason}
    for top in lost:
        if class_name(top) not in read:
            layout.notes.append(f"no image of a class '{top}' is read: it has none of {listed}")
    return layout


def _refuse_classes_below(
    marks: Mapping[FolderParts, str], level: int, data: str, depth: int
) -> None:
    """Raise `DataError` where folders of the same names lie below the splits of several folders."""
    below: dict[str, set[str]] = {}
    for path in marks:
        if len(path) > level + 1:
            below.setdefault(path[level + 1], set()).add(path[0])
    shared = [name for name, tops in below.items() if len(tops) > 1]
    if not shared:
        return
    start, split = "^" + "[^/]+/" * depth, "[^/]+/" * (level - 1) + "(?P<split>[^/]+)/"
    above = shlex.quote(f"{data}::{start}(?P<label>[^/]+)/{split}")
    inside = shlex.quote(f"{data}::{start}(?P<group>[^/]+)/{split}(?P<label>[^/]+)/")
    first = next(iter(marks))
    raise DataError(
        f"'{'/'.join(first)}' in '{data}' names a split, and a class may stand before or behind it",
        f"write {above} where '{first[0]}' is a class, {inside} where '{shared[0]}' is one",
    )


def _by_lists(
    rows: Sequence[tuple[str, Item]], scan: ScanResult, lists: ListSplits
) -> tuple[list[tuple[str, Item]], tuple[str, ...]]:
    """The rows with the splits that lists beside the images give; all as they were without any."""
    splits, notes = lists([item.name for _, item in rows])
    if not splits:
        return list(rows), notes
    kept = []
    rest = "" if "train" in splits.values() else "train"
    for _, item in rows:
        if split := splits.get(item.name, rest):
            kept.append((split, item))
        else:
            scan.skip(item.name, "on none of the lists of the splits")
    return kept, notes


def _lost_classes(skipped: Iterable[Skipped], layout: Layout, depth: int) -> list[str]:
    """A sentence for each class of which files were found and no image is read."""
    read = {path[:level] for path in layout.places for level in range(len(path) + 1)}
    classes = {place.label for place in layout.places.values()}
    lost: dict[str, list[Skipped]] = {}
    for entry in skipped:
        if entry.reason == "hidden":
            continue
        path = tuple(entry.name.split("/"))[depth:]
        if not entry.reason.startswith(("an empty folder", "cannot be read", "a link to '")):
            path = path[:-1]
        for parent in layout.parents:
            at = len(parent)
            if len(path) > at and path[:at] == parent and path[: at + 1] not in read:
                split = not parent and len(layout.parents) > 1 and split_of(path[at])
                what = "the split" if split else "a class"
                lost.setdefault(f"{what} '{class_name(path[at])}'", []).append(entry)
    return [
        f"no image of {what} is read: left out {len(files):,}, such as {files[0]}"
        for what, files in lost.items()
        if what.removeprefix("a class ")[1:-1] not in classes
    ]


def _twins_note(folders: Iterable[FolderParts]) -> tuple[str, ...]:
    """One sentence when folders differ in the normal form of their letters alone."""
    forms: dict[str, set[str]] = {}
    for name in {name for folder in folders for name in folder if not name.isascii()}:
        forms.setdefault(class_name(name), set()).add(name)
    twins = [name for name, spellings in forms.items() if len(spellings) > 1]
    if not twins:
        return ()
    shown = ", ".join(f"'{name}'" for name in sorted(twins))
    return (f"folders whose names are the same text in other bytes are one class: {shown}",)
