"""Training, validation and test split: by shares, or in k folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from saccade.data.classes import labels_of, missing_note
from saccade.data.grouping import Grouping, by_source, group_indices, stratify
from saccade.data.item import Item, Skipped, Source
from saccade.errors import DataError, UsageError, unknown
from saccade.words import pluralize

SPLITS = ("train", "val", "test", "unused")
FOLD = "fold "  # before the name of each fold that a source came in


@dataclass(frozen=True)
class DataSplit:
    """A source's items in three splits, in the source's order, and those that are in none."""

    train: tuple[Item, ...]
    val: tuple[Item, ...]
    test: tuple[Item, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unused: tuple[Item, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them."""
        return self.train + self.val + self.test + self.unused


def split_data(
    source: Source,
    *,
    val: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    group: Grouping = by_source,
) -> DataSplit:
    """The source in three splits: its own where it has some, the rest stratified at random.

    Images that the source holds out are never trained on; `val` is a share of what is split.
    """
    if not (0 <= val < 1 and 0 <= test < 1 and val + test < 1):
        raise UsageError(
            f"val {val} and test {test} leave nothing to train on", "try 0.15 and 0.15"
        )
    refuse_folds(source)
    items = {split: tuple(source.read(split)) for split in source.splits}
    if "train" not in items and "all" not in items:
        raise DataError(
            f"'{source.name}' has {' and '.join(items)} but no train",
            "images to train on lie in a folder called train",
        )
    notes: tuple[str, ...] = ()
    if "all" in items or list(items) == ["train"]:
        pool = items.get("all", items.get("train", ()))
        train, val_items, test_items = stratify(pool, (None, val, test), seed, group)
        notes = share_notes(pool, {"val": (val, val_items), "test": (test, test_items)}, group)
    elif "val" in items and "test" in items:
        train, val_items, test_items = items["train"], items["val"], items["test"]
    else:
        train, val_items = stratify(items["train"], (None, val), seed, group)
        test_items = items.get("test", items.get("val", ()))
        if "val" in items:
            notes = (f"val came without a test: its {_images(len(test_items))} the test set",)
        notes += (
            f"{len(val_items)} of the {len(items['train'])} train images "
            f"{'is' if len(val_items) == 1 else 'are'} held out as val",
            *share_notes(items["train"], {"val": (val, val_items)}, group),
        )
    for split, split_items, share in (("val", val_items, val), ("test", test_items, test)):
        if share and not split_items:
            raise _nothing_to_spare(source, split, group)
    return with_notes(DataSplit(train, val_items, test_items, source.classes, notes), group)


def split_fold(
    source: Source,
    fold: str,
    count: int = 0,
    *,
    val: float = 0.15,
    seed: int = 0,
    group: Grouping = by_source,
) -> DataSplit:
    """The source with one fold as the test set, and `val` of the rest held out to watch.

    Folds are those that the source came in, or `count` stratified ones, drawn by `seed` and called
    1 to `count`: with the same seed each image is in the test set of exactly one.  A test set that
    came apart is in none; a val that did is pooled with train.
    """
    refuse_folds(source, fold, count)
    test = _folds(source, count, seed, group)[fold]
    tested = {item.name for item in test}
    pool = [item for split in source.splits if split != "test" for item in source.read(split)]
    rest = [item for item in pool if item.name not in tested]
    train, val_items = stratify(rest, (None, val), seed, group)
    if val and not val_items:
        raise _nothing_to_spare(source, "val", group)
    apart = tuple(source.read("test")) if "test" in source.splits else ()
    notes = ("the source's own test split is in no fold",) if apart else ()
    if "val" in source.splits:
        notes += ("the source's own val split is pooled with train",)
    notes += share_notes(rest, {"val": (val, val_items)}, group)
    division = DataSplit(train, val_items, test, source.classes, notes, unused=apart)
    return with_notes(division, group)


def share_notes(
    pool: Sequence[Item], parts: Mapping[str, tuple[float, Sequence[Item]]], group: Grouping
) -> tuple[str, ...]:
    """A sentence for each part of `pool` that is not of the share asked for, and why.

    Parts are shares and images by name.  A difference of one image, or of a tenth of the share, is
    not worth a word.
    """
    largest = max(Counter(group_indices(pool, group).tolist()).values(), default=1)
    notes = []
    for name, (share, items) in parts.items():
        off = abs(len(items) - share * len(pool))
        if not items or off <= max(1, 0.1 * share * len(pool)):
            continue
        few = "few groups" if largest > 1 else "few images"
        why = f"a class of {few} keeps one in each split, in train first"
        if off <= largest:
            why = f"a group stays together, and the largest is of {largest:,} images"
        found = f"{len(items):,} of {len(pool):,} images, {100 * len(items) / len(pool):.1f} %"
        notes.append(f"{name} has {found} and not the {100 * share:g} % asked for: {why}")
    return tuple(notes)


def folds(
    source: Source, k: int = 5, *, seed: int = 0, group: Grouping = by_source
) -> tuple[DataSplit, ...]:
    """k splits for cross-validation: each fold is the test set once."""
    names = map(str, range(1, k + 1))
    return tuple(split_fold(source, name, k, seed=seed, group=group) for name in names)


def own_folds(source: Source) -> tuple[str, ...]:
    """The names of the folds that a source came in."""
    return tuple(split.removeprefix(FOLD) for split in source.splits if split.startswith(FOLD))


def refuse_folds(source: Source, fold: str = "", count: int = 0) -> None:
    """Raise where a source of folds is to be split without `fold`, or has no such one.

    `count` folds are drawn where it comes in none.
    """
    own = own_folds(source)
    if own and not fold:
        raise DataError(
            f"'{source.name}' comes in {len(own)} folds: {', '.join(own[:8])}",
            f"--fold {own[0]} tests on one of them, saccade cross-validate in place of saccade "
            "train on each in turn; where a column of a table tells no folds: --split-column none",
        )
    if own and count:
        raise UsageError(
            f"'{source.name}' comes in folds of its own: {', '.join(own)}", "leave out data.folds"
        )
    if not own and fold and count < 3:
        raise UsageError(
            f"'{source.name}' comes in no folds, and {count} leave nothing to train on",
            "take 3 folds at least, as in --folds 5",
        )
    if fold and fold not in (names := own or [str(k + 1) for k in range(count)]):
        raise unknown("fold", fold, names, DataError)


def _folds(source: Source, count: int, seed: int, group: Grouping) -> dict[str, tuple[Item, ...]]:
    """The images of each fold by its name."""
    if own := own_folds(source):
        return {name: tuple(source.read(f"{FOLD}{name}")) for name in own}
    pool = [item for split in source.splits if split != "test" for item in source.read(split)]
    if len(pool) < count:
        raise DataError(
            f"'{source.name}' has {len(pool)} images for {count} folds", "take fewer folds"
        )
    subsets = stratify(pool, (1 / count,) * count, seed, group)
    return {str(number): items for number, items in enumerate(subsets, start=1)}


def _nothing_to_spare(source: Source, split: str, group: Grouping) -> DataError:
    items = [item for part in source.splits if part != "test" for item in source.read(part)]
    groups, why = len(set(group_indices(items, group).tolist())), ""
    if groups < len(items):
        why = f": its {pluralize(len(items), 'image')} are {pluralize(groups, 'group')} of copies, "
        why += "look-alikes or one data.group, which stay together"
    if not source.classes:
        return DataError(
            f"the images of '{source.name}' are too few for {split}{why}",
            f"three images are needed, in groups of their own; or a folder {split} of images to "
            "hold out",
        )
    hint = (
        f"three images per class are needed, in groups of their own; or a folder {split} of images "
        "to hold out"
    )
    if all(map(_is_number, source.classes)):
        hint += "; a column of numbers is read as such by photos.csv::price=number"
    return DataError(f"no class of '{source.name}' has images to spare for {split}{why}", hint)


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _images(count: int) -> str:
    """'1 image is', '2 images are'."""
    return f"{pluralize(count, 'image')} {'is' if count == 1 else 'are'}"


def with_notes(data_split: DataSplit, group: Grouping) -> DataSplit:
    """The split with notes of missing classes and of groups that two of its parts share."""
    refuse_trainless(data_split.train)
    notes = data_split.notes
    for split, items in used(data_split).items():
        notes += missing_note(items, data_split.classes, split) if items else ()
    return replace(data_split, notes=notes + _shared_groups(used(data_split), group))


def refuse_trainless(train: Sequence[Item]) -> None:
    """Raise `DataError` where there is no image to train on."""
    if not train:
        raise DataError("the split leaves nothing to train on", "more images are needed")


def refuse_unread(
    readable: Mapping[str, Sequence[Item]], classes: Sequence[str], failed: Sequence[Skipped]
) -> None:
    """Raise `DataError` where a split, or a class of train, has no image that could be read.

    `readable` has the others by split, `failed` those that could not be read.
    """
    first = "the split gave it none"
    if failed:
        first = f"{failed[0].name}: {failed[0].reason}"
    for name, items in readable.items():
        if not items:
            what = f"no image of {name} can be read; {first}"
            raise DataError(what, "saccade doctor says what is wrong with each image")
    if missing := {*classes} - {label for item in readable["train"] for label in labels_of(item)}:
        what = f"'{min(missing)}' has no readable image to train on; {first}"
        raise DataError(what, "give the class more images, or leave it out")


def with_groups(
    data_split: DataSplit, group: Grouping, name: Callable[[str], str] = str
) -> DataSplit:
    """The split with the group of each item in it, called `name(group)`."""

    def grouped(item: Item) -> Item:
        found = group(item)
        found = None if found is None else name(found)
        return item if found == item.group else replace(item, group=found)

    parts = {split: tuple(map(grouped, getattr(data_split, split))) for split in SPLITS}
    return replace(data_split, **parts)


def used(data_split: DataSplit) -> dict[str, tuple[Item, ...]]:
    """The three splits that are used, by name."""
    return {"train": data_split.train, "val": data_split.val, "test": data_split.test}


def _shared_groups(splits: dict[str, tuple[Item, ...]], group: Grouping) -> tuple[str, ...]:
    """A sentence for each two splits that have images of the same groups."""
    groups = {split: {group(item) for item in items} - {None} for split, items in splits.items()}
    notes = []
    for first, second in (("train", "val"), ("train", "test"), ("val", "test")):
        shared = groups[first] & groups[second]
        if shared:
            lies = "lies" if len(shared) == 1 else "lie"
            notes.append(
                f"{pluralize(len(shared), 'group')} {lies} in both {first} and {second} as the "
                f"source came: what is measured on {second} is too good"
            )
    return tuple(notes)
