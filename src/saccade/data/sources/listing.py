"""Listing: a source whose items are all known; what every reader in this folder returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
