"""Fewer images of a split, drawn at random: a few of each class, or a share of those to train on.

The order is that of SHA-256 of the seed and the name, so that a larger number, or share, takes the
images of a smaller one and more.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from saccade.data.grouping import strata_of
from saccade.data.item import Item
from saccade.data.splits import DataSplit
from saccade.errors import UsageError
from saccade.words import pluralize


def subsample(
    data_split: DataSplit, *, train: int = 0, held_out: int = 0, share: float = 1.0, seed: int
) -> DataSplit:
    """At most `train` images of each class to train on, `held_out` in val and in test; 0: all.

    Then a `share` of those to train on.  A larger number, or share, takes the images of a smaller
    one and more, and none moves an image from one split to another.
    """
    limits = {"train": train, "val": held_out, "test": held_out}
    subsets = {
        name: _draw_per_class(getattr(data_split, name), count, seed)
        for name, count in limits.items()
    }
    limited = _unused(data_split, subsets)
    subsets["train"] = draw_share(subsets["train"], share, seed)
    rest = _unused(data_split, subsets)
    if not rest:
        return data_split
    notes = data_split.notes
    if limited:
        notes += (f"{_not_used(len(limited))}: data.per_class, data.held_out_per_class",)
    if len(rest) > len(limited):
        notes += (f"{_not_used(len(rest) - len(limited))}: data.train_share={share:g}",)
    return replace(data_split, **subsets, unused=(*data_split.unused, *rest), notes=notes)


def draw_share(items: Sequence[Item], share: float, seed: int) -> tuple[Item, ...]:
    """A share of the items, above 0, of each class in proportion, in the order of `items`.

    Items of a group come together; each class, or tenth of the numbers, keeps one group at least.
    Of a group with several classes the rarest counts.
    """
    if share >= 1:
        return tuple(items)
    groups: dict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(items):
        groups[f"item {item.name}" if item.group is None else f"group {item.group}"].append(i)
    order = sorted(groups, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    strata = strata_of(items)
    count = Counter(name for names in strata for name in names)
    classes = {group: {name for i in groups[group] for name in strata[i]} for group in order}
    rarest = {group: min(found, key=lambda n: (count[n], n)) for group, found in classes.items()}
    total = Counter(rarest[group] for group in order for _ in groups[group])
    before: Counter[str] = Counter()  # items of groups that came earlier
    seen: set[str] = set()
    chosen: list[int] = []
    for group in order:
        name, size = rarest[group], len(groups[group])
        if before[name] + size / 2 <= share * total[name] or not classes[group] <= seen:
            chosen += groups[group]
        before[name] += size
        seen |= classes[group]
    return tuple(items[i] for i in sorted(chosen))


def _unused(data_split: DataSplit, subsets: dict[str, tuple[Item, ...]]) -> list[Item]:
    """The items of the three splits that are in no subset."""
    used = {item.name for items in subsets.values() for item in items}
    return [item for name in subsets for item in getattr(data_split, name) if item.name not in used]


def _not_used(count: int) -> str:
    """'1 image is not used', '2 images are not used'."""
    return f"{pluralize(count, 'image')} {'is' if count == 1 else 'are'} not used"


def _draw_per_class(items: Sequence[Item], count: int, seed: int) -> tuple[Item, ...]:
    """`count` items of each class, drawn by `seed`, in the order of `items`."""
    if not count:
        return tuple(items)
    keys: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for i, item in enumerate(items):
        if not isinstance(item.label, str):
            raise UsageError(
                f"per_class needs one class per image, and '{item.name}' has none or several",
                "set data.per_class=0 and data.held_out_per_class=0",
            )
        key = hashlib.sha256(f"{seed} {item.name}".encode()).digest()
        keys[item.label].append((key, i))
    chosen = [i for class_keys in keys.values() for _, i in sorted(class_keys)[:count]]
    return tuple(items[i] for i in sorted(chosen))
