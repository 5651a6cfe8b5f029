"""Charts as plain markup: bar chart, histogram, line chart.

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
    """Horizontal bars from 0; `written` are the values as they stand beside them."""
    longest = max(bars.values(), default=0) or 1
    rows = []
    for name, value in bars.items():
        width = f"{100 * max(0.0, value) / longest:.2f}%"
        bar = empty_element("rect", class_="bar", width=width, height="100%", rx=2)
        rail = empty_element("rect", class_="rail", width="100%", height="100%", rx=2)
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
    highest = max(counts, default=0) or 1
    step = 100 / max(1, len(counts))
    marks = []
    for index, count in enumerate(counts):
        height = 100 * count / highest
        description = f"{short(edges[index])} to {short(edges[index + 1])}: {count:,}"
        position = {"x": f"{index * step + step * 0.04:.2f}%", "width": f"{step * 0.92:.2f}%"}
        marks.append(
            element(
                "rect",
                element("title", description),
                class_="bar",
                y=f"{100 - height:.2f}%",
                height=f"{height:.2f}%",
                **position,
            )
        )
    every = max(1, math.ceil(len(edges) / 6))
    marks += [
        text_at(short(edge), x=f"{index * step:.2f}%", y="100%", dy="1.3em", anchor="middle")
        for index, edge in enumerate(edges)
        if index % every == 0
    ]
    line, name = x_axis(x)
    marks.append(line)
    marks.append(text_at(f"{highest:,}", x="0", y="0", dx="-.6em", dy=".8em", anchor="end"))
    marks.append(text_at("0", x="0", y="100%", dx="-.6em", anchor="end"))
    marks.append(name)
    description = "; ".join(
        f"{short(a)} to {short(b)}: {n:,}" for a, b, n in zip(edges, edges[1:], counts) if n
    )
    return chart(title, f"Histogram of {x}. {description}.", marks, "plot low" if low else "plot")


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
    left, right = value_range([a for a, _ in points])
    low, high = y_range or value_range([b for _, b in points] + edges)
    y_ticks = ticks(*((max(0.0, low), min(1.0, high)) if percent else (low, high)))
    y_ticks = [tick for tick in y_ticks if not percent or 0 <= tick <= 1]
    frame = Frame(left, right, *(y_range or (y_ticks[0], y_ticks[-1])))
    classes = [f"s{index % 4 + 1}" for index in range(len(lines))]
    drawn = [mark for line, kind in zip(lines, classes) for mark in _line_marks(line, frame, kind)]
    scaled = element(
        "svg",
        *drawn,
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        width="100%",
        height="100%",
    )
    whole = all(float(a).is_integer() for a, _ in points)  # as epochs are
    x_ticks = [tick for tick in ticks(left, right) if not whole or float(tick).is_integer()]
    marks = [*frame.y_marks(y_ticks, percent=percent), *frame.x_marks(x_ticks), scaled]
    legend = element("ul", *map(_legend_entry, lines, classes), class_="legend")
    description = f"{y} over {x}. " + " ".join(_description(line) for line in lines)
    return chart(title, description, [*marks, *x_axis(x)], "plot", legend)


@dataclass(frozen=True)
class Frame:
    """The axis limits of a chart; positions in it are percentages of its width and height."""

    left: float
    right: float
    bottom: float
    top: float

    def x_percent(self, x: float) -> float:
        """The distance from the left, in percent."""
        return 100 * (x - self.left) / (self.right - self.left)

    def y_percent(self, y: float) -> float:
        """The distance from the top, in percent."""
        return 100 * (self.top - y) / (self.top - self.bottom)

    def y_marks(self, numbers: Sequence[float], *, percent: bool) -> list[Html]:
        """Ticks of the y axis: lines across the frame, labelled at its left."""
        marks = []
        for number in numbers:
            if self.bottom <= number <= self.top:
                y = f"{self.y_percent(number):.2f}%"
                marks.append(empty_element("line", class_="grid", x1="0", x2="100%", y1=y, y2=y))
                text = f"{100 * number:.4g} %" if percent else short(number)
                marks.append(text_at(text, x="0", y=y, dx="-.6em", dy=".35em", anchor="end"))
        return marks

    def x_marks(self, numbers: Sequence[float], *, percent: bool = False) -> list[Html]:
        """Ticks of the x axis, labelled below the frame."""
        marks = []
        for number in numbers:
            if self.left <= number <= self.right:
                text = f"{100 * number:.4g} %" if percent else short(number)
                x = f"{self.x_percent(number):.2f}%"
                marks.append(text_at(text, x=x, y="100%", dy="1.3em", anchor="middle"))
        return marks


def x_axis(x: str) -> list[Html]:
    """The x axis: its line and its title."""
    name = text_at(x, x="50%", y="100%", dy="2.7em", anchor="middle")
    return [empty_element("line", class_="axis", x1="0%", y1="100%", x2="100%", y2="100%"), name]


def _line_marks(line: Line, frame: Frame, kind: str) -> list[Html]:
    """The band, where there is one, and the line."""

    def points(heights: Sequence[float]) -> list[str]:
        pairs = [(a, b) for a, b in zip(line.x, heights) if math.isfinite(b)]
        return [f"{frame.x_percent(a):.2f},{frame.y_percent(b):.2f}" for a, b in pairs]

    marks = []
    if line.low and line.high:
        outline = " ".join(points(line.high) + points(line.low)[::-1])
        marks.append(empty_element("polygon", class_=f"band {kind}", points=outline))
    course = " ".join(points(line.y))
    if "," in course and " " not in course:  # a line of one point is drawn as a dot
        drawn = empty_element("polyline", class_=f"line single {kind}", points=f"{course} {course}")
        return [*marks, drawn]
    return [*marks, empty_element("polyline", class_=f"line {kind}", points=course)]


def _legend_entry(line: Line, kind: str) -> Html:
    """An entry of the legend."""
    mark = empty_element("line", class_=f"key {kind}", x1="0", x2="100%", y1="50%", y2="50%")
    return element("li", element("svg", mark, aria_hidden="true"), line.name)


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
    """A number in as few characters as it needs: 1,204; 0.25; 3.1e-05."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value)):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def value_range(numbers: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest; half a step to either side where they are as good as equal."""
    low, high = min(numbers), max(numbers)
    apart = high - low > 1e-9 * max(1.0, abs(high))
    return (low, high) if apart else (low - 0.5, high + 0.5)


def _description(line: Line) -> str:
    finite = [v for v in line.y if math.isfinite(v)]
    if not finite:
        return f"{line.name}: no finite number."
    ends = f"from {short(finite[0])} to {short(finite[-1])}"
    return f"{line.name}: {ends}, lowest {short(min(finite))}, highest {short(max(finite))}."


def chart(
    title: str, description: str, marks: Sequence[Html], kind: str, legend: Html | str = ""
) -> Html:
    """A chart of `marks`; `description` is for those who cannot see it."""
    texts = [element("title", title), element("desc", description)]
    drawn = element(
        "svg", *texts, *marks, class_=kind, role="img", aria_label=f"{title}. {description}"
    )
    return element("figure", element("p", title, class_="chart-title"), drawn, legend)


def text_at(text: str, *, x: str, y: str, anchor: str, dx: str = "0", dy: str = "0") -> Html:
    """Text in a chart."""
    return element("text", text, x=x, y=y, dx=dx, dy=dy, text_anchor=anchor)


def empty_element(tag: str, **attributes: object) -> Html:
    """An element without content."""
    return element(tag, **attributes)
