"""A check of series: images taken one after the other, such as frames of a film, that look alike.

Neighbours are images of one class with consecutive numbers in their names, or times, which are
numbers too.  They count as a series where far more of them look alike than of images of that class
at large.  Copies, which stay in one split anyway, are left out, and images with little content,
whose hashes tell little.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.case import Case, Finding
from saccade.data.doctor.duplicates import ALIKE, low_content
from saccade.data.doctor.facts import distance
from saccade.data.grouping import Grouping, by_folder, by_pattern
from saccade.data.item import Item
from saccade.words import pluralize

NUMBERED = re.compile(r"^(.*?)(\d+)\D*(?:\.\w+)?$")  # what is before the last number, and this
BLOCK = r"^(.*?)\d{%s}\D*(?:\.\w+)?$"  # groups by the name without its last digits
DIGITS = ("1,", "4", "3", "2", "1")  # the whole number, else ever smaller blocks
FEWEST = 10  # neighbours that look alike
SHARE = 0.05  # of all neighbours, at least
TIMES = 5  # as many as of images at large, at least
DRAWS, MOST = 5, 2000  # images at large for each of so many pairs of neighbours
TOGETHER = 0.8  # of the alike neighbours that a grouping must keep together, at least
LARGEST = 0.25  # of all images that may be in one group
SPLITS = 3  # train, val and test, each with a group of every class


def series(case: Case) -> Finding | None:
    """Neighbours in a series of images that would be divided at random."""
    if {"val", "test"} & set(case.splits):
        return None
    pairs = np.array([*_neighbours(case)], dtype=np.int64).reshape(-1, 2)
    if len(pairs) < FEWEST:
        return None
    alike = pairs[_alike(case, pairs)]
    by_chance = float(_alike(case, _at_large(case, pairs)).mean())
    share = len(alike) / len(pairs)
    if len(alike) < FEWEST or share < max(SHARE, TIMES * by_chance):
        return None
    first, second = case.names(alike[0])
    message = (
        f"{len(alike):,} of {pluralize(len(pairs), 'pair')} of neighbours by name look alike, as "
        f"in a series ({100 * by_chance:.1f} % of images at large do), such as '{first}' and "
        f"'{second}'; divided at random they lie in train and test, and scores are too good."
    )
    group = proposed_group(case.items, alike)
    advice = "Images of one series belong in one split: a column group in a table tells which."
    if group:
        message += f" Keep them together: --with {shlex.quote(f'data.group={group}')}"
        advice = "A group of numbers next to each other stays in one split; look at its borders."
    names = case.names(np.unique(alike))
    return Finding("series", "warning", len(alike), names, message, advice)


def proposed_group(items: Sequence[Item], alike: NDArray[np.int64]) -> str:
    """A value of data.group that keeps alike pairs together; empty where none does.  [n,2]"""
    for text in ("folder", *(BLOCK % digits for digits in DIGITS)):
        grouping = by_folder if text == "folder" else by_pattern(text)
        if _divides(items, grouping) and _together(items, grouping, alike) >= TOGETHER:
            return text
    return ""


def _divides(items: Sequence[Item], grouping: Grouping) -> bool:
    """Whether each class has groups for each split, and no group is most of the images."""
    groups = [grouping(item) for item in items]
    by_class: dict[str, set[str | None]] = defaultdict(set)
    for item, group in zip(items, groups):
        by_class[item.label if isinstance(item.label, str) else ""].add(group)
    largest = max(Counter(groups).values())
    return largest <= LARGEST * len(items) and min(map(len, by_class.values())) >= SPLITS


def _together(items: Sequence[Item], grouping: Grouping, pairs: NDArray[np.int64]) -> float:
    """The share of pairs of rows [n,2] that are in one group."""
    found = [(grouping(items[a]), grouping(items[b])) for a, b in pairs.tolist()]
    return sum(a == b is not None for a, b in found) / len(found)


def _neighbours(case: Case) -> Iterator[tuple[int, int]]:
    """Rows that follow one another in the numbers of their names, of one class and no copies."""
    usable = case.table["readable"] & ~low_content(case.table)
    sequences: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for row, item in enumerate(case.items):
        if usable[row] and (match := NUMBERED.match(item.name)):
            label = item.label if isinstance(item.label, str) else ""
            sequences[match[1], label].append((int(match[2]), row))
    for sequence in sequences.values():
        rows = [row for _, row in sorted(sequence)]
        for a, b in pairwise(rows):
            own = case.items[a].group, case.items[b].group
            kept = own[0] is not None and own[0] == own[1]
            if case.cluster[a] != case.cluster[b] and not kept:
                yield a, b


def _at_large(case: Case, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first of each pair beside images of its class, drawn at random.  [n,2] -> [m,2]"""
    classes: dict[str, list[int]] = defaultdict(list)
    labels = [item.label if isinstance(item.label, str) else "" for item in case.items]
    for row in np.flatnonzero(case.table["readable"]).tolist():
        classes[labels[row]].append(row)
    draw = np.random.default_rng(0)
    drawn = [
        (a, classes[labels[a]][draw.integers(len(classes[labels[a]]))])
        for a in pairs[:: len(pairs) // MOST + 1, 0].tolist()
        for _ in range(DRAWS)
    ]
    found = np.array(drawn, dtype=np.int64)
    other = case.cluster[found[:, 0]] != case.cluster[found[:, 1]]
    return found[other] if other.any() else found


def _alike(case: Case, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pairs of rows look alike by their hashes.  [n,2] -> [n] bool"""
    hashes = case.table["phash"]
    return distance(hashes[pairs[:, 0]], hashes[pairs[:, 1]]) <= ALIKE
