"""Several runs on one page: their metrics, their curves, the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from saccade.report.images import tested_labels
from saccade.report.page import Html, Section, columns, element, join, page, table, unbroken
from saccade.report.pages.run_page import monitored_metric, score_chart
from saccade.report.summary import result, setting_text
from saccade.runs.run import Run
from saccade.words import duration

LINES_PER_CHART = 4  # runs, as many as there are ways to draw a line
MISSING = "–"


def side_by_side(runs: Sequence[Run], names: Sequence[str]) -> str:
    """The page as text; `names` are those of the runs, each another."""
    sections = [
        Section("Results", _results(runs, names)),
        *_curves(runs, names),
        Section("Settings that differ", _settings(runs, names)),
        Section("How to repeat them", _commands(runs, names)),
    ]
    title = f"{len(runs)} runs side by side"
    return page(title, sections, lead=lead(runs, names), footer="Written by saccade.")


def lead(runs: Sequence[Run], names: Sequence[str]) -> str:
    """Whether the runs can be compared, and the one with the best validation metric."""
    if len({frozenset(tested_labels(run)) for run in runs}) > 1:
        return "They were measured on different test images, so none is called the best."
    return f"All were measured on the same test images. {_best(runs, names)}"


def _best(runs: Sequence[Run], names: Sequence[str]) -> str:
    metrics = {(run.test.task, run.val.primary.name, run.test.primary.unit) for run in runs}
    if len(metrics) > 1:
        return "Their primary metrics differ, so none is called the best."
    values = [run.val.primary.value for run in runs]
    metric = runs[0].val.primary
    if any(map(isnan, values)):
        return f"On validation {metric.name} is undefined for some, so none is called the best."
    best = [k for k, value in enumerate(values) if value == max(values)]
    if len(best) > 1:
        return f"On validation {' and '.join(names[k] for k in best)} have the same {metric.name}."
    found = f"{runs[best[0]].test.primary} {metric.name}"
    return f"On validation {names[best[0]]} has the highest {metric.name}; on test it has {found}."


def _results(runs: Sequence[Run], names: Sequence[str]) -> Html:
    results = [
        element("li", element("strong", name), f": {result(run.test)}")
        for name, run in zip(names, runs, strict=True)
    ]
    metrics = [{metric.name: unbroken(metric) for metric in run.test.metrics} for run in runs]
    titles = dict.fromkeys(title for values in metrics for title in values)
    rows = [(title, *(values.get(title, MISSING) for values in metrics)) for title in titles]
    seconds = [duration(run.events("finished")[-1]["seconds"]) for run in runs]
    rows += [("took", *seconds), ("fit diagnosis", *map(_fit, runs))]
    note = element(
        "p",
        "Intervals of runs on the same images may overlap and the runs differ all the same: the "
        "images are the same chance for all. Intervals say nothing of the chance of a seed.",
        class_="note",
    )
    return join([element("ul", *results), table(("metric", *names), rows), note])


def _fit(run: Run) -> str:
    return run.events("fit_diagnosis")[-1]["kind"] if run.events("fit_diagnosis") else MISSING


def _curves(runs: Sequence[Run], names: Sequence[str]) -> list[Section]:
    """A chart for each monitored metric, with up to four runs."""
    histories: dict[str, dict[str, list]] = {}
    for name, run in zip(names, runs, strict=True):
        if run.history:
            histories.setdefault(monitored_metric(run.history), {})[name] = run.history
            histories.setdefault("loss", {})[name] = run.history
    charts = [
        score_chart(some, metric)
        for metric, runs_of_metric in histories.items()
        for some in _chunks(runs_of_metric)
    ]
    return [Section("Curves", columns(*charts))] if charts else []


def _chunks(histories: dict[str, list]) -> list[dict[str, list]]:
    pairs = list(histories.items())
    return [dict(pairs[k : k + LINES_PER_CHART]) for k in range(0, len(pairs), LINES_PER_CHART)]


def _settings(runs: Sequence[Run], names: Sequence[str]) -> Html:
    values = [{k: setting_text(v) for k, v in run.recipe.learned_by().items()} for run in runs]
    titles = dict.fromkeys(title for settings in values for title in settings)
    rows = [
        (title, *(settings.get(title, MISSING) for settings in values))
        for title in titles
        if len({settings.get(title) for settings in values}) > 1
    ]
    if not rows:
        return element("p", "No setting differs.")
    return table(("setting", *names), rows)


def _commands(runs: Sequence[Run], names: Sequence[str]) -> Html:
    lines = [(name, run.started["command"]) for name, run in zip(names, runs, strict=True)]
    return table(("run", "command"), lines)
