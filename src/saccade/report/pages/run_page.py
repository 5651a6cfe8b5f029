"""The report of a run: one HTML file that opens anywhere and asks nothing of the internet.

Its sections: the numbers with their intervals, the curves and how the network fits, the network row
by row, and looks into its layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, log10
from typing import Any

from saccade.data.cache import ImageStore
from saccade.explain.anatomy import anatomy
from saccade.explain.layer_stats import LayerStatistics, as_text_table, problems
from saccade.files import atomic_write
from saccade.metrics.metric import MetricValue
from saccade.report.anatomy_table import cells, notes
from saccade.report.charts import Line, bar_list, line_chart
from saccade.report.images import TestedImages
from saccade.report.page import (
    Html,
    Section,
    columns,
    element,
    facts,
    folded,
    join,
    page,
    sentence,
    table,
    unbroken,
)
from saccade.report.summary import (
    calibration,
    data_section,
    repeat_section,
    settings_section,
    verdict,
)
from saccade.report.tasks.catalogue import answers_sections
from saccade.runs.bundle import Bundle
from saccade.runs.results import SUMMARY_METRICS, Evaluation
from saccade.runs.run import Run
from saccade.tasks.catalogue import SCORES
from saccade.words import duration

CURVES_NOTE = (
    "The training loss is that of augmented images, with label smoothing where it is set: it may "
    "lie above that of validation. Both are from before the calibration."
)


def curves_section(run: Run) -> Html:
    """The judgement in words, losses and score over the epochs, the same as a table."""
    parts = [element("p", sentence(fact["message"])) for fact in run.events("fit_diagnosis")[-1:]]
    if not run.history:
        return join([*parts, element("p", "The last layer was fitted in one go: no epochs.")])
    epochs = [row["epoch"] for row in run.history]
    score = monitored_metric(run.history)
    lines = [
        Line("training", epochs, [row["loss"] for row in run.history]),
        Line("validation", epochs, [row["val_loss"] for row in run.history]),
    ]
    losses = line_chart(lines, title="Loss", x="epoch", y="loss")
    charts = columns(losses, score_chart({"validation": run.history}, score))
    if len(stages := run.recipe.stages) > 1:
        parts.append(element("p", f"Learned in stages: {', then '.join(map(str, stages))}."))
    return join(
        [*parts, charts, element("p", CURVES_NOTE, class_="note"), _table(run.history, score)]
    )


def monitored_metric(history: Sequence[Mapping[str, Any]]) -> str:
    """The name of the score that was watched."""
    return next(k for k in history[0] if k.startswith("val_") and k != "val_loss")[4:]


def score_chart(histories: Mapping[str, Sequence[Mapping[str, Any]]], score: str) -> Html:
    """The watched score of each training."""
    name, percent = score.replace("_", " "), score in SCORES and SCORES[score].unit == "%"
    lines = [
        Line(who, [row["epoch"] for row in history], [row[f"val_{score}"] for row in history])
        for who, history in histories.items()
    ]
    return line_chart(lines, title=f"Validation {name}", x="epoch", y=name, percent=percent)


def _table(history: Sequence[Mapping[str, Any]], score: str) -> Html:
    head = ("epoch", "training loss", "validation loss", score.replace("_", " "))
    rows = [
        (row["epoch"], *(f"{row[k]:.4f}" for k in ("loss", "val_loss", f"val_{score}")))
        for row in history
    ]
    return folded("Epoch by epoch", table(head, rows))


NETWORK_HEAD = ("row", "kind", "output", "weights", "multiply-adds", "field")
COLUMNS = ("name", "kind", "output", "weights", "multiply-adds", "field")


def network_section(bundle: Bundle) -> Html:
    """The sums in words, the rows folded."""
    p = bundle.preprocessing
    found = anatomy(bundle.model, (p.channels, p.size, p.size), name=bundle.architecture)
    total = found.total
    words = (
        f"{bundle.architecture}: {total.weights:,} weights, {total.multiply_adds:,} multiply-adds "
        f"for an image of {p.size} x {p.size} pixels."
    )
    lines = [
        tuple(cells(row, row.counts, exact=True)[column] for column in COLUMNS)
        for row in found.rows
    ]
    said = element("ul", *(element("li", note) for note in notes(found)), class_="note")
    return join([element("p", words), folded("Row by row", table(NETWORK_HEAD, lines), said)])


def layer_section(history: Sequence[Mapping[str, Any]]) -> Html | None:
    """What is wrong, the steps and gradients of each row over the epochs, and the last table.

    None where a training was not looked into.
    """
    looks = [
        (row["epoch"], [LayerStatistics(**layer) for layer in row["layers"]])
        for row in history
        if row.get("layers")
    ]
    if not looks:
        return None
    epoch, last = looks[-1]
    found = problems(last)
    lead = "Nothing is wrong with the layers." if not found else "What is wrong with the layers:"
    parts = [element("p", f"{lead} As they were in epoch {epoch}.")]
    if found:
        parts.append(element("ul", *(element("li", words) for words in found)))
    parts += [_multiples(looks), _dead(last)]
    head, *lines = as_text_table(last)
    parts.append(folded("Row by row", table(head, lines)))
    return join(parts)


def _multiples(looks: Sequence[tuple[int, Sequence[LayerStatistics]]]) -> Html:
    """A small chart for each row with weights: gradient and step in powers of ten."""
    if len(looks) < 2:
        return element("p", "There was one look only, so there are no curves.", class_="quiet")
    epochs = [epoch for epoch, _ in looks]
    charts = []
    for place, row in enumerate(looks[-1][1]):
        if row.weight is None:
            continue
        rows = [look[place] for _, look in looks]
        lines = [
            Line("gradient", epochs, [_power(r.gradient) for r in rows]),
            Line("step, of the weights", epochs, [_power(r.update) for r in rows]),
        ]
        charts.append(line_chart(lines, title=row.name, x="epoch", y="power of ten"))
    return columns(*charts)


def _dead(rows: Sequence[LayerStatistics]) -> Html | str:
    shares = {row.name: row.dead for row in rows if row.dead is not None}
    if not shares:
        return ""
    written = {name: f"{100 * share:.0f} %" for name, share in shares.items()}
    return bar_list(shares, title="Units that never fire", written=written)


def _power(value: float | None) -> float:
    return log10(value) if value and isfinite(value) else float("nan")


NUMBERS_HEAD = ("number", "value, 95 % interval", "baseline", "interval by")


def numbers_section(run: Run, test: Evaluation, about: Mapping[str, object]) -> Html:
    """The first numbers of `test` and `about` large, all folded, and how they are to be read."""
    shown = {
        **{number.name: _split_words(number) for number in test.metrics[:SUMMARY_METRICS]},
        "network": (run.recipe.model.name, f"{run.recipe.data.size} pixels"),
        **about,
    }
    words = (
        "An interval says how far the number may lie from that on all images like these, in 95 "
        "of 100 cases. It covers the chance by which these were the ones to be tested, not "
        "images of another kind. “Without looking” is what one gets who never sees an image."
    )
    every = folded(f"All {len(test.metrics)} numbers", all_numbers(test))
    parts = [facts(shown), element("p", words, class_="note"), every]
    return join([*parts, element("p", calibration(run), class_="note")])


def all_numbers(test: Evaluation) -> Html:
    """A row a number."""
    rows = [(n.name, unbroken(n), n.baseline_text(), n.method) for n in test.metrics]
    return table(NUMBERS_HEAD, rows)


def _split_words(number: MetricValue) -> tuple[str, str]:
    """The number, and its interval with the baseline."""
    value, _, rest = str(number).partition(" (")
    baseline = f"; baseline {text}" if (text := number.baseline_text()) else ""
    return value, (rest.rstrip(")") + baseline).replace("n = ", "n\u00a0=\u00a0")


def write_report(run: Run, test_images: ImageStore) -> None:
    """Write report.html; `test_images` are in the order of predictions.csv."""
    atomic_write(run.path / "report.html", run_page(run, test_images))


def run_page(run: Run, test_images: ImageStore) -> str:
    """The report as text."""
    tested = TestedImages.read(run.path / "predictions.csv", test_images)
    sections = [
        Section("Result", numbers_section(run, run.test, _training(run))),
        Section("How it learned", curves_section(run)),
        *answers_sections(run, run.test, tested),
        Section("Images", data_section(run)),
        *_layers(run),
        Section("Network", network_section(run.bundle)),
        Section("Settings", settings_section(run)),
        Section("How to repeat it", repeat_section(run)),
    ]
    return page(run.path.name, sections, lead=verdict(run), footer="Written by saccade.")


def _training(run: Run) -> dict[str, object]:
    """What it learned from, and how long."""
    epochs = f"{len(run.history)} epochs" if run.history else "fitted in one go"
    return {
        "images": (f"{sum(run.started['images']['train'].values()):,}", "to train on"),
        "took": (duration(run.events("finished")[-1]["seconds"]), epochs),
    }


def _layers(run: Run) -> Iterator[Section]:
    found = layer_section(run.history)
    if found is not None:
        yield Section("Layers", found)
