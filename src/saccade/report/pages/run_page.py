"""The report of a run: one HTML file that opens anywhere and asks nothing of the internet.

Its sections: the metrics with their intervals, the training curves with the fit diagnosis, the
predictions, the network layer by layer, and the layer statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, log10
from typing import Any

from saccade.data.cache import ImageStore
from saccade.explain.anatomy import anatomy
from saccade.explain.layer_stats import LayerStatistics, as_text_table, problems
from saccade.files import atomic_write
from saccade.metrics.metric import MetricValue, told_once
from saccade.models.table import shown_name
from saccade.own import is_own
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
    epochs,
    repeat_section,
    settings_section,
    verdict,
)
from saccade.report.tasks.catalogue import answers_sections
from saccade.runs.bundle import Bundle
from saccade.runs.results import SUMMARY_METRICS, Evaluation
from saccade.runs.run import Run
from saccade.tasks.catalogue import score_named
from saccade.words import duration, number

CURVES_NOTE = (
    "The training loss is that of augmented images, with label smoothing where it is set: it may "
    "lie above that of validation. Both are of predictions before any calibration."
)
OWN_NOTE = (
    "The training loss is the author's own, of augmented images; that of validation is the usual "
    "one of such labels. The two are not to be compared."
)


def curves_section(run: Run) -> Html:
    """The fit diagnosis, losses and monitored metric over the epochs, and both as a table."""
    parts = [element("p", sentence(fact["message"])) for fact in run.events("fit_diagnosis")[-1:]]
    if not run.history:
        return join([*parts, element("p", "The last layer was fitted in one go: no epochs.")])
    epochs = [row["epoch"] for row in run.history]
    metric = monitored_metric(run.history)
    charts = columns(*_loss_charts(run, epochs), score_chart({"validation": run.history}, metric))
    if len(stages := run.recipe.stages) > 1:
        parts.append(element("p", f"Learned in stages: {', then '.join(map(str, stages))}."))
    return join(
        [
            *parts,
            charts,
            element("p", OWN_NOTE if is_own(run.recipe.train.loss) else CURVES_NOTE, class_="note"),
            _epoch_table(run.history, metric),
        ]
    )


def _loss_charts(run: Run, epochs: Sequence[int]) -> list[Html]:
    """Training and validation loss in one chart, or in two where the training has its own loss."""
    training = Line("training", epochs, [row["loss"] for row in run.history])
    validation = Line("validation", epochs, [row["val_loss"] for row in run.history])
    if not is_own(run.recipe.train.loss):
        return [line_chart([training, validation], title="Loss", x="epoch", y="loss")]
    titles = {f"Training loss, {run.recipe.train.loss}": training, "Validation loss": validation}
    return [line_chart([line], title=t, x="epoch", y="loss") for t, line in titles.items()]


def monitored_metric(history: Sequence[Mapping[str, Any]]) -> str:
    """The name of the metric that a training was monitored by."""
    return next(k for k in history[0] if k.startswith("val_") and k != "val_loss")[4:]


def score_chart(histories: Mapping[str, Sequence[Mapping[str, Any]]], metric: str) -> Html:
    """The monitored metric of each run over its epochs."""
    score = score_named(metric)
    lines = [
        Line(run, [row["epoch"] for row in history], [row[f"val_{metric}"] for row in history])
        for run, history in histories.items()
    ]
    return line_chart(
        lines, title=f"Validation {score}", x="epoch", y=f"{score}", percent=score.unit == "%"
    )


def _epoch_table(history: Sequence[Mapping[str, Any]], metric: str) -> Html:
    head = ("epoch", "training loss", "validation loss", metric.replace("_", " "))
    rows = [
        (row["epoch"], *(number(row[k], 4) for k in ("loss", "val_loss", f"val_{metric}")))
        for row in history
    ]
    return folded("Epoch by epoch", table(head, rows))


NETWORK_HEAD = ("layer", "kind", "output", "weights", "multiply-adds", "field")
COLUMNS = ("name", "kind", "output", "weights", "multiply-adds", "field")


def network_section(bundle: Bundle) -> Html:
    """Weights and multiply-adds in all, and the layers as a folded table."""
    p = bundle.preprocessing
    network = anatomy(
        bundle.model, (p.channels, p.size, p.size), name=shown_name(bundle.architecture)
    )
    total = network.total
    summary = (
        f"{network.name}: {total.weights:,} weights, {total.multiply_adds:,} multiply-adds "
        f"for an image of {p.size} x {p.size} pixels."
    )
    lines = [
        tuple(cells(row, row.counts, exact=True)[column] for column in COLUMNS)
        for row in network.rows
    ]
    explanations = element("ul", *(element("li", note) for note in notes(network)), class_="note")
    return join(
        [element("p", summary), folded("Layer by layer", table(NETWORK_HEAD, lines), explanations)]
    )


def layer_section(history: Sequence[Mapping[str, Any]]) -> Html | None:
    """What is wrong, gradient and relative update of each layer over the epochs, the last table.

    None for a training without layer statistics.
    """
    statistics = [
        (row["epoch"], [LayerStatistics(**layer) for layer in row["layers"]])
        for row in history
        if row.get("layers")
    ]
    if not statistics:
        return None
    epoch, last = statistics[-1]
    faults = problems(last)
    lead = "Nothing is wrong with the layers." if not faults else "What is wrong with the layers:"
    parts = [element("p", f"{lead} As they were in epoch {epoch}.")]
    if faults:
        parts.append(element("ul", *(element("li", fault) for fault in faults)))
    parts += [_layer_charts(statistics), _dead_units(last)]
    head, *lines = as_text_table(last)
    parts.append(folded("Layer by layer", table(head, lines)))
    return join(parts)


def _layer_charts(statistics: Sequence[tuple[int, Sequence[LayerStatistics]]]) -> Html:
    """A chart for each layer with weights: gradient and relative update, in powers of ten."""
    if len(statistics) < 2:
        return element(
            "p", "The statistics are of one epoch only, so there are no curves.", class_="quiet"
        )
    epochs = [epoch for epoch, _ in statistics]
    charts = []
    for index, layer in enumerate(statistics[-1][1]):
        if layer.weight is None:
            continue
        course = [layers[index] for _, layers in statistics]
        lines = [
            Line("gradient", epochs, [_log10(r.gradient) for r in course]),
            Line("relative update size", epochs, [_log10(r.update) for r in course]),
        ]
        charts.append(line_chart(lines, title=layer.name, x="epoch", y="power of ten"))
    return columns(*charts)


def _dead_units(layers: Sequence[LayerStatistics]) -> Html | str:
    shares = {layer.name: layer.dead for layer in layers if layer.dead is not None}
    if not shares:
        return ""
    written = {name: f"{100 * share:.0f} %" for name, share in shares.items()}
    return bar_list(shares, title="Dead units, which never fire", written=written)


def _log10(value: float | None) -> float:
    return log10(value) if value and isfinite(value) else float("nan")


METRICS_HEAD = ("metric", "value, 95 % interval", "baseline", "interval method")


def metrics_section(
    bundle: Bundle, test: Evaluation, extra: Mapping[str, object], calibrated: str
) -> Html:
    """The first metrics of `test` and `extra` large, all of them folded, and how to read them.

    `calibrated` is a sentence on the calibration, if there is one.
    """
    first, reason = told_once(test.metrics[:SUMMARY_METRICS])
    shown = {
        **{metric.name: _value_and_interval(metric) for metric in first},
        "network": (shown_name(bundle.architecture), f"{bundle.preprocessing.size} pixels"),
        **extra,
    }
    note = (
        "Beside each value is its 95 % confidence interval: of 100 such test sets, about 95 would "
        "give an interval that contains the value on all images like these. It says nothing of "
        "images of another kind. The baseline is what a prediction of the most frequent class, "
        "of class shares or of the mean gets, which needs no look at the image."
    )
    if reason:
        note = f"The values have no interval: {reason}. {note}"
    all_metrics = folded(f"All {len(test.metrics)} metrics", metrics_table(test))
    parts = [facts(shown), element("p", note, class_="note"), all_metrics]
    return join([*parts, element("p", calibrated, class_="note") if calibrated else ""])


def metrics_table(test: Evaluation) -> Html:
    """A row per metric."""
    metrics, _ = told_once(test.metrics)
    rows = [
        (m.name, unbroken(m), m.baseline_text(), m.method if m.interval else "") for m in metrics
    ]
    return table(METRICS_HEAD, rows)


def _value_and_interval(metric: MetricValue) -> tuple[str, str]:
    """The value, and its interval with the baseline."""
    value, _, rest = str(metric).partition(" (")
    baseline = f"; baseline {text}" if (text := metric.baseline_text()) else ""
    return value, (rest.rstrip(")") + baseline).replace("n = ", "n\u00a0=\u00a0")


def write_report(run: Run, test_images: ImageStore) -> None:
    """Write report.html; `test_images` are in the order of predictions.csv."""
    atomic_write(run.path / "report.html", run_page(run, test_images))


def run_page(run: Run, test_images: ImageStore) -> str:
    """The report as text."""
    tested = TestedImages.read(run.path / "predictions.csv", test_images)
    sections = [
        Section("Result", _result(run)),
        Section("Training curves", curves_section(run)),
        *answers_sections(run.bundle, run.test, tested),
        Section("Images", data_section(run)),
        *_layers(run),
        Section("Network", network_section(run.bundle)),
        Section("Settings", settings_section(run)),
        Section("How to repeat it", repeat_section(run)),
    ]
    return page(run.path.name, sections, lead=verdict(run), footer="Written by saccade.")


def _result(run: Run) -> Html:
    """The note on the run, if there is one, and the metrics."""
    note = element("p", run.recipe.train.note) if run.recipe.train.note else ""
    metrics = metrics_section(run.bundle, run.test, _training(run), calibration(run))
    return join([note, metrics])


def _training(run: Run) -> dict[str, object]:
    """Training images, training time and epochs."""
    length = epochs(run.history) if run.history else "fitted in one go"
    return {
        "images": (f"{sum(run.started['images']['train'].values()):,}", "to train on"),
        "took": (duration(run.events("finished")[-1]["seconds"]), length),
    }


def _layers(run: Run) -> Iterator[Section]:
    section = layer_section(run.history)
    if section is not None:
        yield Section("Layer statistics", section)
