"""The page of a learning curve: a chart with logarithmic axes, the table, the runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from saccade.report.charts import Frame, chart, empty_element, short, text_at, x_axis
from saccade.report.page import Html, Section, element, folded, join, page, sentence, table
from saccade.studies.curve_result import LearningCurve
from saccade.studies.forecast import TIMES

STEPS = 40  # of the line and its band


def curve_page(curve: LearningCurve, command: str) -> str:
    """The page as text; `command` is what repeats it."""
    notes = element("ul", *(element("li", sentence(note)) for note in curve.notes()), class_="note")
    runs = [(p.share, p.seed, p.train, str(p.metric), str(p.run)) for p in curve.points]
    head = ("share", "seed", "images", curve.name, "run")
    sections = [
        Section("Curve", join([error_chart(curve), table(curve.head(), curve.rows()), notes])),
        Section("Every training", folded(f"{len(runs)} trainings", table(head, runs))),
        Section("How to repeat it", element("pre", command)),
    ]
    lead = "How many more images would help: errors on test images over training images."
    return page("Learning curve", sections, lead=lead, footer="Written by saccade.")


def error_chart(curve: LearningCurve) -> Html:
    """Errors over training images, both logarithmic: a dot a training, the law and its band."""
    law = curve.law
    drawn = [(p.train, 1 - p.metric.value) for p in curve.points if p.metric.value < 1]
    if not drawn:
        return element("p", "No training has an error to draw.", class_="quiet")
    most = curve.images * (TIMES[-1] if curve.forecasts else 1)
    least = min(images for images, _ in drawn)
    sizes = [least * (most / least) ** (k / STEPS) for k in range(STEPS + 1)]
    bands = [law.interval(size) for size in sizes] if law and curve.forecasts else []
    errors = [error for _, error in drawn]
    heights = errors + [end for band in bands for end in band]
    low, high = min(heights), max(heights)
    edge = 1.15
    right = max([most, *(images for images, _ in drawn)])
    frame = Frame(
        math.log(least / edge), math.log(right * edge), math.log(low / edge), math.log(high * edge)
    )
    marks = _axes(frame, share=curve.points[0].metric.unit == "%")
    if law:
        lines = [law.error(size) for size in sizes]
        marks.append(_law(frame, sizes, lines, bands))
    marks += [
        empty_element(
            "circle",
            class_="dot",
            r=4,
            cx=f"{frame.x_percent(math.log(images)):.2f}%",
            cy=f"{frame.y_percent(math.log(error)):.2f}%",
        )
        for images, error in drawn
    ]
    told = "; ".join(f"{row[0]} images: {row[1]}" for row in curve.rows())
    title = f"1 - {curve.name}, over the number of training images"
    legend = "A dot is a training"
    legend += ", the line the power law" if law else ""
    legend += ", the shade its 95 % interval" if bands else ""
    note = element("figcaption", f"{legend}. Both axes are logarithmic.")
    return chart(title, f"{told}.", [*marks, *x_axis("training images")], "plot", note)


def _law(
    frame: Frame,
    sizes: Sequence[float],
    lines: Sequence[float],
    bands: Sequence[tuple[float, float]],
) -> Html:
    """The line of the law and its band."""

    def points(x: Sequence[float], heights: Sequence[float]) -> str:
        pairs = zip(x, heights, strict=True)
        return " ".join(
            f"{frame.x_percent(math.log(a)):.2f},{frame.y_percent(math.log(b)):.2f}"
            for a, b in pairs
        )

    outline = (
        points([*sizes, *sizes[::-1]], [b[1] for b in bands] + [b[0] for b in bands[::-1]])
        if bands
        else ""
    )
    band = empty_element("polygon", class_="band s1", points=outline) if bands else ""
    line = empty_element("polyline", class_="line s1", points=points(sizes, lines))
    box = {"viewBox": "0 0 100 100", "preserveAspectRatio": "none"}
    return element("svg", band, line, width="100%", height="100%", **box)


def _axes(frame: Frame, *, share: bool) -> list[Html]:
    """Grid lines with errors, and numbers of images below."""
    marks = []
    for error in log_ticks(math.exp(frame.bottom), math.exp(frame.top)):
        y = f"{frame.y_percent(math.log(error)):.2f}%"
        marks.append(empty_element("line", class_="grid", x1="0", x2="100%", y1=y, y2=y))
        text = f"{100 * error:.4g} %" if share else short(error)
        marks.append(text_at(text, x="0", y=y, dx="-.6em", dy=".35em", anchor="end"))
    for images in log_ticks(math.exp(frame.left), math.exp(frame.right)):
        x = f"{frame.x_percent(math.log(images)):.2f}%"
        marks.append(text_at(short(images), x=x, y="100%", dy="1.3em", anchor="middle"))
    return marks


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers of a logarithmic axis, 3 to 7 of them where there are as many.

    Powers of ten, 2 and 5 times these where they are few, and more between where these still are.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        numbers = [float(f"{step}e{k}") for k in powers for step in steps]
        found = [n for n in numbers if low <= n <= high]
        if len(found) >= 3:
            return found[:: math.ceil(len(found) / 7)]
    return found or [float(f"{math.sqrt(low * high):.2g}")]
