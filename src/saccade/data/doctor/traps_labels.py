"""Traps of labels: a class that a split lacks, tiny classes, imbalance."""

from __future__ import annotations

from collections import Counter

from saccade.data.classes import labels_of
from saccade.data.doctor.case import Case, Finding, several

TINY = 10  # pictures of a class to learn from
UNEVEN = 10  # times as many pictures of one class as of another


def label_counts(case: Case) -> dict[str, Counter[str]]:
    """Pictures by split and class, unreadable ones left out; none for labels that are numbers."""
    counts = {
        split: Counter(dict.fromkeys(case.classes, 0)) for split in dict.fromkeys(case.splits)
    }
    for row, item in enumerate(case.items):
        if case.table["readable"][row]:
            counts[case.splits[row]].update(labels_of(item))
    return counts


def class_missing(case: Case) -> Finding | None:
    missing = {
        f"{split}/{name}": f"no picture in {split}"
        for split, counts in label_counts(case).items()
        for name in case.classes
        if not counts[name]
    }
    if not missing:
        return None
    learned = f"{case.learned_from}/"
    severity = "error" if any(name.startswith(learned) for name in missing) else "warning"
    shown = ", ".join(list(missing)[:5]) + (" and others" if len(missing) > 5 else "")
    words = f"{several(len(missing), 'class', 'classes')} missing from a split: {shown}."
    advice = "A class that is not learned cannot be told; one that is not tested has no score."
    return Finding("class_missing", severity, len(missing), tuple(missing), words, advice, missing)


def class_tiny(case: Case) -> Finding | None:
    counts = label_counts(case).get(case.learned_from, Counter())
    tiny = {name: several(n, "picture") for name, n in counts.items() if 0 < n < TINY}
    if not tiny:
        return None
    has = several(len(tiny), "class has", "classes have")
    words = f"{has} fewer than {TINY} pictures to learn from."
    advice = "Add pictures, or put small classes together."
    return Finding("class_tiny", "warning", len(tiny), tuple(tiny), words, advice, tiny)


def imbalance(case: Case) -> Finding | None:
    counts = label_counts(case).get(case.learned_from, Counter())
    present = {name: n for name, n in counts.items() if n}
    if len(present) < 2:
        return None
    least, most = min(present, key=present.__getitem__), max(present, key=present.__getitem__)
    times = present[most] / present[least]
    if times < UNEVEN:
        return None
    remarks = {name: several(present[name], "picture") for name in (most, least)}
    words = f"'{most}' has {times:.0f} times as many pictures as '{least}'."
    advice = "Weigh the classes, sample them evenly, or add pictures of the small ones."
    return Finding("imbalance", "warning", 2, (most, least), words, advice, remarks)
