"""The table of an anatomy: for a terminal of any width, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from saccade.explain.anatomy import (
    TABLE_COLUMNS,
    Anatomy,
    field_text,
    saving_text,
    stride_text,
    table_row,
)
from saccade.explain.cost import CONVENTION, Counts, Memory
from saccade.explain.rows import Row
from saccade.words import LineFeeds

TEXT = ("name", "kind")  # columns to the left; all others to the right
WIDE = (*TEXT, "output", "units", "connections", "weights", "multiply-adds", "field", "stride")
NARROW = (*TEXT, "output", "weights", "mult-adds", "field")
BAR = 12  # characters
EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class AnatomyTable:
    """An anatomy as rich prints it: every digit where the terminal is wide enough, else fewer."""

    anatomy: Anatomy

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield title(self.anatomy)
        for columns, exact, bar in ((WIDE, True, BAR), (WIDE, False, BAR), (NARROW, False, 8)):
            table = tabulated(self.anatomy, columns, exact, bar)
            width = console.measure(table, options=options.update(width=10_000)).maximum
            if width <= options.max_width:
                break
        yield table
        for note in notes(self.anatomy):
            yield Text(note, style="dim")


def title(anatomy: Anatomy) -> Text:
    """The name of the network, what it leaves out, and its input size."""
    without = f" without {', '.join(anatomy.without)}" if anatomy.without else ""
    shape = " x ".join(map(str, anatomy.input_size))
    return Text.assemble((anatomy.name + without, "bold"), (f"   input {shape}", "dim"))


def tabulated(anatomy: Anatomy, columns: tuple[str, ...], exact: bool, bar: int) -> Table:
    """The rows and their sum; a column's numbers are written out or to three figures."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.show_footer = True
    total = cells(None, anatomy.total, exact)
    for column in columns:
        is_text, is_name = column in TEXT, column == "name"
        table.add_column(
            column,
            "total" if is_name else total.get(column, ""),
            footer_style="bold",
            justify="left" if is_text else "right",
            no_wrap=column != "kind",
            min_width=longest_name(anatomy) if is_name else None,
        )
    table.add_column("share", no_wrap=True, min_width=bar + 5)
    for row in anatomy.rows:
        values = cells(row, row.counts, exact)
        share = row.counts.multiply_adds / max(1, anatomy.total.multiply_adds)
        style = "" if row.counts.connections or row.parts else "dim"
        table.add_row(*(values[column] for column in columns), share_bar(share, bar), style=style)
    return table


def longest_name(anatomy: Anatomy) -> int:
    """The characters of the longest name of a row."""
    return max((len(row.name) for row in anatomy.rows), default=0)


def cells(row: Row | None, counts: Counts, exact: bool) -> dict[str, str]:
    """The cells of a layer by column; without a row those of the totals."""
    write = (lambda n: f"{n:,}") if exact else brief
    multiply_adds = write(counts.multiply_adds) if counts.multiply_adds else ""
    numbers = {
        "units": write(counts.units) if counts.units else "",
        "connections": write(counts.connections) if counts.connections else "",
        "weights": write(counts.weights) if counts.weights else "",
        "multiply-adds": multiply_adds,
        "mult-adds": multiply_adds,
    }
    if row is None:
        return numbers
    return numbers | {
        "name": row.name,
        "kind": row.kind,
        "output": "x".join(map(str, row.output)),
        "field": field_text(row.field),
        "stride": stride_text(row),
    }


def brief(number: float, base: int = 1000, units: str = " KMGT") -> str:
    """Three figures and a letter: 4.09G."""
    power = 0
    while number >= (base if power == 0 else base - 0.5) and power < len(units) - 1:
        number /= base
        power += 1
    if power == 0:
        return f"{number:.0f}"
    digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{digits}f}{units[power]}"


def share_bar(share: float, width: int) -> Text:
    """A bar of a fraction with its number; nothing where it is nothing."""
    if not share:
        return Text("")
    eighths = max(1, round(share * width * 8))
    bar = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    percent = f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"
    return Text.assemble((f"{percent:>4} ", ""), (bar, "cyan"))


def notes(anatomy: Anatomy) -> Iterator[str]:
    """What the numbers mean, and what does not fit into a column."""
    total = anatomy.total
    yield f"counted: {CONVENTION}"
    with_biases = total.connections + total.biases
    yield f"connections: {total.connections:,} without biases, {with_biases:,} with them"
    if field := anatomy.receptive_field:
        height, width = field.size
        gate = "; + gate: also the whole image, through what is alike at every place"
        yield f"receptive field: {height} x {width} pixels" + (gate if field.everywhere else "")
    if anatomy.unused:
        yield f"weights: {anatomy.unused:,} more are not used in this forward"
    yield from memory_notes(anatomy.memory)
    if anatomy.savings:
        yield saving_text(anatomy.without, anatomy.savings)


def memory_notes(memory: Memory) -> Iterator[str]:
    """Memory of weights, activations and gradients, in inference and in training."""
    images = "1 image" if memory.batch == 1 else f"{memory.batch} images"
    yield (
        f"memory, {images}: weights {megabytes(memory.weights)}, "
        f"activations {megabytes(memory.inference)} at most at a time"
    )
    if memory.training is None:
        yield f"memory of training, {images}: cannot train on this batch"
        return
    yield (
        f"memory of training, {images}: weights {megabytes(memory.weights)}, "
        f"gradients {megabytes(memory.gradients)}, activations {megabytes(memory.training)}; "
        "as much as the gradients for each moment of the optimizer"
    )


def megabytes(size: int) -> str:
    """Bytes in binary units: 26.7 MiB."""
    text = brief(size, 1024)
    return f"{text[:-1]} {text[-1]}iB" if size >= 1024 else f"{size} B"


def as_csv(anatomy: Anatomy) -> str:
    """A line per row; sizes as 64x112x112, fields as height, width and whether there is a gate."""
    text = io.StringIO()
    writer = csv.writer(LineFeeds(text))
    writer.writerow(TABLE_COLUMNS)
    writer.writerows(map(table_row, anatomy.rows))
    return text.getvalue()
