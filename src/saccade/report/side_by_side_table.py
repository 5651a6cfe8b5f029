"""The table of two networks side by side: for a terminal of any width, and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from saccade.explain.side_by_side import QUANTITIES, WHOLE, SideBySide, Write, row_values
from saccade.report.anatomy_table import brief
from saccade.words import LineFeeds

NARROW = ("output", "weights", "multiply-adds", "field")
SIDES = ("first", "second")
TEXT = ("name", "kind")  # columns to the left; all others to the right


@dataclass(frozen=True)
class SideBySideTable:
    """Two networks as rich prints them: every digit where there is room for it, else fewer."""

    networks: SideBySide

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(" → ".join(self.networks.names), style="bold")
        for quantities, write in ((QUANTITIES, WHOLE), (QUANTITIES, brief), (NARROW, brief)):
            table = tabulated(self.networks, quantities, write)
            width = console.measure(table, options=options.update(width=10_000)).maximum
            if width <= options.max_width:
                break
        yield table
        for sentence in self.networks.summary():
            yield Text(sentence, style="dim")


def tabulated(networks: SideBySide, quantities: tuple[str, ...], write: Write) -> Table:
    """The rows, those that are alike dim, then totals and their ratio."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    head, *rows, total, ratio = networks.lines(quantities, write)
    for column in head:
        table.add_column(column, justify="left" if column in TEXT else "right", overflow="fold")
    for pair, row in zip(networks.rows, rows, strict=True):
        table.add_row(*map(Text, row), style="" if pair.differing else "dim")
    table.add_row(*map(Text, total), style="bold")
    table.add_row(*map(Text, ratio), style="bold")
    return table


def as_csv(networks: SideBySide) -> str:
    """A line per row, with what both networks have there, and the quantities that differ."""
    out = io.StringIO()
    writer = csv.writer(LineFeeds(out))
    titles = [f"{side}_{name}".replace("-", "_") for side in SIDES for name in QUANTITIES]
    writer.writerow(("name", "differs", *titles))
    for pair in networks.rows:
        values = [row_values(row, str) for row in (pair.first, pair.second)]
        cells = [value.get(name, "") for value in values for name in QUANTITIES]
        writer.writerow((pair.name, " ".join(pair.differing), *cells))
    return out.getvalue()
