"""layer_section: looks into the layers of a training, for its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, log10
from typing import Any

from saccade.analysis.layer_statistics import LayerRow, in_columns, troubles
from saccade.report.charts import Line, bar_list, line_chart
from saccade.report.page import Html, columns, element, folded, join, table


def layer_section(history: Sequence[Mapping[str, Any]]) -> Html | None:
    """What is wrong, the steps and gradients of each row over the epochs, and the last table.

    None where a training was not looked into.
    """
    looks = [
        (row["epoch"], [LayerRow(**layer) for layer in row["layers"]])
        for row in history
        if row.get("layers")
    ]
    if not looks:
        return None
    epoch, last = looks[-1]
    found = troubles(last)
    lead = "Nothing is wrong with the layers." if not found else "What is wrong with the layers:"
    parts = [element("p", f"{lead} As they were in epoch {epoch}.")]
    if found:
        parts.append(element("ul", *(element("li", words) for words in found)))
    parts += [_multiples(looks), _dead(last)]
    head, *lines = in_columns(last)
    parts.append(folded("Row by row", table(head, lines)))
    return join(parts)


def _multiples(looks: Sequence[tuple[int, Sequence[LayerRow]]]) -> Html:
    """A small chart for each row with weights: gradient and step in powers of ten."""
    if len(looks) < 2:
        return element("p", "There was one look only, so there are no curves.", class_="quiet")
    epochs = [epoch for epoch, _ in looks]
    charts = []
    for place, row in enumerate(looks[-1][1]):
        if row.weight is None:
            continue
        rows = [look[place] for _, look in looks]
        lines = [
            Line("gradient", epochs, [_power(r.gradient) for r in rows]),
            Line("step, of the weights", epochs, [_power(r.update) for r in rows]),
        ]
        charts.append(line_chart(lines, title=row.name, x="epoch", y="power of ten"))
    return columns(*charts)


def _dead(rows: Sequence[LayerRow]) -> Html | str:
    shares = {row.name: row.dead for row in rows if row.dead is not None}
    if not shares:
        return ""
    written = {name: f"{100 * share:.0f} %" for name, share in shares.items()}
    return bar_list(shares, title="Units that never fire", written=written)


def _power(value: float | None) -> float:
    return log10(value) if value and isfinite(value) else float("nan")
