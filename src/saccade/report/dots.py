"""dot_chart: dots with whiskers beside a line where they would lie at best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from saccade.report.charts import axis, bare, plotted, short, text_at, ticks
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
    low, high = ends

    def at(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.2f}%"

    def up(value: float) -> str:
        return f"{100 * (high - value) / (high - low):.2f}%"

    marks = []
    for tick in ticks(low, high):
        if not low <= tick <= high:
            continue
        text = f"{100 * tick:.4g} %" if percent else short(tick)
        marks.append(bare("line", class_="grid", x1="0", x2="100%", y1=up(tick), y2=up(tick)))
        marks.append(text_at(text, x="0", y=up(tick), dx="-.6em", dy=".35em", anchor="end"))
        marks.append(text_at(text, x=at(tick), y="100%", dy="1.3em", anchor="middle"))
    marks.append(bare("line", class_="ideal", x1="0", y1="100%", x2="100%", y2="0"))
    for dot in dots:
        if dot.low is not None and dot.high is not None:
            edges = {"y1": up(dot.low), "y2": up(dot.high)}
            marks.append(bare("line", class_="whisker", x1=at(dot.x), x2=at(dot.x), **edges))
        place = {"cx": at(dot.x), "cy": up(dot.y), "r": 4}
        marks.append(element("circle", element("title", dot.words), class_="dot", **place))
    marks.append(axis("0%", "100%", "100%", "100%"))
    marks.append(text_at(x, x="50%", y="100%", dy="2.7em", anchor="middle"))
    upwards = element("p", f"upwards: {y}; dashed: where the two are the same", class_="note")
    return element("div", plotted(title, words, marks, "plot square"), upwards)
