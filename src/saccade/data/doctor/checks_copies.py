"""Checks of copies: exact and near ones, across labels or splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from saccade.data.doctor.case import Case, Finding, Severity
from saccade.data.item import Label, label_text
from saccade.words import pluralize


def duplicates(case: Case) -> Finding | None:
    """Exact copies: images with equal content."""
    groups = case.groups(case.content)
    extra = sum(len(group) - 1 for group in groups)
    if not extra:
        return None
    some = "are exact copies of others" if extra > 1 else "is an exact copy of another"
    message = f"{pluralize(extra, 'image')} {some}."
    advice = "They count twice in training; --cleaned leaves them out."
    return _finding("duplicates", "warning", extra, case, groups, message, advice)


def near_duplicates(case: Case) -> Finding | None:
    """Near copies: images with equal hashes and fine structure, but other content."""
    groups = [
        group
        for group in case.groups(case.cluster)
        if len({case.content[row] for row in group}) > 1
    ]
    extra = sum(len({case.content[row] for row in group}) - 1 for group in groups)
    if not extra:
        return None
    message = f"{pluralize(extra, 'image')} {'looks' if extra == 1 else 'look'} like others."
    advice = (
        "They may be copies, saved again or resized, or different shots of like things: look at "
        "them. --cleaned makes one group of each, so that a split keeps them together."
    )
    return _finding("near_duplicates", "warning", extra, case, groups, message, advice)


def different_labels(case: Case) -> Finding | None:
    """Copies that contradict each other; of numbers exact ones only, near ones may well differ."""
    numeric = any(isinstance(item.label, int | float) for item in case.items)
    groups = [
        group
        for group in case.groups(case.content if numeric else case.cluster)
        if len({_unordered(case.items[row].label) for row in group}) > 1
    ]
    count = sum(map(len, groups))
    if not groups:
        return None
    groups = [
        _spread(group, [_unordered(case.items[row].label) for row in group]) for group in groups
    ]
    copies = [
        group
        for group in groups
        if len({(case.content[row], _unordered(case.items[row].label)) for row in group})
        > len({case.content[row] for row in group})
    ]
    alike = len(groups) - len(copies)
    told = [f"{pluralize(len(copies), 'image')} {_are(len(copies))} there under different labels"]
    if alike:
        of_alike = f"{pluralize(alike, 'group')} of images that look alike under different labels"
        told = [*(told if copies else ()), of_alike]
    message = f"{', and '.join(told)}."
    advice = "Of a copy with two labels one is wrong, or both are right: look at them."
    if not copies:
        advice = "They may be copies, one with a wrong label, or different things: look at them."
    return _finding("different_labels", "error", count, case, groups, message, advice)


def leakage(case: Case) -> Finding | None:
    """Copies and near copies in more than one split."""
    groups = [
        group for group in case.groups(case.cluster) if len({case.splits[row] for row in group}) > 1
    ]
    if not groups:
        return None
    groups = [_spread(group, [case.splits[row] for row in group]) for group in groups]
    held_out = sum(
        1 for group in groups for row in group if case.splits[row] != case.training_split
    )
    exact = _held_out_copies(case)
    message = f"{pluralize(exact, 'held-out image')} {_are(exact)} in another split as well"
    if alike := held_out - exact:
        looks = f"{'looks' if alike == 1 else 'look'} like images in another split"
        more = f"{message}, and {alike:,} more {looks}"
        message = more if exact else f"{pluralize(alike, 'held-out image')} {looks}"
    message = f"{message}."
    advice = "Where they are copies, scores are too good; --cleaned keeps the held-out one only."
    return _finding("leakage", "error", held_out, case, groups, message, advice)


def _spread(group: Sequence[int], keys: Sequence[Hashable]) -> list[int]:
    """The rows of a group with one of each key first, since only the first few are shown."""
    seen: Counter[Hashable] = Counter()
    turns = []
    for row, key in zip(group, keys, strict=True):
        turns.append((seen[key], row))
        seen[key] += 1
    return [row for _, row in sorted(turns)]


def _held_out_copies(case: Case) -> int:
    """How many held-out images have their exact content in another split."""
    groups = [
        group for group in case.groups(case.content) if len({case.splits[row] for row in group}) > 1
    ]
    return sum(case.splits[row] != case.training_split for group in groups for row in group)


def _finding(
    kind: str,
    severity: Severity,
    count: int,
    case: Case,
    groups: Sequence[Sequence[int]],
    message: str,
    advice: str,
) -> Finding:
    flat = [row for group in groups for row in group]
    divided = len(set(case.splits)) > 1
    remarks = {}
    for row in flat:
        details = (label_text(case.items[row].label), case.splits[row] if divided else "")
        remarks[case.items[row].name] = ", ".join(filter(None, details))
    names = tuple(case.names(group) for group in groups)
    return Finding(kind, severity, count, case.names(flat), message, advice, remarks, names)


def _unordered(label: Label) -> Label | frozenset[str]:
    """Several labels are the same in any order."""
    return frozenset(label) if isinstance(label, tuple) else label


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
