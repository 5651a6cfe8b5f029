"""The report of a run: one HTML file that opens anywhere and asks nothing of the network."""

from __future__ import annotations

import csv
import io
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from saccade.data.cache import Pictures
from saccade.files import write_whole
from saccade.metrics.measured import Number
from saccade.report.charts import Line, heat_map, line_chart
from saccade.report.page import (
    Html,
    Section,
    columns,
    element,
    facts,
    folded,
    join,
    page,
    picture,
    pictures,
    table,
)
from saccade.results import BRIEF, Evaluation, percent
from saccade.runs import Run

SHOWN = 24  # mistakes
SIDE = 112  # pixels of a shown picture at most
NO_BREAK = "\u00a0"  # a space that no line ends at


def write_report(run: Run, test_pictures: Pictures) -> None:
    """Write report.html; `test_pictures` are in the order of predictions.csv."""
    write_whole(run.path / "report.html", run_page(run, test_pictures))


def run_page(run: Run, test_pictures: Pictures) -> str:
    """The report as text."""
    started, finished = run.events("started")[0], run.events("finished")[-1]
    test = run.test
    sections = [
        Section("Result", _result(run, started, finished)),
        *([Section("Learning curves", _curves(run.history))] if run.history else []),
        *([Section("Confusion", _confusion(test))] if test.confusion else []),
        *(
            [Section("Most confident mistakes", _mistakes(run, test_pictures))]
            if test.confusion
            else []
        ),
        Section("Settings", _settings(run, run.origins)),
        Section("How to repeat it", _origin(run, started)),
    ]
    return page(f"{run.path.name}", sections, lead=verdict(test), footer="Written by saccade.")


def verdict(test: Evaluation) -> str:
    """The result in words."""
    if not test.confusion:
        return f"On pictures it never saw: {test.leading.name} {test.leading}."
    words = f"Right on {test['accuracy']} of pictures it never saw."
    pair = most_confused(test)
    if pair is None:
        return f"{words} No mistake on these."
    true, taken, count = pair
    mistakes = test.n - round(test.accuracy * test.n)
    if mistakes == 1:
        return f"{words} Its one mistake: “{true}” taken for “{taken}”."
    if count == 1:
        return f"{words} Its {mistakes} mistakes are all of different kinds."
    return f"{words} Most often it took “{true}” for “{taken}”, {count} times."


def most_confused(test: Evaluation) -> tuple[str, str, int] | None:
    """True class, predicted class and count of the most frequent mistake."""
    counts = torch.tensor(test.confusion)
    counts.fill_diagonal_(0)
    if not counts.any():
        return None
    true, taken = divmod(int(counts.argmax()), len(test.classes))
    return test.classes[true], test.classes[taken], int(counts[true, taken])


def _result(run: Run, started: dict[str, Any], finished: dict[str, Any]) -> Html:
    test = run.test
    shown = {
        **{number.name: _split_words(number) for number in test.numbers[:BRIEF]},
        "network": (run.recipe.model.name, f"{run.recipe.data.size} pixels"),
        "pictures": (f"{sum(started['pictures']['train'].values()):,}", "to train on"),
        "took": (_duration(finished["seconds"]), _epochs(run)),
    }
    parts: list[Html] = [facts(shown)]
    parts.append(
        element(
            "p",
            "The interval is Wilson's, 95 %: how far the accuracy may lie from that on all "
            "pictures like these. It covers the chance by which these were the ones to be tested, "
            "not pictures of another kind.",
            class_="note",
        )
    )
    notes = [*started["notes"], *(fact["note"] for fact in run.events("extended"))]
    notes += [calibration(run.events("calibrated")[-1])]
    notes += [f"unreadable: {s.name} ({s.reason})" for s in run.reported]
    if notes:
        parts.append(element("ul", *(element("li", note) for note in notes[:20])))
    return join(parts)


def calibration(fact: dict[str, Any]) -> str:
    """How the probabilities were calibrated, in words."""
    if "temperature" not in fact:
        return fact["note"] or "thresholds and margins come from validation"
    if fact["note"]:
        return f"probabilities are as the network gives them: {fact['note']}"
    return f"probabilities are calibrated: temperature {fact['temperature']:.2f}, from validation"


def _epochs(run: Run) -> str:
    return f"{len(run.history)} epochs" if run.history else "fitted in one go"


def _split_words(number: Number) -> tuple[str, str]:
    """The number, and its interval with what one gets without looking."""
    value, _, rest = str(number).partition(" (")
    against = f"; {number.against()}" if number.against() else ""
    return value, rest.rstrip(")") + against


def _curves(history: list[dict[str, Any]]) -> Html:
    epochs = [row["epoch"] for row in history]
    score = next(k for k in history[0] if k.startswith("val_") and k != "val_loss")[4:]
    name = score.replace("_", " ")
    losses = line_chart(
        [
            Line("training", epochs, [row["loss"] for row in history]),
            Line("validation", epochs, [row["val_loss"] for row in history]),
        ],
        title="Loss",
        x="epoch",
        y="loss in nats",
    )
    accuracy = line_chart(
        [Line("validation", epochs, [row[f"val_{score}"] for row in history])],
        title=name.capitalize(),
        x="epoch",
        y=name,
        percent=score == "accuracy",
    )
    words = (
        "The training loss is that of augmented pictures, with label smoothing where it is set: "
        "it may lie above that of validation. Both are from before the calibration."
    )
    return join([columns(losses, accuracy), element("p", words, class_="note")])


def _confusion(test: Evaluation) -> Html:
    rows = [
        (row.name, row.pictures, row.right, str(row.recall), str(row.precision), str(row.f1))
        for row in test.per_class
    ]
    matrix = heat_map(
        test.confusion,
        rows=test.classes,
        columns=test.classes,
        title="Which class was taken for which",
        row_axis="true class",
        column_axis="predicted class",
    )
    head = (
        "class",
        "pictures",
        "right",
        "found of it (recall)",
        "right when named (precision)",
        "F1",
    )
    return join([matrix, folded("Class by class", table(head, rows))])


def _mistakes(run: Run, test_pictures: Pictures) -> Html:
    with (run.path / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = [
        (float(row[f"p({row['prediction']})"]), place, row)
        for place, row in enumerate(rows)
        if row["prediction"] != row["label"]
    ]
    if not wrong:
        return element("p", "There is none on the test pictures.")
    wrong.sort(key=lambda entry: (-entry[0], entry[1]))
    cells = []
    for confidence, place, row in wrong[:SHOWN]:
        sure = percent(confidence).replace(" ", NO_BREAK)
        words = f"{row['label']}, taken for {row['prediction']} ({sure})"
        image = _png(test_pictures.take(torch.tensor([place]))[0])
        caption = join([words, element("br"), element("span", row["name"], class_="path")])
        cells.append(picture(image, words, caption))
    count = f"{len(wrong)} of {len(rows)}"
    lead = f"{count} test pictures, as the network saw them; the surest first."
    more = (
        f" The {SHOWN} surest are shown, all are in predictions.csv." if len(wrong) > SHOWN else ""
    )
    return join([element("p", lead + more), pictures(cells)])


def _settings(run: Run, origins: dict[str, str]) -> Html:
    rows = [
        (name, " ".join(value) if isinstance(value, tuple) else str(value), origins.get(name, ""))
        for name, value in run.recipe.settings().items()
    ]
    return table(("setting", "value", "where it comes from"), rows)


def _origin(run: Run, started: dict[str, Any]) -> Html:
    words = "The split is in split.csv, the settings are in recipe.toml, both beside this file."
    environment = started["environment"] | {"device": started["fingerprint"]["device"]}
    return join(
        [
            element("pre", started["command"]),
            element("p", words),
            table(("environment", ""), list(environment.items())),
        ]
    )


def _png(pixels: Tensor) -> bytes:
    """uint8 [C,H,W] as a PNG file, small ones enlarged by whole numbers."""
    array = pixels.permute(1, 2, 0).numpy()
    image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    factor = SIDE // max(image.size)
    if factor > 1:
        image = image.resize(
            (image.width * factor, image.height * factor), Image.Resampling.NEAREST
        )
    elif max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02d} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )
