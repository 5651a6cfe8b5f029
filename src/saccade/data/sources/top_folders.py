"""The folders at the top of a tree of images: which of them are splits, folds, and classes.

A name such as `train` or `test_set` is a split where a second one stands beside it.  A name that
only holds such a word (`seg_train`, `asl_alphabet_test`, `train1`), or a lone one, is a split where
the folders inside agree: those of the same names are classes.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from saccade.data.image_files import LABELLED
from saccade.data.sources.split_names import fold_of, split_of, split_within
from saccade.errors import DataError, unknown

UNLABELLED = re.compile("un[-_ ]?label|unsup|pred|extra|unknown|submission|infer|no[-_ ]?label")
SEVERAL = 2  # folders of the same names, from which on they are taken for classes


@dataclass
class Folder:
    """A folder with what lies below it; images are counted."""

    direct: int = 0
    total: int = 0
    below: dict[str, Folder] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Iterable[tuple[tuple[str, ...], int]]) -> Folder:
        """The tree of folders in which so many images lie."""
        root = cls()
        for path, count in counts:
            node = root
            node.total += count
            for name in path:
                node = node.below.setdefault(name, cls())
                node.total += count
            node.direct += count
        return root

    def lone_below(self) -> bool:
        """Whether one folder holds nearly all the rest, in folders of its own."""
        if len(self.below) != 1 or 2 * self.direct >= self.total:
            return False
        (inner,) = self.below.values()
        return bool(inner.below) and 2 * inner.direct < inner.total

    def wrapping(self) -> tuple[tuple[str, ...], Folder]:
        """The folders around all the rest that are neither a class nor a split, and the rest."""
        path, node = (), self
        while node.lone_below():
            ((name, inner),) = node.below.items()
            if split_of(name) or fold_of(name):
                break
            path, node = (*path, name), inner
        return path, node


def unwrapped(name: str, folder: Folder) -> tuple[tuple[str, ...], Folder]:
    """The folders of a split around its classes, as in seg_train/seg_train, and the inner one."""
    path, split = (), split_of(name) or split_within(name)
    while len(folder.below) == 1 and 2 * folder.direct < folder.total:
        ((inner_name, inner),) = folder.below.items()
        again = split is not None and split_within(inner_name) == split and folder.lone_below()
        if inner_name.casefold() != name.casefold() and not again:
            break
        path, folder = (*path, inner_name), inner
    return path, folder


@dataclass
class Roles:
    """What top folders are: of a split or a fold each, or, where there are none, classes."""

    splits: dict[str, str] = field(default_factory=dict)
    rest_is_train: bool = False  # whether the others are classes of train
    unlabelled: frozenset[str] = frozenset()  # splits without class folders
    notes: list[str] = field(default_factory=list)


def top_roles(
    node: Folder, data: str, wrapping: tuple[str, ...], held_out: Mapping[str, str]
) -> Roles:
    """The roles of the folders below `node`, which lie in the folders `wrapping`."""
    tops = node.below
    if held_out:
        return _held_out_roles(node, data, wrapping, held_out)
    strict = {top: split for top in tops if (split := split_of(top))}
    numbered = {top: fold for top in tops if (fold := fold_of(top))}
    in_folds = len(numbered) > 1 and _shared([tops[top] for top in numbered])
    if in_folds and set(strict.values()) <= {"test"}:
        return _in_folds(numbered, strict, node, data, len(wrapping))
    if len(strict) == 1 and len(tops) > 1:
        return _lone(node, *next(iter(strict.items())), data, len(wrapping))
    if strict:
        return _checked(_joined(strict, _within(tops, strict)), node, data, len(wrapping))
    return _of_words(node, data, len(wrapping))


def _in_folds(
    numbered: Mapping[str, str], test: Mapping[str, str], node: Folder, data: str, depth: int
) -> Roles:
    """The roles of folds, perhaps with a test set apart; refuses folds of splits of their own."""
    inner = {top: unwrapped(top, node.below[top])[1] for top in (*numbered, *test)}
    for top in numbered:
        if len({split_of(name) for name in inner[top].below} - {None}) > 1:
            start = f"^{'[^/]+/' * depth}{re.escape(top)}/"
            one = shlex.quote(f"{data}::{start}(?P<split>[^/]+)/(?P<label>[^/]+)/")
            raise DataError(
                f"each fold in '{data}' holds splits of its own, as '{top}' does: "
                f"{', '.join(sorted(inner[top].below))}",
                f"take one fold at a time: {one}",
            )
    listed = ", ".join((*sorted(numbered), *(f"{top} apart" for top in test)))
    flat = frozenset(top for top in test if not inner[top].below)
    return Roles({**numbered, **test}, unlabelled=flat, notes=[f"folds: {listed}"])


def _of_words(node: Folder, data: str, depth: int) -> Roles:
    """The roles where names only hold the word of a split."""
    tops, words = node.below, _within(node.below, ())
    if len(set(words.values())) < SEVERAL:
        return Roles()
    inner = {top: unwrapped(top, tops[top])[1] for top in words}
    labelled = [top for top, folder in inner.items() if len(folder.below) >= SEVERAL]
    several = len({words[top] for top in labelled}) > 1
    if several and _shared([inner[top] for top in labelled]):
        return _checked(words, node, data, depth, noted=True)
    train = [top for top in labelled if words[top] == "train"]
    blank = all(len(folder.below) < SEVERAL for top, folder in tops.items() if top not in train)
    if train and labelled == train and blank:
        return _checked(words, node, data, depth, noted=True)
    listed = ", ".join(f"'{top}'" for top in sorted(words))
    if len(words) == len(tops) and not any(folder.below for folder in tops.values()):
        first = shlex.quote(f"{data}::^{'[^/]+/' * depth}([^/]+)/")
        raise DataError(
            f"{listed} in '{data}' are called like splits and hold no class folders",
            f"put the classes inside; where these are classes write {first}",
        )
    return Roles(notes=[f"{listed} are read as classes: no folders inside are called alike"])


def _lone(node: Folder, top: str, split: str, data: str, depth: int) -> Roles:
    """The roles where one folder among others is called like a split; it may be a vehicle."""
    inner = unwrapped(top, node.below[top])[1]
    others = {name: unwrapped(name, f)[1] for name, f in node.below.items() if name != top}
    if not inner.below or 2 * inner.direct >= inner.total:
        return Roles()
    if split != "train" and inner.below.keys() & others.keys():
        note = f"'{top}' is read as the {split} split, and the folders beside it as train's classes"
        return Roles({top: split}, rest_is_train=True, notes=[note])
    if split == "train" and (shared := inner.below.keys() & others.keys()):
        first = sorted(shared)[0]
        raise DataError(
            f"'{top}/{first}' and '{first}' in '{data}' may be one class, of train and of no split",
            f"name what is held out, as in --test-folder NAME, or move '{first}' away",
        )
    alike = [name for name, folder in others.items() if inner.below.keys() & folder.below.keys()]
    words = _within(alike, (split,))
    if alike and len(words) == len(alike):
        return _checked({top: split, **words}, node, data, depth, noted=True)
    if alike:
        raise same_subfolders_error(data, depth, top, alike[0], sorted(inner.below))
    blank = [name for name, folder in others.items() if len(folder.below) < SEVERAL]
    rest_unlabelled = len(others) == 1 or all(UNLABELLED.search(n.casefold()) for n in others)
    labelled = split == "train" and len(inner.below) >= SEVERAL
    if labelled and rest_unlabelled and len(blank) == len(others):
        first = shlex.quote(f"{data}::^{'[^/]+/' * depth}([^/]+)/")
        note = f"'{top}' is read as a split, not as a class; for that write {first}"
        return Roles({top: split}, notes=[note])
    return Roles()


def _held_out_roles(
    node: Folder, data: str, wrapping: tuple[str, ...], held_out: Mapping[str, str]
) -> Roles:
    """The roles where a person named the folders that are held out; others are what they are
    called, or else train."""
    splits = {}
    for path, split in held_out.items():
        name = path.strip("/").removeprefix("/".join((*wrapping, "")))
        if name not in node.below:
            raise unknown(f"folder of images in '{data}'", path, sorted(node.below), DataError)
        splits[name] = split
    inner = [unwrapped(name, node.below[name])[1] for name in splits]
    classes = {name for folder in inner for name in folder.below}
    others = [top for top in node.below if top not in splits]
    if classes & set(others):
        return Roles(splits, rest_is_train=True)
    rest = {top: split_of(top) or "train" for top in others}
    noted = any(split != "train" for split in rest.values())
    return _checked(splits | rest, node, data, len(wrapping), noted=noted, joined=True)


def _within(tops: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """The folders whose names hold the word of a split that is not `taken`."""
    words = {top: split for top in tops if (split := split_within(top))}
    return {top: split for top, split in words.items() if split not in taken}


def _joined(strict: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    """`strict` with the folders of a further split, which its name only holds."""
    known = set(strict.values())
    return {**strict, **{top: split for top, split in words.items() if split not in known}}


def _shared(folders: Iterable[Folder]) -> bool:
    """Whether folders of the same name lie in two of `folders`."""
    names = Counter(name for folder in folders for name in folder.below)
    return any(count > 1 for count in names.values())


def _checked(
    splits: dict[str, str],
    node: Folder,
    data: str,
    depth: int,
    *,
    noted: bool = False,
    joined: bool = False,
) -> Roles:
    """The roles of `splits`; raises `DataError` for two of one split, and where none has classes.

    `noted` adds a note of what was read; `joined` takes several folders for one split.
    """
    repeated = [split for split, count in Counter(splits.values()).items() if count > 1]
    if repeated and not joined:
        same = ", ".join(f"'{top}'" for top, split in splits.items() if split == repeated[0])
        both = shlex.quote(f"{data}::^{'[^/]+/' * depth}(?P<split>[^/]+)/(?P<label>[^/]+)/")
        raise DataError(
            f"'{data}' has several folders for {repeated[0]}: {same}",
            f"keep one of them, or take them together: {both}",
        )
    inner = {top: unwrapped(top, node.below[top])[1] for top in splits}
    flat = [top for top, folder in inner.items() if not folder.below]
    if flat and (len(flat) == len(splits) or "train" in {splits[top] for top in flat}):
        raise DataError(
            f"the images in '{flat[0]}' of '{data}' lie in no class folders",
            f"{LABELLED}; images without labels can be predicted, not learned from",
        )
    listed = ", ".join(f"'{top}' as {split}" for top, split in sorted(splits.items()))
    notes = [f"read {listed}"] if noted else []
    classes = {name for folder in inner.values() for name in folder.below}
    for top in sorted(node.below.keys() - splits.keys()):
        shared = classes & unwrapped(top, node.below[top])[1].below.keys()
        if shared and "train" not in splits.values():
            named = " ".join(f"--{split}-folder {shlex.quote(t)}" for t, split in splits.items())
            raise DataError(
                f"'{top}' and '{min(splits)}' in '{data}' hold folders of the same names, and no "
                f"name says train: {', '.join(sorted(shared)[:3])}",
                f"say what is held out, and the rest is train: {named}",
            )
        if shared:
            hint = f"to hold it out write --val-folder {shlex.quote(top)}"
            notes.append(f"'{top}' is of no split and left out, with folders called alike; {hint}")
    return Roles(splits, unlabelled=frozenset(flat), notes=notes)


def refuse_same_subfolders(node: Folder, data: str, depth: int) -> None:
    """Raise `DataError` where the folders inside of several have the same names.

    The outer ones may be classes, or parts of the data that no name tells.
    """
    tops = {top: unwrapped(top, folder)[1] for top, folder in node.below.items()}
    nested = all(2 * folder.direct < folder.total for folder in tops.values())
    names = Counter(name for folder in tops.values() for name in folder.below)
    shared = [name for name, count in names.items() if count > 1]
    if nested and len(tops) > 1 and len(shared) >= SEVERAL:
        first, second = [top for top in tops if shared[0] in tops[top].below][:2]
        raise same_subfolders_error(data, depth, first, second, shared)


def same_subfolders_error(
    data: str, depth: int, first: str, second: str, shared: Iterable[str]
) -> DataError:
    """The error for two folders that hold folders of the same names, one of which are classes."""
    start = "^" + "[^/]+/" * depth
    top = shlex.quote(f"{data}::{start}([^/]+)/")
    low = shlex.quote(f"{data}::{start}(?P<group>[^/]+)/(?:.*/)?(?P<label>[^/]+)/[^/]+$")
    names = ", ".join(list(shared)[:3])
    return DataError(
        f"'{first}' and '{second}' in '{data}' hold folders of the same names: {names}",
        f"say which are the classes: {top} for '{first}' and '{second}', {low} for {names}; where "
        f"one of the two is to be held out: --test-folder {shlex.quote(second)}",
    )
