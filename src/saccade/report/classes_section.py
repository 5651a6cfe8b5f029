"""classes_section: how the network does on each class or label, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from saccade.report.page import Html, element, folded, join, table, unbroken
from saccade.results import Evaluation

OPEN = 12  # classes, up to which the table is not folded
NOTE = (
    "Recall: of the pictures that are of it, how many were found. Precision: of those that were "
    "named so, how many are. F1 is the harmonic mean of the two."
)


def classes_section(test: Evaluation, thresholds: Mapping[str, float]) -> Html:
    """A row a class, the hardest first; labels with the threshold they are given from."""
    head = ("label" if thresholds else "class", "pictures", "right", "recall", "precision", "F1")
    rows = [
        (row.name, row.pictures, row.right, *map(unbroken, (row.recall, row.precision, row.f1)))
        for row in sorted(test.per_class, key=lambda row: (isnan(row.f1.value), row.f1.value))
    ]
    if thresholds:
        head = (*head, "given from")
        rows = [(*row, round(thresholds[row[0]], 3)) for row in rows]
    found = table(head, rows)
    shown = found if len(rows) <= OPEN else folded(f"All {len(rows)}", found)
    return join([element("p", NOTE, class_="note"), shown])
