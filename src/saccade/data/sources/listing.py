"""Listing: a source whose items are all known; what every reader in this folder returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from saccade.data.classes import class_list, missing_note, natural, refuse_unknown
from saccade.data.source import Item, Skipped
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
    held: dict[str, list[Item]] = {split: [] for split in ("train", "val", "test", "all")}
    for split, item in rows:
        held[split].append(item)
    items = {split: tuple(group) for split, group in held.items() if group}
    if "all" in items and len(items) > 1:
        first = items["all"][0].name
        raise DataError(
            f"{len(items['all'])} pictures of {where} have no split, such as '{first}'",
            "give each its split, train, val or test, or none of them one",
        )
    learned = items.get("train") or items.get("all")
    classes = classes or class_list(learned or sum(items.values(), ()))
    for split, group in items.items():
        refuse_unknown(group, classes, f"{split} in {where}" if split != "all" else where)
        notes += missing_note(group, classes, split if split != "all" else where)
    if learned and len(classes) == 1 and isinstance(learned[0].label, str):
        raise DataError(
            f"{where} holds one class only: '{classes[0]}'",
            "two classes at least are needed, side by side",
        )
    ordered = tuple(sorted(skipped, key=lambda one: natural(one.name)))
    return Listing(name, classes, items, ordered, notes)
