"""Sections about answers that several kinds of them share."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from torch import Tensor

from saccade.report.charts import short, ticks
from saccade.report.figures import Dot, dot_chart
from saccade.report.images import TestedImages
from saccade.report.page import Html, element, folded, image_grid, join, table, unbroken
from saccade.runs.results import Evaluation

OPEN = 12  # classes, up to which the table is not folded
NONE: Mapping[str, float] = {}
CLASSES_NOTE = (
    "Recall: of the images that are of it, how many were found. Precision: of those that were "
    "named so, how many are. F1 is the harmonic mean of the two."
)


def classes_section(test: Evaluation, thresholds: Mapping[str, float] = NONE) -> Html:
    """A row a class, the hardest first; labels with the threshold they are given from."""
    head = ("label" if thresholds else "class", "images", "right", "recall", "precision", "F1")
    rows = [
        (
            row.name,
            row.support,
            row.true_positives,
            *map(unbroken, (row.recall, row.precision, row.f1)),
        )
        for row in sorted(test.per_class, key=lambda row: (isnan(row.f1.value), row.f1.value))
    ]
    if thresholds:
        head = (*head, "given from")
        rows = [(*row, round(thresholds[row[0]], 3)) for row in rows]
    found = table(head, rows)
    shown = found if len(rows) <= OPEN else folded(f"All {len(rows)}", found)
    return join([element("p", CLASSES_NOTE, class_="note"), shown])


DOTS = 400


def numbers_chart(tested: TestedImages) -> Html:
    """What was predicted over what is true, a dot an image."""
    true, predicted = numbers_of(tested)
    within = ticks(min(*true, *predicted), max(*true, *predicted))
    places = range(len(true))[:: -(-len(true) // DOTS)]
    dots = [
        Dot(true[k], predicted[k], f"{tested.names[k]}: is {true[k]:g}, said {predicted[k]:g}")
        for k in places
    ]
    ends = f"from {short(min(true))} to {short(max(true))}"
    chart = dot_chart(
        dots,
        title="Said, over what it is",
        words=f"{len(dots)} images, true numbers {ends}; the numbers above say how near.",
        x="what it is",
        y="what was said",
        ends=(within[0], within[-1]),
    )
    if len(dots) == len(true):
        return chart
    note = f"{len(dots)} of {len(true)} are drawn."
    return join([chart, element("p", note, class_="note")])


def numbers_of(tested: TestedImages) -> tuple[list[float], list[float]]:
    """The true and the predicted number of each image."""
    return [float(cell) for cell in tested.labels], [float(cell) for cell in tested.predictions]


SHOWN = 24  # images


def worst_section(tested: TestedImages) -> Html:
    """Of labels or numbers: the images with the highest loss."""
    places = ranked(tested.losses)[:SHOWN]
    cells = [
        tested.figure(k, f"is {_named(tested.labels[k])}; said {_named(tested.predictions[k])}")
        for k in places
    ]
    lead = "Where the answer was furthest from the truth, as the network saw them; worst first."
    return join([element("p", lead), image_grid(cells)])


def ranked(values: Tensor, among: Tensor | None = None) -> list[int]:
    """Places in falling order, those of `among` only."""
    order = values.argsort(descending=True, stable=True).tolist()
    return order if among is None else [k for k in order if among[k]]


def _named(answer: str) -> str:
    """Labels, or a number, as a person would write them."""
    try:
        return f"{float(answer):,.4g}"
    except ValueError:
        return answer.replace("|", ", ") or "no label"
