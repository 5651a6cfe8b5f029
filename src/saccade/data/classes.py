"""Class names: one list in natural order, matched by name everywhere; targets by position in it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.item import Item, Label
from saccade.errors import DataError, unknown
from saccade.files import as_utf8, atomic_write, read_utf8
from saccade.words import shortened

NUMBER = re.compile(r"([0-9]+)")


def natural_sort_key(name: str) -> tuple[list[str | int], str]:
    """The sort key that puts `class2` before `class10` and takes no notice of case."""
    pieces = NUMBER.split(name.casefold())
    return [int(piece) if i % 2 else piece for i, piece in enumerate(pieces)], name


def class_name(text: str) -> str:
    """One spelling for a name: file systems differ in how they write an accented letter."""
    return unicodedata.normalize("NFC", text)


def labels_of(item: Item) -> tuple[str, ...]:
    """The class names that an item carries: none for a number or an unknown label."""
    if isinstance(item.label, str):
        return (item.label,)
    return item.label if isinstance(item.label, tuple) else ()


def class_list(items: Iterable[Item]) -> tuple[str, ...]:
    """The class names found in `items`, each once, in natural order."""
    names: set[str] = set()
    for item in items:
        names.update(labels_of(item))
    return tuple(sorted(names, key=natural_sort_key))


def class_indices(items: Sequence[Item], classes: Sequence[str]) -> NDArray[np.int64]:
    """Positions of the N items' labels in `classes`.  -> [N] int64

    Raises `DataError` naming a class that `classes` lacks.
    """
    refuse_unknown(items, classes)
    index = {name: i for i, name in enumerate(classes)}
    return np.array([index[_single_label(item)] for item in items], dtype=np.int64)


def multilabel_targets(items: Sequence[Item], classes: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the K `classes` each of the N items carries.  -> [N,K] bool

    Raises `DataError` naming a class that `classes` lacks.
    """
    refuse_unknown(items, classes)
    index = {name: at for at, name in enumerate(classes)}
    targets = np.zeros((len(items), len(classes)), dtype=np.bool_)
    for row, item in enumerate(items):
        targets[row, [index[name] for name in labels_of(item)]] = True
    return targets


def refuse_unknown(items: Iterable[Item], classes: Sequence[str], where: str = "the data") -> None:
    """Raise `DataError` naming the classes that `items` carry and `classes` lacks."""
    known = set(classes)
    counts = Counter(name for item in items for name in labels_of(item) if name not in known)
    if not counts:
        return
    counted = [f"'{name}' ({count})" for name, count in counts.most_common()]
    if len(counts) == 1:
        (name,) = counts
        error = unknown("class", name, classes)
        raise DataError(f"{where} holds {counted[0]}, which is no known class", error.hint)
    raise DataError(
        f"{where} holds classes that are not known: {shortened(counted, 5)}",
        f"the {len(known)} known classes are {_quoted(classes, 8)}; "
        "rename or remove the others, or train again with them",
    )


def missing_note(items: Iterable[Item], classes: Sequence[str], where: str) -> tuple[str, ...]:
    """One sentence when `items` lack some of `classes`, else nothing."""
    present = {name for item in items for name in labels_of(item)}
    missing = [name for name in classes if name not in present]
    if not missing:
        return ()
    return (
        f"{where} has no image of {len(missing)} of {len(classes)} classes: {_quoted(missing, 5)}",
    )


def lines_of(path: Path) -> list[str]:
    """The lines of a text file, as LF or CR LF ends them: a name may hold any other."""
    return [line for line in read_utf8(path).replace("\r\n", "\n").split("\n") if line]


def alike_note(classes: Iterable[str]) -> tuple[str, ...]:
    """One sentence when names differ in nothing but case and blanks, else nothing."""
    alike: dict[str, list[str]] = {}
    for name in classes:
        shown = "".join(c for c in name if unicodedata.category(c) != "Cf")  # no width, no mark
        alike.setdefault(" ".join(shown.casefold().split()), []).append(name)
    pairs = [", ".join(map(repr, names)) for names in alike.values() if len(names) > 1]
    if not pairs:
        return ()
    return (f"classes differ in case or blanks alone and are learned apart: {'; '.join(pairs)}",)


def read_classes(path: Path) -> tuple[str, ...]:
    """The class names of a `classes.txt`, a line per name, in the file's order."""
    try:
        names = [class_name(line) for line in lines_of(path) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"'{path}' cannot be read as a list of classes: {error}", "one line per class"
        ) from error
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise DataError(
            f"'{path}' names {_quoted(duplicates, 5)} more than once", "one line per class"
        )
    if not names:
        raise DataError(f"'{path}' names no class", "one line per class")
    return tuple(names)


def refuse_unwritable(names: Iterable[str], where: str = "the data") -> None:
    """Raise `DataError` for a name that no line of a `classes.txt` can hold."""
    for name in names:
        if not name.strip():
            raise DataError(f"{where} holds a class without a name: {name!r}", "give it a name")
        if not set("\0\n\r").isdisjoint(name) or not is_text(name):
            held = "holds a zero byte" if "\0" in name else "holds the end of a line"
            what = held if is_text(name) else "is no valid UTF-8"
            raise DataError(f"{name!a} of {where} cannot be a class name: it {what}", "rename it")


def is_text(name: str) -> bool:
    """Whether a name, of a file say, can be written as UTF-8."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def safe_name(name: str) -> str:
    r"""A name that can be shown and written: undecodable bytes in it as `\udcff`."""
    return name if is_text(name) else as_utf8(name).decode()


def write_classes(path: Path, classes: Sequence[str]) -> None:
    """Write a `classes.txt`, a line per name."""
    refuse_unwritable(classes)
    atomic_write(path, "".join(f"{name}\n" for name in classes))


def _single_label(item: Item) -> str:
    label: Label = item.label
    if isinstance(label, str):
        return label
    raise DataError(
        f"'{item.name}' has the label {label!r} where one class name is needed",
        "several labels and numbers are tasks of their own",
    )


def _quoted(names: Sequence[str], most: int) -> str:
    return shortened([f"'{name}'" for name in names], most)
