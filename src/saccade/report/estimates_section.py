"""estimates_section: numbers that were predicted against the true ones."""

from __future__ import annotations

from saccade.report.charts import short, ticks
from saccade.report.dots import Dot, dot_chart
from saccade.report.page import Html, element, join
from saccade.report.tested import Tested

DOTS = 400


def estimates_section(tested: Tested, margin: float | None) -> Html:
    """A dot a picture; `margin` is how near nine in ten are said to be."""
    true, said = ([float(cell) for cell in cells] for cells in (tested.labels, tested.answers))
    within = ticks(min(*true, *said), max(*true, *said))
    places = range(len(true))[:: -(-len(true) // DOTS)]
    dots = [
        Dot(true[k], said[k], f"{tested.names[k]}: is {true[k]:g}, said {said[k]:g}")
        for k in places
    ]
    ends = f"from {short(min(true))} to {short(max(true))}"
    chart = dot_chart(
        dots,
        title="Said, over what it is",
        words=f"{len(dots)} pictures, true numbers {ends}; the numbers above say how near.",
        x="what it is",
        y="what was said",
        ends=(within[0], within[-1]),
    )
    parts = [chart]
    if margin is not None:
        near = sum(abs(a - b) <= margin for a, b in zip(true, said, strict=True))
        words = f"{near} of {len(true)} lie within the ± {margin:,.4g} that were set on validation."
        parts.append(element("p", f"{words} Nine in ten were promised."))
    if len(dots) < len(true):
        parts.append(element("p", f"{len(dots)} of {len(true)} are drawn.", class_="note"))
    return join(parts)
