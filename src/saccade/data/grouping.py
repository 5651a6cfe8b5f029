"""Groups that must stay in one split, and iterative stratification over such groups.

Photographs of one house, frames of one film, slides of one patient: a network that has seen one
knows the others.  A grouping is a function from item to the name of its group.

Iterative stratification (Sechidis 2011, "On the stratification of multi-label data", Algorithm 1),
over groups instead of items and with the classes' order fixed at the start: the rarest class first,
each of its groups to the subset that still needs most of it.  The last groups of a class go to
subsets that have none yet, so that every subset has every class with as many groups as subsets.
What is right for each class can be wrong for all images together, so that groups are then moved
until every subset is within one group of its share; none loses the last of a class by that.

The order is that of SHA-256 of the seed and the name: it depends on nothing else, neither on the
platform nor on the order in which files were listed.  Shares are counted in whole millionths.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

from saccade.data.item import Item
from saccade.errors import UsageError

Grouping = Callable[[Item], str | None]
Node = TypeVar("Node", int, str)


def by_source(item: Item) -> str | None:
    """The group that the source gives, such as the `group` column of a table."""
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
        hint = r"a bracket or a dot that is meant as such has a backslash before it, as in \."
        raise UsageError(f"'{pattern}' is no regular expression: {error}", hint) from error
    key = "group" if "group" in compiled.groupindex else min(1, compiled.groups)

    def group_of(item: Item) -> str | None:
        match = compiled.search(item.name)
        return match[key] if match else None

    return group_of


def by_cluster(
    clusters: Iterable[Iterable[str]], items: Iterable[Item], also: Grouping = by_source
) -> Grouping:
    """Names that belong together, such as copies of an image, and all that `also` ties to them."""
    pairs = [(f"item {a}", f"item {b}") for cluster in clusters for a, b in pairwise(cluster)]
    groups = ((f"item {item.name}", also(item)) for item in items)
    pairs += [(name, f"group {group}") for name, group in groups if group is not None]
    lowest = connected_components(pairs)
    return lambda item: lowest.get(f"item {item.name}")


def connected_components(pairs: Iterable[tuple[Node, Node]]) -> dict[Node, Node]:
    """The lowest node of the connected component of each node in `pairs`."""
    parent: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]  # halves the way for the next one
            node = above
        return node

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return {node: root(node) for node in parent}


def cluster_name(root: str) -> str:
    """What a group of `by_cluster` is called: by its group, else after the first of its copies."""
    kind, _, name = root.partition(" ")
    return name if kind == "group" else f"copies of {name}"


def groups_of(items: Sequence[Item]) -> Tensor | None:
    """The index of each of N items' group; None where the source has no groups.  -> [N] int64

    An item without a group is one of its own.
    """
    return None if all(item.group is None for item in items) else group_indices(items, by_source)


def group_indices(items: Iterable[Item], group: Grouping) -> Tensor:
    """The index of each of N items' group, counted as they come; its own where it has none.

    -> [N] int64
    """
    names = [f"item {item.name}" if (g := group(item)) is None else f"group {g}" for item in items]
    index = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([index[name] for name in names])


BINS = 10  # numbers are balanced by deciles: each subset gets small and large ones
MILLION = 1_000_000


@dataclass(slots=True)
class Group:
    """Items of one group; `strata` counts the classes, or bins of numbers, among them."""

    sort_key: bytes
    items: list[int] = field(default_factory=list)
    strata: Counter[str] = field(default_factory=Counter)
    subset: int = -1  # none yet


def stratify(
    items: Sequence[Item], shares: Sequence[float | None], seed: int, group: Grouping
) -> list[tuple[Item, ...]]:
    """The items in as many subsets as there are shares, each subset in the order of `items`.

    A share of None is what the others leave.  Each other subset is within one group of its share,
    unless that would take the last image of a class from a subset; of numbers there is no such
    exception.
    """
    groups = _groups(items, seed, group)
    carriers: dict[str, list[Group]] = defaultdict(list)
    for g in groups:
        for stratum in g.strata:
            carriers[stratum].append(g)
    demand = _Demand(shares, len(items))
    for stratum in sorted(carriers, key=lambda name: (len(carriers[name]), name)):
        demand.assign(stratum, carriers)
    demand.rebalance(groups, kept=not any(isinstance(item.label, float | int) for item in items))
    subsets: list[list[int]] = [[] for _ in shares]
    for g in groups:
        subsets[g.subset].extend(g.items)
    return [tuple(items[i] for i in sorted(subset)) for subset in subsets]


class _Demand:
    """How many items each subset still needs, in millionths: of all, and of each stratum."""

    def __init__(self, shares: Sequence[float | None], count: int):
        rest = 1.0
        for share in shares:
            rest -= share or 0.0
        self.asked = [share is not None for share in shares]
        self.shares = [round((rest if share is None else share) * MILLION) for share in shares]
        self.used = [i for i, share in enumerate(self.shares) if share]
        self.total = [share * count for share in self.shares]
        self.assigned: dict[str, Counter[int]] = defaultdict(Counter)  # stratum: items by subset
        self.count: Counter[str] = Counter()  # items of each stratum

    def assign(self, stratum: str, carriers: dict[str, list[Group]]) -> None:
        """Assign a subset to every group that carries `stratum` and has none yet."""
        count = sum(g.strata[stratum] for g in carriers[stratum])
        self.count[stratum] = count
        assigned = self.assigned[stratum]
        unassigned = [g for g in carriers[stratum] if g.subset < 0]
        for remaining, g in zip(range(len(unassigned), 0, -1), unassigned):
            empty = [i for i in self.used if not assigned[i]]
            candidates = empty if remaining <= len(empty) else self.used
            need = {i: self.shares[i] * count - MILLION * assigned[i] for i in candidates}
            self._put(g, max(candidates, key=lambda i: (need[i], self.total[i], i)))

    def _put(self, g: Group, subset: int) -> None:
        """Assign the group to `subset`, out of the one that it is in."""
        for i, sign in ((g.subset, -1), (subset, 1)):
            if i >= 0:
                self.total[i] -= sign * MILLION * len(g.items)
                for name, n in g.strata.items():
                    self.assigned[name][i] += sign * n
        g.subset = subset

    def rebalance(self, groups: Sequence[Group], *, kept: bool) -> None:
        """Move groups until each share that was asked for is met within one group.

        `kept`: no subset loses its last item of a stratum.
        """
        for subset in self.used:
            if all(g.subset != subset for g in groups):
                self._fill(groups, subset, kept)
        moved = True
        while moved:
            over = sorted((self.total[i], i) for i in self.used if self.total[i] < 0)
            under = sorted((-self.total[i], i) for i in self.used if self.total[i] > 0)
            moved = any(self._move(groups, a, b, kept) for _, a in over for _, b in under)

    def _fill(self, groups: Sequence[Group], empty: int, kept: bool) -> None:
        """Move one group, a small one, to a subset that has none."""
        sizes = Counter(g.subset for g in groups)
        spare = [g for g in groups if sizes[g.subset] > 1 and not (kept and self._is_last(g))]
        if spare:
            self._put(min(spare, key=lambda g: (len(g.items), g.sort_key)), empty)

    def _move(self, groups: Sequence[Group], source: int, target: int, kept: bool) -> bool:
        """Move groups from one subset to another while a share lacks more; whether any was moved.

        First those after which the strata of the two are nearest to their shares.
        """
        farther = {
            name: self._excess(name, target) - self._excess(name, source) for name in self.count
        }

        def cost(g: Group) -> int:
            return sum(n * (MILLION * n + farther[name]) for name, n in g.strata.items())

        inside = [k for k, g in enumerate(groups) if g.subset == source]
        heap = [(cost(groups[k]), k) for k in inside]
        heapq.heapify(heap)
        left = len(heap)
        while heap and left > 1 and (lack := self._lack(source, target)) > 0:
            known, k = heapq.heappop(heap)
            g = groups[k]
            if MILLION * len(g.items) >= lack or (kept and self._is_last(g)):
                continue
            if (now := cost(g)) > known:
                heapq.heappush(heap, (now, k))
                continue
            self._put(g, target)
            left -= 1
            for name, n in g.strata.items():
                farther[name] += 2 * MILLION * n
        return left < len(inside)

    def _lack(self, source: int, target: int) -> int:
        """By how much one of two subsets is off its share, where that was asked for."""
        over, under = -self.total[source], self.total[target]
        if over <= 0 or under <= 0:
            return 0
        return max(over * self.asked[source], under * self.asked[target])

    def _excess(self, stratum: str, subset: int) -> int:
        """Items of a stratum in a subset above its share, in millionths."""
        return MILLION * self.assigned[stratum][subset] - self.shares[subset] * self.count[stratum]

    def _is_last(self, g: Group) -> bool:
        """Whether its subset has no other item of one of its strata."""
        return any(self.assigned[name][g.subset] <= n for name, n in g.strata.items())


def _groups(items: Sequence[Item], seed: int, group: Grouping) -> list[Group]:
    """The items by group, the largest groups first, groups of one size in random order."""
    groups: dict[bytes, Group] = {}
    strata = strata_of(items)
    for i, item in enumerate(items):
        name = group(item)
        key = f"item {item.name}" if name is None else f"group {name}"
        sort_key = hashlib.sha256(f"{seed} {key}".encode()).digest()
        g = groups.setdefault(sort_key, Group(sort_key))
        g.items.append(i)
        g.strata.update(strata[i])
    return sorted(groups.values(), key=lambda g: (-len(g.items), g.sort_key))


def strata_of(items: Sequence[Item]) -> list[tuple[str, ...]]:
    """The strata of each of N items: its classes, or the quantile bin of its number."""
    values = [(item.label, item.name) for item in items if isinstance(item.label, float | int)]
    bins = min(BINS, max(1, len(values) // BINS))
    bin_of = {
        name: str(rank * bins // len(values)) for rank, (_, name) in enumerate(sorted(values))
    }
    strata: list[tuple[str, ...]] = []
    for item in items:
        if isinstance(item.label, tuple):
            strata.append(tuple(dict.fromkeys(item.label)) or ("",))
        else:
            strata.append((bin_of.get(item.name, str(item.label or "")),))
    return strata
