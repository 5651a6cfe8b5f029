"""Figures that several pages share: dots with whiskers, a heat map of counts, a sweep."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from saccade.engine.lr_find import LRPoint
from saccade.report.charts import Frame, bare, lower_axis, plotted, short, ticks
from saccade.report.page import Html, element


@dataclass(frozen=True)
class Dot:
    """A place, what a reader is told of it, and the ends of its whisker."""

    x: float
    y: float
    words: str
    low: float | None = None
    high: float | None = None


def dot_chart(
    dots: Sequence[Dot],
    *,
    title: str,
    words: str,
    x: str,
    y: str,
    ends: tuple[float, float],
    percent: bool = False,
) -> Html:
    """Both axes go from the lower to the upper of `ends`; the line is where they are the same."""
    frame = Frame(*ends, *ends)
    numbers = ticks(*ends)
    marks = [*frame.rungs(numbers, percent=percent), *frame.steps(numbers, percent=percent)]
    marks.append(bare("line", class_="ideal", x1="0", y1="100%", x2="100%", y2="0"))
    for dot in dots:
        marks += _dot_marks(dot, frame)
    marks += lower_axis(x)
    upwards = element("p", f"upwards: {y}; dashed: where the two are the same", class_="note")
    return element("div", plotted(title, words, marks, "plot square"), upwards)


def _dot_marks(dot: Dot, frame: Frame) -> list[Html]:
    """The whisker, where there is one, and the dot, which says its words."""
    at, marks = f"{frame.at(dot.x):.2f}%", []
    if dot.low is not None and dot.high is not None:
        edges = {"y1": f"{frame.down(dot.low):.2f}%", "y2": f"{frame.down(dot.high):.2f}%"}
        marks.append(bare("line", class_="whisker", x1=at, x2=at, **edges))
    place = {"cx": at, "cy": f"{frame.down(dot.y):.2f}%", "r": 4}
    return [*marks, element("circle", element("title", dot.words), class_="dot", **place)]


NUMBERS = 30  # columns, up to which every cell shows its number
STRONG = 0.55  # share of a row, from which its cell is dark
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
    """A square table, each number shaded by its share of its row, the diagonal framed.

    Over 30 columns it becomes an image without numbers, each cell with its words.
    """
    heading = element("p", title, class_="chart-title")
    note = element("p", f"rows: {row_axis}; columns: {column_axis}", class_="note")
    if len(names) > NUMBERS:
        return element("figure", heading, note, _image(counts, names, title))
    corner = element("td", class_="corner")
    top = [element("th", element("span", name), scope="col") for name in names]
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
    body = [element("thead", element("tr", corner, *top)), element("tbody", *lines)]
    framed = element("table", *body, class_="heat", aria_label=title)
    scroll = {"class_": "scroll", "tabindex": "0", "role": "group", "aria_label": title}
    return element("figure", heading, note, element("div", framed, **scroll))


def _cell(
    row: Sequence[int], column: int, diagonal: bool, pair: tuple[str, str], link: str | None
) -> Html:
    count, share = row[column], row[column] / (sum(row) or 1)
    kinds = ["strong"] * (share > STRONG) + ["right"] * diagonal
    shown: object = short(count) if count else ""
    if link and count:
        words = f"{count} of {pair[0]} taken for {pair[1]}: images"
        shown = element("a", shown, href=link, aria_label=words)
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
    """Loss over learning rate, on a scale of powers of ten; `kind` is png or svg."""
    from matplotlib.figure import Figure  # half a second, which trainings have no use for

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    lrs, losses = [point.lr for point in points], [point.loss for point in points]
    axes.plot(lrs, losses, ".", color="0.7", label="loss of a step")
    axes.plot(lrs, [point.smoothed_loss for point in points], color="tab:blue", label="smooth")
    low = min(points, key=lambda point: point.smoothed_loss)
    axes.plot(low.lr, low.smoothed_loss, "s", color="black", label=f"lowest at {low.lr:.2g}")
    axes.axvline(suggested, color="tab:orange", linestyle="--", label=f"suggested: {suggested:.2g}")
    top = 1.1 * max(points[0].smoothed_loss, sorted(losses)[int(0.9 * (len(losses) - 1))])
    axes.set(xscale="log", xlabel="learning rate", ylabel="training loss", ylim=(0, top))
    axes.legend()
    drawn = io.BytesIO()
    format = cast(Literal["png", "svg"], kind)
    figure.savefig(drawn, format=format, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    return drawn.getvalue()
