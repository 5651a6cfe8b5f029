"""grouping: what must stay on one side of a split, as a function from item to the group's name.

Photographs of one house, frames of one film, slides of one patient: a network that has seen one
knows the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from saccade.data.source import Item
from saccade.errors import UsageError

Grouping = Callable[[Item], str | None]


def by_source(item: Item) -> str | None:
    """The group that the source tells, such as the `group` column of a table."""
    return item.group


def by_folder(item: Item) -> str | None:
    """The folder in which the picture lies."""
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
    """Names that belong together, such as copies of a picture, and all that `also` ties to them."""
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
    return None if all(item.group is None for item in items) else numbered(items, by_source)


def numbered(items: Iterable[Item], group: Grouping) -> Tensor:
    """The number of each item's group, counted as they come; alone where it has none.  [N] int64"""
    names = [f"item {item.name}" if (g := group(item)) is None else f"group {g}" for item in items]
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([place[name] for name in names])
