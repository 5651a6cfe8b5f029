"""Training, validation and test images: divided by shares, or limited to a few of each class."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from saccade.data.classes import missing_note
from saccade.data.grouping import Grouping, by_source, stratify
from saccade.data.item import Item, Label, Source
from saccade.errors import DataError, UsageError
from saccade.files import atomic_write

PARTS = ("train", "val", "test", "unused")
SEVERAL = "|"  # between the labels of one image


@dataclass(frozen=True)
class DataSplit:
    """A source's items in three parts, in the source's order, and those that are in none."""

    train: tuple[Item, ...]
    val: tuple[Item, ...]
    test: tuple[Item, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unused: tuple[Item, ...] = ()


def split_data(
    source: Source,
    *,
    val: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    group: Grouping = by_source,
) -> DataSplit:
    """The source in three parts: as it came where it came divided, the rest by chance.

    Images that came as held out are never trained on; `val` is a share of what is divided.
    """
    if not (0 <= val < 1 and 0 <= test < 1 and val + test < 1):
        raise UsageError(
            f"val {val} and test {test} leave nothing to train on", "try 0.15 and 0.15"
        )
    held = {split: tuple(source.read(split)) for split in source.splits}
    if "train" not in held and "all" not in held:
        raise DataError(
            f"'{source.name}' has {' and '.join(held)} but no train",
            "images to train on lie in a folder called train",
        )
    notes: tuple[str, ...] = ()
    if "all" in held or list(held) == ["train"]:
        whole = held.get("all", held.get("train", ()))
        train, chosen, judged = stratify(whole, (1 - val - test, val, test), seed, group)
    elif "val" in held and "test" in held:
        train, chosen, judged = held["train"], held["val"], held["test"]
    else:
        train, chosen = stratify(held["train"], (1 - val, val), seed, group)
        judged = held.get("test", held.get("val", ()))
        if "val" in held:
            notes = (f"val came without a test: its {len(judged)} images are the test set",)
        notes += (f"{len(chosen)} of the {len(held['train'])} train images are held out as val",)
    for part, items, share in (("val", chosen, val), ("test", judged, test)):
        if share and not items:
            raise DataError(
                f"no class of '{source.name}' has images to spare for {part}",
                f"three images a class are needed, or {part}=0",
            )
    return _noted(DataSplit(train, chosen, judged, source.classes, notes), group)


def folds(
    source: Source, k: int = 5, *, seed: int = 0, group: Grouping = by_source
) -> tuple[DataSplit, ...]:
    """k divisions in which every image is judged once: fold i is test, the next one val."""
    if k < 3:
        raise UsageError(f"{k} folds leave nothing to train on", "3 folds at least")
    pool = [item for split in source.splits if split != "test" for item in source.read(split)]
    if len(pool) < k:
        raise DataError(f"'{source.name}' has {len(pool)} images for {k} folds", "take fewer folds")
    parts = stratify(pool, (1 / k,) * k, seed, group)
    notes = ("the test images that came apart are in no fold",) if "test" in source.splits else ()
    order = {item.name: at for at, item in enumerate(pool)}
    divisions = []
    for at in range(k):
        rest = [item for other in range(2, k) for item in parts[(at + other) % k]]
        rest.sort(key=lambda item: order[item.name])
        test, val = parts[at], parts[(at + 1) % k]
        divisions.append(_noted(DataSplit(tuple(rest), val, test, source.classes, notes), group))
    return tuple(divisions)


def _noted(division: DataSplit, group: Grouping) -> DataSplit:
    """The division with everything about it that a person should know."""
    if not division.train:
        raise DataError("the split leaves nothing to train on", "more images are needed")
    notes = division.notes
    for part, items in _parts(division).items():
        notes += missing_note(items, division.classes, part) if items else ()
    return replace(division, notes=notes + _shared_groups(_parts(division), group))


def _parts(division: DataSplit) -> dict[str, tuple[Item, ...]]:
    """The three parts that are used."""
    return {"train": division.train, "val": division.val, "test": division.test}


def _shared_groups(held: dict[str, tuple[Item, ...]], group: Grouping) -> tuple[str, ...]:
    """A sentence for each two parts that came with images of the same groups."""
    groups = {part: {group(item) for item in items} - {None} for part, items in held.items()}
    notes = []
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        both = groups[one] & groups[other]
        if both:
            notes.append(
                f"{len(both)} groups lie in both {one} and {other} as the source came: "
                f"what is measured on {other} is too good"
            )
    return tuple(notes)


def write_split(path: Path, data_split: DataSplit) -> None:
    """Write a table `name,label,split[,group]` that anyone can read; same division, same bytes."""
    held = _parts(data_split) | {"unused": data_split.unused}
    grouped = any(item.group is not None for items in held.values() for item in items)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("name", "label", "split", "group")[: 4 if grouped else 3])
    for part, items in held.items():
        for item in items:
            row = (item.name, label_text(item.label), part, item.group or "")
            table.writerow(row[: 4 if grouped else 3])
    atomic_write(path, text.getvalue())


def read_split(path: Path, source: Source) -> DataSplit:
    """The division that `path` tells, its items taken from `source` by name."""
    told = _read_rows(path)
    items = {item.name: item for split in source.splits for item in source.read(split)}
    where = f"'{source.name}'"
    _refuse_difference(told.keys() - items.keys(), f"'{path}' names", f"that {where} lacks")
    _refuse_difference(items.keys() - told.keys(), f"{where} holds", f"that '{path}' does not name")
    held: dict[str, list[Item]] = {part: [] for part in PARTS}
    for name, item in items.items():
        held[told[name][1]].append(item)
    changed = [name for name, (label, _) in told.items() if label != label_text(items[name].label)]
    notes: tuple[str, ...] = ()
    if changed:
        notes = (f"{len(changed)} labels have changed since the split, such as '{changed[0]}'",)
    train, val, test, unused = (tuple(held[part]) for part in PARTS)
    return _noted(DataSplit(train, val, test, source.classes, notes, unused), by_source)


def label_text(label: Label) -> str:
    """A label as one cell of a table."""
    if isinstance(label, tuple):
        return SEVERAL.join(label)
    return "" if label is None else str(label)


def _read_rows(path: Path) -> dict[str, tuple[str, str]]:
    """Name to label and part, as the file tells them."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"'{path}' cannot be read as a split: {error}", "each row is name,label,split"
        ) from error
    told: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(rows, start=2):
        name, part = row.get("name"), row.get("split")
        if not name or part not in PARTS:
            raise DataError(
                f"row {number} of '{path}' has the name '{name}' and the split '{part}'",
                f"each row is name,label,split with a split of {', '.join(PARTS)}",
            )
        if name in told:
            raise DataError(f"'{path}' names '{name}' twice", "an image lies in one part only")
        told[name] = (row.get("label") or "", part)
    if not told:
        raise DataError(f"'{path}' names no image", "each row is name,label,split")
    return told


def _refuse_difference(names: Iterable[str], who: str, whom: str) -> None:
    """Raise `DataError` with the count and the first examples when there are such names."""
    listed = sorted(names)
    if listed:
        shown = ", ".join(f"'{name}'" for name in listed[:3])
        raise DataError(
            f"{who} {len(listed)} images {whom}: {shown}",
            "images were added, removed or renamed since; divide them anew",
        )


def subsample(data_split: DataSplit, *, train: int, held_out: int, seed: int) -> DataSplit:
    """At most `train` images of each class to train on, `held` in val and in test; 0: all.

    Which images these are is left to chance: the seed's.  A larger number takes the images of a
    smaller one and more, and neither moves an image from one part to another.
    """
    parts = {"train": train, "val": held_out, "test": held_out}
    kept = {name: _first(getattr(data_split, name), most, seed) for name, most in parts.items()}
    used = {item.name for items in kept.values() for item in items}
    rest = [item for name in parts for item in getattr(data_split, name) if item.name not in used]
    if not rest:
        return data_split
    note = f"{len(rest):,} images are not used: data.per_class, data.held_out_per_class"
    return replace(data_split, **kept, unused=tuple(rest), notes=(*data_split.notes, note))


def _first(items: Sequence[Item], most: int, seed: int) -> tuple[Item, ...]:
    """The first `most` of each class in an order by chance, in the order in which they came."""
    if not most:
        return tuple(items)
    turns: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for place, item in enumerate(items):
        if not isinstance(item.label, str):
            raise UsageError(
                f"'{item.name}' is of no single class, so that none can be limited",
                "set data.per_class=0 and data.held_out_per_class=0",
            )
        turn = hashlib.sha256(f"{seed} {item.name}".encode()).digest()
        turns[item.label].append((turn, place))
    places = [place for one in turns.values() for _, place in sorted(one)[:most]]
    return tuple(items[place] for place in sorted(places))
