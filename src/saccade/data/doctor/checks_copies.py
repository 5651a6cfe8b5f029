"""Checks of copies: exact and near ones, across labels or splits."""

from __future__ import annotations

from collections.abc import Sequence

from saccade.data.doctor.case import Case, Finding, Severity, pluralize
from saccade.data.item import Label, label_text


def duplicates(case: Case) -> Finding | None:
    """Exact copies: images with equal content."""
    groups = case.groups(case.content)
    extra = sum(len(group) - 1 for group in groups)
    if not extra:
        return None
    message = f"{_are_copies(extra, 'exact')}."
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
    message = f"{_are_copies(extra, 'near')}: saved again, resized or brightened."
    advice = "--cleaned makes one group of each, so that a split keeps them together."
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
    message = f"{pluralize(len(groups), 'image')} {_are(len(groups))} there under different labels."
    advice = "One of the labels is wrong; look at them."
    return _finding("different_labels", "error", count, case, groups, message, advice)


def leakage(case: Case) -> Finding | None:
    """Copies and near copies in more than one split."""
    groups = [
        group for group in case.groups(case.cluster) if len({case.splits[row] for row in group}) > 1
    ]
    if not groups:
        return None
    held_out = sum(
        1 for group in groups for row in group if case.splits[row] != case.training_split
    )
    message = f"{pluralize(held_out, 'held-out image')} {_are(held_out)} in another split as well."
    advice = "Scores come out too good; --cleaned keeps the held-out copy only."
    return _finding("leakage", "error", held_out, case, groups, message, advice)


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


def _are_copies(count: int, kind: str) -> str:
    article = "an" if kind == "exact" else "a"
    some = f"are {kind} copies of others" if count > 1 else f"is {article} {kind} copy of another"
    return f"{pluralize(count, 'image')} {some}"
