"""curves_section: how a training went, epoch by epoch, and how its network fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from saccade.report.charts import Line, line_chart
from saccade.report.page import Html, columns, element, folded, join, sentence, table
from saccade.runs import Run

NOTE = (
    "The training loss is that of augmented pictures, with label smoothing where it is set: it may "
    "lie above that of validation. Both are from before the calibration."
)


def curves_section(run: Run) -> Html:
    """The judgement in words, losses and score over the epochs, the same as a table."""
    parts = [element("p", sentence(fact["words"])) for fact in run.events("judgement")[-1:]]
    if not run.history:
        return join([*parts, element("p", "The last layer was fitted in one go: no epochs.")])
    epochs = [row["epoch"] for row in run.history]
    score = score_of(run.history)
    lines = [
        Line("training", epochs, [row["loss"] for row in run.history]),
        Line("validation", epochs, [row["val_loss"] for row in run.history]),
    ]
    losses = line_chart(lines, title="Loss", x="epoch", y="loss")
    charts = columns(losses, score_chart({"validation": run.history}, score))
    if len(stages := run.recipe.stages) > 1:
        parts.append(element("p", f"Learned in stages: {', then '.join(map(str, stages))}."))
    return join([*parts, charts, element("p", NOTE, class_="note"), _table(run.history, score)])


def score_of(history: Sequence[Mapping[str, Any]]) -> str:
    """The name of the score that was watched."""
    return next(k for k in history[0] if k.startswith("val_") and k != "val_loss")[4:]


def score_chart(histories: Mapping[str, Sequence[Mapping[str, Any]]], score: str) -> Html:
    """The watched score of each training."""
    name = score.replace("_", " ")
    lines = [
        Line(who, [row["epoch"] for row in history], [row[f"val_{score}"] for row in history])
        for who, history in histories.items()
    ]
    whole = score in ("accuracy", "mean_average_precision")
    return line_chart(lines, title=f"Validation {name}", x="epoch", y=name, percent=whole)


def _table(history: Sequence[Mapping[str, Any]], score: str) -> Html:
    head = ("epoch", "training loss", "validation loss", score.replace("_", " "))
    rows = [
        (row["epoch"], *(f"{row[k]:.4f}" for k in ("loss", "val_loss", f"val_{score}")))
        for row in history
    ]
    return folded("Epoch by epoch", table(head, rows))
