"""The page of a study: its question, table, figure and settings in one HTML file.

In the figure every variant has a row and a small chart of its own, so that nothing depends on
colour alone.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from saccade.report.charts import short, ticks
from saccade.report.drawing_shapes import path, rectangle, words
from saccade.report.page import Html, Section, element, facts, figure, folded, join, page, table
from saccade.studies.result import StudyResult, VariantResult
from saccade.studies.study import setting_text
from saccade.words import aligned

WIDTH, MARGIN = 880.0, 24.0  # pixels
HEAD = 58.0  # title
LINE = 24.0  # a variant's row
LETTER = 6.6  # of a name, about
PANEL, GAP, COLUMNS = (186.0, 104.0), (22.0, 46.0), 4  # small charts
VALUES = 70.0  # for the numbers at the right
STYLE = """
  svg { --paper:#fdfcfa; --ink:#22242a; --quiet:#62656d; --rule:#dedad2; --accent:#2c5f94;
    font-family: ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif;
    font-size: 12px; font-variant-numeric: tabular-nums; }
  @media (prefers-color-scheme: dark) {
    svg { --paper:#17181b; --ink:#e6e4df; --quiet:#a0a2a8; --rule:#36383e; --accent:#84b4e3; } }
  .paper { fill: var(--paper) } text { fill: var(--ink) } .quiet { fill: var(--quiet) }
  .small { font-size: 10px; fill: var(--quiet) } .name { font-weight: 600 }
  .grid { stroke: var(--rule); fill: none } .ends { stroke: var(--accent); stroke-width: 2 }
  .seed { fill: none; stroke: var(--quiet) } .mean { fill: var(--accent) }
  .other { fill: none; stroke: var(--quiet); opacity: .4 }
  .band { fill: var(--accent); opacity: .2 }
  .own { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round }
"""


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic axis: values to pixels."""

    low: float
    high: float
    start: float  # pixel of `low`
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (self._of(v) for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (at - low) / (high - low)

    def _of(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, count: int = 5) -> list[float]:
        """Round values in the axis's range, about `count` of them."""
        if not self.log:
            return [t for t in ticks(self.low, self.high, count) if self.low <= t <= self.high]
        powers = range(math.floor(self._of(self.low)), math.ceil(self._of(self.high)) + 1)
        return [t for k in powers for t in (10.0**k, 3 * 10.0**k) if self.low <= t <= self.high]


def svg(result: StudyResult) -> str:
    """The figure as an SVG file, for light and dark backgrounds."""
    rows = result.results
    below = HEAD + LINE * len(rows) + 56
    lines = math.ceil(len(rows) / COLUMNS)
    height = below + lines * (PANEL[1] + GAP[1]) + 22
    shapes = [
        rectangle(0, 0, WIDTH, height, "paper"),
        words(MARGIN, 26, result.study.title, "name", "start", 16),
        words(MARGIN, 45, f"{_title(result)}; {_legend(result)}", "quiet", "start"),
        *_final(result, rows),
        words(MARGIN, below - 8, f"{_curve(result)} over the epochs; {BANDS}", "quiet", "start"),
        *_panels(result, rows, below + 6),
    ]
    description = f"{result.study.title}. {description_of(result)}"
    return str(
        element(
            "svg",
            element("title", result.study.title),
            element("desc", description),
            Html(f"<style>{STYLE}</style>"),
            Html("\n".join(shapes)),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
            width=f"{WIDTH:.0f}",
            height=f"{height:.0f}",
            role="img",
        )
    )


BANDS = "the band is from the lowest to the highest seed, grey are the other variants"


def description_of(result: StudyResult) -> str:
    """The results of the figure as text."""
    metric = result.study.metric
    results = [
        f"{row.variant.name}: {row.missing if row.mean is None else metric.formatted(row.mean)}"
        for row in result.results
    ]
    return f"{metric.description.capitalize()}. {'; '.join(results)}."


def _title(result: StudyResult) -> str:
    return (
        f"{result.study.metric.description}, {result.study.seeds} seeds on {result.study.data_name}"
    )


def _legend(result: StudyResult) -> str:
    line = ", line: 95 % interval" if result.study.seeds > 1 else ""
    return f"circle: a seed, diamond: mean{line}"


def _curve(result: StudyResult) -> str:
    names = {"loss": "training loss", "val_accuracy": "validation accuracy"}
    return names[result.study.metric.kind.column]


def _final(result: StudyResult, rows: Sequence[VariantResult]) -> Iterator[str]:
    """A row for each variant: its seeds, their mean and its interval, on one scale."""
    metric = result.study.metric
    values = [v for row in rows for v in (*(row.values or ()), *(row.interval or ()))]
    share = metric.kind.share
    names = min(280.0, max(len(row.variant.name) for row in rows) * LETTER + 14)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.5
    scale = Scale(low - margin, high + margin, MARGIN + names, WIDTH - MARGIN - VALUES)
    bottom = HEAD + LINE * len(rows) + 4
    for tick in scale.ticks(6) if values else ():
        x = scale(tick)
        yield path(f"M{x:.1f} {HEAD} V{bottom:.1f}", "grid")
        yield words(x, bottom + 12, _tick(tick, share), "small")
    for index, row in enumerate(rows):
        y = HEAD + LINE * (index + 0.5)
        yield words(MARGIN, y + 4, row.variant.name, "", "start")
        if row.values is None or row.mean is None:
            yield words(scale.start + 6, y + 4, row.missing, "quiet", "start")
            continue
        if row.interval:
            yield path(
                f"M{scale(row.interval.low):.1f} {y} H{scale(row.interval.high):.1f}", "ends"
            )
        for value in row.values:
            yield f'<circle class="seed" cx="{scale(value):.1f}" cy="{y}" r="3.5"/>'
        x = scale(row.mean)
        yield path(f"M{x:.1f} {y - 5.5} l5.5 5.5 l-5.5 5.5 l-5.5 -5.5 z", "mean")
        yield words(WIDTH - MARGIN, y + 4, metric.formatted(row.mean), "", "end")


def _panels(result: StudyResult, rows: Sequence[VariantResult], top: float) -> Iterator[str]:
    """A small chart of the curves of each variant, all on the same scales."""
    log = result.study.metric.kind.column == "loss"
    curves = [[run.curve for run in row.runs] for row in rows]
    values = [v for row in curves for curve in row for v in curve if math.isfinite(v)]
    longest = max(len(curve) for row in curves for curve in row)
    values = [v for v in values if v > 0] if log else values
    if not values:
        return
    low, high = min(values), max(values)
    high = high if high > low else low + (abs(low) or 1.0)
    share = result.study.metric.kind.share
    for index, row in enumerate(rows):
        left = MARGIN + 34 + index % COLUMNS * (PANEL[0] + GAP[0])
        y = top + index // COLUMNS * (PANEL[1] + GAP[1]) + 18
        x_scale = Scale(1, max(2, longest), left, left + PANEL[0] - 16)
        y_scale = Scale(low, high, y + PANEL[1], y, log)
        yield words(left, y - 6, _truncated(row.variant.name), "name", "start")
        for tick in y_scale.ticks(3):
            yield path(f"M{left:.1f} {y_scale(tick):.1f} H{x_scale.end:.1f}", "grid")
            if index % COLUMNS == 0:
                yield words(left - 5, y_scale(tick) + 3.5, _tick(tick, share), "small", "end")
        yield words(left, y + PANEL[1] + 14, "1", "small")
        yield words(x_scale.end, y + PANEL[1] + 14, str(longest), "small")
        for other in (k for k in range(len(rows)) if k != index):
            yield path(_line(_by_epoch(curves[other], fmean), x_scale, y_scale), "other")
        yield path(_band(curves[index], x_scale, y_scale), "band")
        yield path(_line(_by_epoch(curves[index], fmean), x_scale, y_scale), "own")


def _by_epoch(
    curves: Sequence[Sequence[float]], statistic: Callable[[list[float]], float]
) -> list[tuple[int, float]]:
    """A statistic over the seeds for each epoch that has finite values."""
    points = []
    for epoch in range(max(map(len, curves))):
        values = [c[epoch] for c in curves if epoch < len(c) and math.isfinite(c[epoch])]
        if values:
            points.append((epoch + 1, statistic(values)))
    return points


def _line(points: Sequence[tuple[int, float]], x_scale: Scale, y_scale: Scale) -> str:
    coordinates = [
        f"{x_scale(x):.1f} {y_scale(y):.1f}" for x, y in points if not y_scale.log or y > 0
    ]
    return "M" + " L".join(coordinates) if coordinates else ""


def _band(curves: Sequence[Sequence[float]], x_scale: Scale, y_scale: Scale) -> str:
    edge = [*_by_epoch(curves, max), *_by_epoch(curves, min)[::-1]]
    line = _line(edge, x_scale, y_scale)
    return f"{line} z" if line else ""


def _tick(value: float, share: bool) -> str:
    return f"{100 * value:.4g} %" if share else short(value)


def _truncated(name: str) -> str:
    max_length = int(PANEL[0] / LETTER)
    return name if len(name) <= max_length else name[: max_length - 1] + "…"


def study_page(result: StudyResult, command: str) -> str:
    """The page as text; `command` is what repeats the study."""
    study = result.study
    sections = [
        Section("Result", _result(result)),
        Section("Curves", _drawing(result)),
        Section("What this cannot show", _limits(result)),
        Section("What was compared", _settings(result)),
        Section("How to repeat it", _origin(result, command)),
    ]
    return page(study.title, sections, lead=study.question, footer="Written by saccade.")


def _result(result: StudyResult) -> Html:
    overview = {
        "compared": (str(len(result.results)), "variants"),
        "seeds": (str(result.study.seeds), "of each"),
        "images": (result.study.data_name, "trained and measured on"),
        "training": (f"{result.seconds / 60:.1f} min", f"{len(result.runs)} trainings"),
    }
    lectures = (
        element("p", f"The lectures: {result.study.lectures}") if result.study.lectures else ""
    )
    notes = element("ul", *(element("li", note) for note in result.notes()), class_="note")
    body = element("div", table(result.head(), result.rows()), class_="scroll")
    return join([facts(overview), lectures, body, notes])


def _drawing(result: StudyResult) -> Html:
    encoded = base64.b64encode(svg(result).encode()).decode("ascii")
    image = Html(f'<img src="data:image/svg+xml;base64,{encoded}" style="width:100%" ')
    words = element("p", description_of(result), class_="note")
    alt = Html(f'{image}alt="What each variant came to, and how; the numbers are in the table.">')
    return join([figure(alt), words])


def _limits(result: StudyResult) -> Html:
    limitations = element("p", result.study.limitations) if result.study.limitations else ""
    general = (
        "One network, one set of images, a short training: the order found here may be another "
        "one with larger networks, more images and longer trainings. The intervals speak of the "
        "seeds alone."
    )
    return join([limitations, element("p", general)])


def _settings(result: StudyResult) -> Html:
    study = result.study
    rows = [
        (row.variant.name, key, setting_text(value))
        for row in result.results
        for key, value in row.runs[0].trial.settings.items()
    ]
    common = [(key, setting_text(value)) for key, value in study.recipe.settings().items()]
    folds = [folded("Settings common to all", table(("setting", "value"), common))]
    trained = [
        (run.trial.name, run.seed, run.message or "finished", str(run.run)) for run in result.runs
    ]
    folds.append(folded("Every training", table(("trial", "seed", "came", "run"), trained)))
    return join([table(("variant", "setting", "value"), rows), *folds])


def _origin(result: StudyResult, command: str) -> Html:
    words = "study.toml and base.toml are beside this file; study.csv has every training."
    text = aligned([result.head(), *result.rows()])
    parts = [element("pre", command), element("p", words), folded("As text", element("pre", text))]
    return join(parts)
