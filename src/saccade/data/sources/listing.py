"""Listing: a source whose items are all listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from saccade.data.classes import (
    alike_note,
    class_list,
    missing_note,
    natural_sort_key,
    refuse_unknown,
    refuse_unwritable,
)
from saccade.data.item import Item, Skipped
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

    Without `classes`, the names are those of train and of all folds; `where` is what messages call
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
    training = items.get("all") or sum((items[s] for s in ("train", *folds) if s in items), ())
    classes = classes or class_list(training or sum(items.values(), ()))
    refuse_unwritable(classes, where)
    notes += alike_note(classes)
    for split, group in items.items():
        refuse_unknown(group, classes, f"{split} in {where}" if split != "all" else where)
        notes += missing_note(group, classes, split if split != "all" else where)
    ordered = tuple(sorted(skipped, key=lambda entry: natural_sort_key(entry.name)))
    return Listing(name, classes, items, ordered, notes)
