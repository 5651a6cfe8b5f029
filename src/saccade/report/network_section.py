"""network_section: the network row by row, as its paper's table would have it."""

from __future__ import annotations

from saccade.analysis.anatomy import anatomy
from saccade.bundle import Bundle
from saccade.report.anatomy_table import cells, notes
from saccade.report.page import Html, element, folded, join, table

HEAD = ("row", "kind", "output", "weights", "multiply-adds", "field")
COLUMNS = ("name", "kind", "output", "weights", "multiply-adds", "field")


def network_section(bundle: Bundle) -> Html:
    """The sums in words, the rows folded."""
    p = bundle.preprocessing
    found = anatomy(bundle.model, (p.channels, p.size, p.size), name=bundle.architecture)
    total = found.total
    words = (
        f"{bundle.architecture}: {total.weights:,} weights, {total.multiply_adds:,} multiply-adds "
        f"for a picture of {p.size} x {p.size} pixels."
    )
    lines = [
        tuple(cells(row, row.counts, exact=True)[column] for column in COLUMNS)
        for row in found.rows
    ]
    said = element("ul", *(element("li", note) for note in notes(found)), class_="note")
    return join([element("p", words), folded("Row by row", table(HEAD, lines), said)])
