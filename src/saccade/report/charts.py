"""Charts as plain markup: bar list, histogram, line chart.

Each follows the width of the page while its text keeps its size: positions are percentages, and
only what has no text is scaled. Each has its numbers in words or in a table for those who cannot
see it, and differs by more than colour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saccade.report.page import Html, element


@dataclass(frozen=True)
class Line:
    """One line of a chart; `low` and `high` are the edges of its band."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def bar_list(
    bars: Mapping[str, float], *, title: str, written: Mapping[str, str] | None = None
) -> Html:
    """A bar a name, lengths from 0; `written` are the numbers as they stand beside the bars."""
    longest = max(bars.values(), default=0) or 1
    rows = []
    for name, value in bars.items():
        width = f"{100 * max(0.0, value) / longest:.2f}%"
        bar = bare("rect", class_="bar", width=width, height="100%", rx=2)
        rail = bare("rect", class_="rail", width="100%", height="100%", rx=2)
        drawn = element("svg", rail, bar, aria_hidden="true")
        text = (written or {}).get(name) or short(value)
        rows.append(
            element(
                "tr",
                element("th", name, scope="row"),
                element("td", drawn, class_="fill"),
                element("td", text, class_="number"),
            )
        )
    body = element("table", element("tbody", *rows), class_="bars", aria_label=title)
    return element("figure", element("p", title, class_="chart-title"), body)


def histogram(
    edges: Sequence[float], counts: Sequence[int], *, title: str, x: str, low: bool = True
) -> Html:
    """Bars between `edges`, one more edge than counts; equally wide on the page.

    `low` draws it half as high as a line chart.
    """
    most = max(counts, default=0) or 1
    step = 100 / max(1, len(counts))
    marks = []
    for index, count in enumerate(counts):
        height = 100 * count / most
        words = f"{short(edges[index])} to {short(edges[index + 1])}: {count:,}"
        place = {"x": f"{index * step + step * 0.04:.2f}%", "width": f"{step * 0.92:.2f}%"}
        marks.append(
            element(
                "rect",
                element("title", words),
                class_="bar",
                y=f"{100 - height:.2f}%",
                height=f"{height:.2f}%",
                **place,
            )
        )
    every = max(1, math.ceil(len(edges) / 6))
    marks += [
        text_at(short(edge), x=f"{index * step:.2f}%", y="100%", dy="1.3em", anchor="middle")
        for index, edge in enumerate(edges)
        if index % every == 0
    ]
    marks.append(axis("0%", "100%", "100%", "100%"))
    marks.append(text_at(f"{most:,}", x="0", y="0", dx="-.6em", dy=".8em", anchor="end"))
    marks.append(text_at("0", x="0", y="100%", dx="-.6em", anchor="end"))
    marks.append(text_at(x, x="50%", y="100%", dy="2.7em", anchor="middle"))
    words = "; ".join(
        f"{short(a)} to {short(b)}: {n:,}" for a, b, n in zip(edges, edges[1:], counts) if n
    )
    return plotted(title, f"Histogram of {x}. {words}.", marks, "plot low" if low else "plot")


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x: str,
    y: str,
    y_range: tuple[float, float] | None = None,
    percent: bool = False,
) -> Html:
    """Up to four lines with their bands; each has its own dash and stands in the legend.

    Numbers that are not finite are left out; the axis spans the rest unless `y_range` is given.
    """
    points = [(a, b) for line in lines for a, b in zip(line.x, line.y) if math.isfinite(b)]
    if not points:
        return element("p", f"{title}: nothing to draw.", class_="quiet")
    edges = [v for line in lines for v in (*line.low, *line.high) if math.isfinite(v)]
    left, right = span([a for a, _ in points])
    heights = [b for _, b in points] + edges
    y_ticks = ticks(*(y_range or span(heights)))
    bottom, top = y_range or (y_ticks[0], y_ticks[-1])

    def place(a: float, b: float) -> str:
        return f"{100 * (a - left) / (right - left):.2f},{100 * (top - b) / (top - bottom):.2f}"

    drawn, legend = [], []
    for index, line in enumerate(lines):
        series = f"s{index % 4 + 1}"
        dots = [place(a, b) for a, b in zip(line.x, line.y) if math.isfinite(b)]
        if line.low and line.high:
            upper = [place(a, b) for a, b in zip(line.x, line.high) if math.isfinite(b)]
            under = [place(a, b) for a, b in zip(line.x, line.low) if math.isfinite(b)]
            outline = " ".join(upper + under[::-1])
            drawn.append(bare("polygon", class_=f"band {series}", points=outline))
        drawn.append(bare("polyline", class_=f"line {series}", points=" ".join(dots)))
        key = bare("line", class_=f"key {series}", x1="0", x2="100%", y1="50%", y2="50%")
        legend.append(element("li", element("svg", key, aria_hidden="true"), line.name))
    scaled = element(
        "svg",
        *drawn,
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )
    marks: list[Html] = []
    for tick in y_ticks:
        if bottom <= tick <= top:
            at = f"{100 * (top - tick) / (top - bottom):.2f}%"
            marks.append(bare("line", class_="grid", x1="0", x2="100%", y1=at, y2=at))
            text = f"{100 * tick:.4g} %" if percent else short(tick)
            marks.append(text_at(text, x="0", y=at, dx="-.6em", dy=".35em", anchor="end"))
    for tick in ticks(left, right):
        if left <= tick <= right:
            at = f"{100 * (tick - left) / (right - left):.2f}%"
            marks.append(text_at(short(tick), x=at, y="100%", dy="1.3em", anchor="middle"))
    marks += [scaled, axis("0%", "100%", "100%", "100%")]
    marks.append(text_at(x, x="50%", y="100%", dy="2.7em", anchor="middle"))
    words = f"{y} over {x}. " + " ".join(_in_words(line) for line in lines)
    return plotted(title, words, marks, "plot", element("ul", *legend, class_="legend"))


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers that enclose `low` to `high`, steps of 1, 2 or 5 times 10^n."""
    if high <= low:
        return [low, low + 1]
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def short(value: float) -> str:
    """A number in as few signs as it needs: 1,204; 0.25; 3.1e-05."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value)):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def span(numbers: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest; half a step to either side where they are as good as equal."""
    low, high = min(numbers), max(numbers)
    apart = high - low > 1e-9 * max(1.0, abs(high))
    return (low, high) if apart else (low - 0.5, high + 0.5)


def _in_words(line: Line) -> str:
    finite = [v for v in line.y if math.isfinite(v)]
    if not finite:
        return f"{line.name}: no finite number."
    ends = f"from {short(finite[0])} to {short(finite[-1])}"
    return f"{line.name}: {ends}, lowest {short(min(finite))}, highest {short(max(finite))}."


def plotted(
    title: str, words: str, marks: Sequence[Html], kind: str, legend: Html | str = ""
) -> Html:
    """A chart of `marks`; `words` are for those who cannot see it."""
    described = [element("title", title), element("desc", words)]
    drawn = element(
        "svg", *described, *marks, class_=kind, role="img", aria_label=f"{title}. {words}"
    )
    return element("figure", element("p", title, class_="chart-title"), drawn, legend)


def axis(x1: str, y1: str, x2: str, y2: str) -> Html:
    """A line along the edge of a chart."""
    return bare("line", class_="axis", x1=x1, y1=y1, x2=x2, y2=y2)


def text_at(words: str, *, x: str, y: str, anchor: str, dx: str = "0", dy: str = "0") -> Html:
    """Words in a chart."""
    return element("text", words, x=x, y=y, dx=dx, dy=dy, text_anchor=anchor)


def bare(tag: str, **attributes: object) -> Html:
    """An element without content."""
    return element(tag, **attributes)
