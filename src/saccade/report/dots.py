"""dot_chart: dots with whiskers beside a line where they would lie at best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from saccade.report.charts import Frame, bare, lower_axis, plotted, ticks
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
