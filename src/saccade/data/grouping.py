"""What must stay on one side of a split, and parts that each have their share of every class.

Photographs of one house, frames of one film, slides of one patient: a network that has seen one
knows the others.  A grouping is a function from item to the name of its group.

Iterative stratification (Sechidis 2011, "On the stratification of multi-label data", Algorithm 1),
over groups instead of items and with the classes' order fixed at the start: the rarest class first,
each of its groups to the part that still lacks most of it.  The last groups of a class go to parts
that have none yet, so that every part meets every class that has as many groups as there are parts.

Chance is SHA-256 of the seed and the name: an image's turn depends on nothing else, neither on the
platform nor on the order in which files were listed.  Shares are counted in whole millionths.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from saccade.data.item import Item
from saccade.errors import UsageError

Grouping = Callable[[Item], str | None]


def by_source(item: Item) -> str | None:
    """The group that the source tells, such as the `group` column of a table."""
    return item.group


def by_folder(item: Item) -> str | None:
    """The folder in which the image lies."""
    folder, _, _ = item.name.rpartition("/")
    return folder or None


def by_pattern(pattern: str) -> Grouping:
    """What `pattern` finds in the name: its group called "group", its first group, or all of it."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"'{pattern}' is no regular expression: {error}") from error
    which = "group" if "group" in compiled.groupindex else min(1, compiled.groups)

    def found(item: Item) -> str | None:
        hit = compiled.search(item.name)
        return hit[which] if hit else None

    return found


def by_cluster(
    clusters: Iterable[Iterable[str]], items: Iterable[Item], also: Grouping = by_source
) -> Grouping:
    """Names that belong together, such as copies of an image, and all that `also` ties to them."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            name = above
        return name

    def join(one: str, other: str) -> None:
        first, second = sorted((root(one), root(other)))
        parent[second] = first

    for cluster in clusters:
        first, *others = sorted(cluster) or [""]
        for other in others:
            join(f"item {first}", f"item {other}")
    for item in items:
        if (group := also(item)) is not None:
            join(f"item {item.name}", f"group {group}")
    flat = {name: root(name) for name in parent}
    return lambda item: flat.get(f"item {item.name}")


def groups_of(items: Sequence[Item]) -> Tensor | None:
    """Which group each item is of, [N] int64; None where the source knows of none.

    An item without a group is one of its own.
    """
    return None if all(item.group is None for item in items) else group_indices(items, by_source)


def group_indices(items: Iterable[Item], group: Grouping) -> Tensor:
    """The number of each item's group, counted as they come; alone where it has none.  [N] int64"""
    names = [f"item {item.name}" if (g := group(item)) is None else f"group {g}" for item in items]
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([place[name] for name in names])


BINS = 10  # numbers are balanced by tenths: each part gets small and large ones
EXACT = 1_000_000


@dataclass(slots=True)
class Unit:
    """Items that stay together; `strata` counts what is to be balanced among them."""

    turn: bytes
    items: list[int] = field(default_factory=list)
    strata: Counter[str] = field(default_factory=Counter)
    part: int | None = None


def stratify(
    items: Sequence[Item], shares: Sequence[float], seed: int, group: Grouping
) -> list[tuple[Item, ...]]:
    """The items in as many parts as there are shares, each part in the order given."""
    units = _units(items, seed, group)
    carriers: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        for stratum in unit.strata:
            carriers[stratum].append(unit)
    needs = _Needs(shares, len(items))
    for stratum in sorted(carriers, key=lambda name: (len(carriers[name]), name)):
        needs.place(stratum, carriers)
    parts: list[list[int]] = [[] for _ in shares]
    for unit in units:
        assert unit.part is not None
        parts[unit.part].extend(unit.items)
    return [tuple(items[at] for at in sorted(part)) for part in parts]


class _Needs:
    """What each part still lacks, in millionths of an item: of all, and of each stratum."""

    def __init__(self, shares: Sequence[float], count: int):
        self.shares = [round(share * EXACT) for share in shares]
        self.wanting = [at for at, share in enumerate(self.shares) if share]
        self.whole = [share * count for share in self.shares]
        self.given: dict[str, Counter[int]] = defaultdict(Counter)  # stratum: items by part

    def place(self, stratum: str, carriers: dict[str, list[Unit]]) -> None:
        """Give a part to every unit that carries `stratum` and has none yet."""
        count = sum(unit.strata[stratum] for unit in carriers[stratum])
        given = self.given[stratum]
        waiting = [unit for unit in carriers[stratum] if unit.part is None]
        for left, unit in zip(range(len(waiting), 0, -1), waiting):
            empty = [at for at in self.wanting if not given[at]]
            among = empty if left <= len(empty) else self.wanting
            lack = {at: self.shares[at] * count - EXACT * given[at] for at in among}
            best = max(among, key=lambda at: (lack[at], self.whole[at], at))
            unit.part = best
            self.whole[best] -= EXACT * len(unit.items)
            for carried, times in unit.strata.items():
                self.given[carried][best] += times


def _units(items: Sequence[Item], seed: int, group: Grouping) -> list[Unit]:
    """The items by group in their turn: the largest groups first, equals by chance."""
    units: dict[bytes, Unit] = {}
    strata = _strata(items)
    for at, item in enumerate(items):
        together = group(item)
        key = f"item {item.name}" if together is None else f"group {together}"
        turn = hashlib.sha256(f"{seed} {key}".encode()).digest()
        unit = units.setdefault(turn, Unit(turn))
        unit.items.append(at)
        unit.strata.update(strata[at])
    return sorted(units.values(), key=lambda unit: (-len(unit.items), unit.turn))


def _strata(items: Sequence[Item]) -> list[tuple[str, ...]]:
    """What each item is to be balanced by: its classes, or the tenth that its number falls in."""
    numbers = [(item.label, item.name) for item in items if isinstance(item.label, float | int)]
    bins = min(BINS, max(1, len(numbers) // BINS))
    tenth = {
        name: str(rank * bins // len(numbers)) for rank, (_, name) in enumerate(sorted(numbers))
    }
    strata: list[tuple[str, ...]] = []
    for item in items:
        if isinstance(item.label, tuple):
            strata.append(tuple(dict.fromkeys(item.label)) or ("",))
        else:
            strata.append((tenth.get(item.name, str(item.label or "")),))
    return strata


GROUPINGS: dict[str, Grouping] = {"source": by_source, "folder": by_folder}
