"""limit: a division with a few pictures of each class, so that less is learned or measured."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from saccade.data.source import Item
from saccade.data.split import Division
from saccade.errors import UsageError


def limited(division: Division, *, train: int, held: int, seed: int) -> Division:
    """At most `train` pictures of each class to train on, `held` in val and in test; 0: all.

    Which pictures these are is left to chance: the seed's.  A larger number takes the pictures of a
    smaller one and more, and neither moves a picture from one part to another.
    """
    parts = {"train": train, "val": held, "test": held}
    kept = {name: _first(getattr(division, name), most, seed) for name, most in parts.items()}
    used = {item.name for items in kept.values() for item in items}
    rest = [item for name in parts for item in getattr(division, name) if item.name not in used]
    if not rest:
        return division
    note = f"{len(rest):,} pictures are not used: data.per_class, data.held_per_class"
    return replace(division, **kept, unused=tuple(rest), notes=(*division.notes, note))


def _first(items: Sequence[Item], most: int, seed: int) -> tuple[Item, ...]:
    """The first `most` of each class in an order by chance, in the order in which they came."""
    if not most:
        return tuple(items)
    turns: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for place, item in enumerate(items):
        if not isinstance(item.label, str):
            raise UsageError(
                f"'{item.name}' is of no single class, so that none can be limited",
                "set data.per_class=0 and data.held_per_class=0",
            )
        turn = hashlib.sha256(f"{seed} {item.name}".encode()).digest()
        turns[item.label].append((turn, place))
    places = [place for one in turns.values() for _, place in sorted(one)[:most]]
    return tuple(items[place] for place in sorted(places))
