"""Report sections that several tasks share: metrics by class, predicted over true, highest loss."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from torch import Tensor

from saccade.data.item import SEPARATOR
from saccade.report.charts import short, ticks
from saccade.report.figures import Dot, scatter_plot
from saccade.report.images import TestedImages
from saccade.report.page import Html, element, folded, image_grid, join, table, unbroken
from saccade.runs.results import Evaluation

MAX_UNFOLDED = 12  # classes, up to which the table is not folded
NONE: Mapping[str, float] = {}
CLASSES_NOTE = (
    "Recall: of the images of a class, the share predicted as it. Precision: of the images "
    "predicted as a class, the share that is of it. F1 is the harmonic mean of the two."
)


def classes_section(test: Evaluation, thresholds: Mapping[str, float] = NONE) -> Html:
    """Precision, recall and F1 a class, lowest F1 first; a label with its decision threshold."""
    head = (
        "label" if thresholds else "class",
        "support",
        "true positives",
        "recall",
        "precision",
        "F1",
    )
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
        head = (*head, "threshold")
        rows = [(*row, round(thresholds[row[0]], 3)) for row in rows]
    classes = table(head, rows)
    shown = classes if len(rows) <= MAX_UNFOLDED else folded(f"All {len(rows)}", classes)
    return join([element("p", CLASSES_NOTE, class_="note"), shown])


MAX_DOTS = 400


def predicted_true_chart(tested: TestedImages) -> Html:
    """Scatter plot of predicted over true values, a dot per image."""
    true, predicted = true_and_predicted(tested)
    axis = ticks(min(*true, *predicted), max(*true, *predicted))
    indices = range(len(true))[:: -(-len(true) // MAX_DOTS)]
    dots = [
        Dot(
            true[k],
            predicted[k],
            f"{tested.names[k]}: true {true[k]:g}, predicted {predicted[k]:g}",
        )
        for k in indices
    ]
    ends = f"from {short(min(true))} to {short(max(true))}"
    chart = scatter_plot(
        dots,
        title="Predicted over true values",
        description=f"{len(dots)} images, true values {ends}; the metrics above say how near.",
        x="true",
        y="predicted",
        ends=(axis[0], axis[-1]),
    )
    if len(dots) == len(true):
        return chart
    note = f"{len(dots)} of {len(true)} are drawn."
    return join([chart, element("p", note, class_="note")])


def true_and_predicted(tested: TestedImages) -> tuple[list[float], list[float]]:
    """The true and the predicted value of each image."""
    return [float(cell) for cell in tested.labels], [float(cell) for cell in tested.predictions]


SHOWN = 24  # images


def highest_loss_section(tested: TestedImages) -> Html:
    """Of several labels or of numbers: the images with the highest loss."""
    indices = ranked(tested.losses)[:SHOWN]
    pairs = [(_answer_text(tested.labels[k]), _answer_text(tested.predictions[k])) for k in indices]
    cells = [
        tested.figure(k, f"true {true}; predicted {predicted}")
        for k, (true, predicted) in zip(indices, pairs, strict=True)
    ]
    lead = "The images with the highest loss, as the network saw them; the highest first."
    return join([element("p", lead), image_grid(cells)])


def ranked(values: Tensor, mask: Tensor | None = None) -> list[int]:
    """Indices in falling order, of `mask` only.  [N], [N] bool"""
    order = values.argsort(descending=True, stable=True).tolist()
    return order if mask is None else [k for k in order if mask[k]]


def _answer_text(answer: str) -> str:
    """Labels, or a number, as a person writes them."""
    try:
        return f"{float(answer):,.4g}"
    except ValueError:
        return answer.replace(SEPARATOR, ", ") or "no label"
