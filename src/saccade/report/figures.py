"""Figures that several pages share: scatter plot, heat map of counts, learning rate range test."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from saccade.engine.lr_find import LRPoint
from saccade.report.charts import Frame, chart, empty_element, short, ticks, x_axis
from saccade.report.page import Html, element


@dataclass(frozen=True)
class Dot:
    """A point of a scatter plot; `low` and `high` are the ends of its error bar."""

    x: float
    y: float
    label: str  # its tooltip
    low: float | None = None
    high: float | None = None


def scatter_plot(
    dots: Sequence[Dot],
    *,
    title: str,
    description: str,
    x: str,
    y: str,
    ends: tuple[float, float],
    percent: bool = False,
) -> Html:
    """Scatter plot; both axes run from the first to the second of `ends`, the diagonal is drawn."""
    frame = Frame(*ends, *ends)
    axis = ticks(*ends)
    marks = [*frame.y_marks(axis, percent=percent), *frame.x_marks(axis, percent=percent)]
    marks.append(empty_element("line", class_="ideal", x1="0", y1="100%", x2="100%", y2="0"))
    for dot in dots:
        marks += _dot_and_whisker(dot, frame)
    marks += x_axis(x)
    note = element("p", f"upwards: {y}; dashed: where the two are the same", class_="note")
    return element("div", chart(title, description, marks, "plot square"), note)


def _dot_and_whisker(dot: Dot, frame: Frame) -> list[Html]:
    """The error bar, where there is one, and the dot with its tooltip."""
    x, marks = f"{frame.x_percent(dot.x):.2f}%", []
    if dot.low is not None and dot.high is not None:
        edges = {
            "y1": f"{frame.y_percent(dot.low):.2f}%",
            "y2": f"{frame.y_percent(dot.high):.2f}%",
        }
        marks.append(empty_element("line", class_="whisker", x1=x, x2=x, **edges))
    position = {"cx": x, "cy": f"{frame.y_percent(dot.y):.2f}%", "r": 4}
    return [*marks, element("circle", element("title", dot.label), class_="dot", **position)]


MAX_NUMBERED = 30  # columns, up to which every cell shows its number
DARK = 0.55  # share of a row, from which its cell is dark
Links = Mapping[tuple[int, int], str]  # row and column -> where the cell leads


def heat_map(
    counts: Sequence[Sequence[int]],
    names: Sequence[str],
    *,
    title: str,
    row_axis: str,
    column_axis: str,
    links: Links | None = None,
) -> Html:
    """A square table of counts, each shaded by its share of its row, the diagonal framed.

    Over 30 columns it becomes an image without numbers, each cell with a tooltip.
    """
    heading = element("p", title, class_="chart-title")
    note = element("p", f"rows: {row_axis}; columns: {column_axis}", class_="note")
    if len(names) > MAX_NUMBERED:
        return element("figure", heading, note, _image(counts, names, title))
    corner = element("td", class_="corner")
    titles = [element("th", element("span", name), scope="col") for name in names]
    lines = [
        element(
            "tr",
            element("th", name, scope="row"),
            *(
                _cell(row, j, j == i, (names[i], names[j]), (links or {}).get((i, j)))
                for j in range(len(names))
            ),
        )
        for i, (name, row) in enumerate(zip(names, counts, strict=True))
    ]
    body = [element("thead", element("tr", corner, *titles)), element("tbody", *lines)]
    drawn = element("table", *body, class_="heat", aria_label=title)
    scroll = {"class_": "scroll", "tabindex": "0", "role": "group", "aria_label": title}
    return element("figure", heading, note, element("div", drawn, **scroll))


def _cell(
    row: Sequence[int], column: int, diagonal: bool, pair: tuple[str, str], link: str | None
) -> Html:
    count, share = row[column], row[column] / (sum(row) or 1)
    kinds = ["strong"] * (share > DARK) + ["right"] * diagonal
    shown: object = short(count) if count else ""
    if link and count:
        label = f"{count} of {pair[0]} taken for {pair[1]}: images"
        shown = element("a", shown, href=link, aria_label=label)
    return element("td", shown, class_=" ".join(kinds) or None, style=f"--share:{share:.3f}")


def _image(counts: Sequence[Sequence[int]], names: Sequence[str], title: str) -> Html:
    cells = [
        element(
            "rect",
            element("title", f"{names[i]}, {names[j]}: {short(count)}"),
            x=j,
            y=i,
            width=1,
            height=1,
            fill_opacity=f"{0.15 + 0.85 * count / sum(row):.3f}",
        )
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if count
    ]
    box = f"0 0 {len(names)} {len(names)}"
    return element("svg", element("title", title), *cells, class_="matrix", viewBox=box, role="img")


def lr_curve(points: Sequence[LRPoint], suggested: float, kind: str) -> bytes:
    """Loss over learning rate on a logarithmic axis, as a `kind` of png or svg.  Smith 2015."""
    from matplotlib.figure import Figure  # half a second, which trainings have no use for

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    lrs, losses = [point.lr for point in points], [point.loss for point in points]
    axes.plot(lrs, losses, ".", color="0.7", label="loss of a step")
    axes.plot(
        lrs, [point.smoothed_loss for point in points], color="tab:blue", label="smoothed loss"
    )
    low = min(points, key=lambda point: point.smoothed_loss)
    axes.plot(low.lr, low.smoothed_loss, "s", color="black", label=f"lowest at {low.lr:.2g}")
    axes.axvline(suggested, color="tab:orange", linestyle="--", label=f"suggested: {suggested:.2g}")
    top = 1.1 * max(points[0].smoothed_loss, sorted(losses)[int(0.9 * (len(losses) - 1))])
    axes.set(xscale="log", xlabel="learning rate", ylabel="training loss", ylim=(0, top))
    axes.legend()
    file = io.BytesIO()
    format = cast(Literal["png", "svg"], kind)
    figure.savefig(file, format=format, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    return file.getvalue()
