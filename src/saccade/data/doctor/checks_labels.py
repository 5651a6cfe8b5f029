"""Checks of labels: classes missing, tiny or imbalanced."""

from __future__ import annotations

from collections import Counter

from saccade.data.classes import labels_of
from saccade.data.doctor.case import Case, Finding
from saccade.words import pluralize

TINY = 10  # images of a class to learn from
UNEVEN = 10  # times as many images of one class as of another


def label_counts(case: Case) -> dict[str, Counter[str]]:
    """Images by split and class, unreadable ones left out; none for labels that are numbers."""
    counts = {
        split: Counter(dict.fromkeys(case.classes, 0)) for split in dict.fromkeys(case.splits)
    }
    for row, item in enumerate(case.items):
        if case.table["readable"][row]:
            counts[case.splits[row]].update(labels_of(item))
    return counts


def class_missing(case: Case) -> Finding | None:
    """Classes without an image in one of the splits."""
    missing = {
        f"{split}/{name}": f"no image in {split}"
        for split, counts in label_counts(case).items()
        for name in case.classes
        if not counts[name]
    }
    if not missing:
        return None
    prefix = f"{case.training_split}/"
    severity = "error" if any(name.startswith(prefix) for name in missing) else "warning"
    shown = ", ".join(list(missing)[:5]) + (" and others" if len(missing) > 5 else "")
    message = f"{pluralize(len(missing), 'class', 'classes')} missing from a split: {shown}."
    advice = "A class that is not learned cannot be told; one that is not tested has no score."
    return Finding(
        "class_missing", severity, len(missing), tuple(missing), message, advice, missing
    )


def class_tiny(case: Case) -> Finding | None:
    """Classes with fewer than `TINY` images in the training split."""
    counts = label_counts(case).get(case.training_split, Counter())
    tiny = {name: pluralize(n, "image") for name, n in counts.items() if 0 < n < TINY}
    if not tiny:
        return None
    has = pluralize(len(tiny), "class has", "classes have")
    message = f"{has} fewer than {TINY} images to learn from."
    advice = "Add images, or put small classes together."
    return Finding("class_tiny", "warning", len(tiny), tuple(tiny), message, advice, tiny)


def imbalance(case: Case) -> Finding | None:
    """A largest class with `UNEVEN` times as many training images as the smallest."""
    counts = label_counts(case).get(case.training_split, Counter())
    present = {name: n for name, n in counts.items() if n}
    if len(present) < 2:
        return None
    least, most = min(present, key=present.__getitem__), max(present, key=present.__getitem__)
    times = present[most] / present[least]
    if times < UNEVEN:
        return None
    remarks = {name: pluralize(present[name], "image") for name in (most, least)}
    message = f"'{most}' has {times:.0f} times as many images as '{least}'."
    advice = "Weigh the classes, sample them evenly, or add images of the small ones."
    return Finding("imbalance", "warning", 2, (most, least), message, advice, remarks)
