"""anatomy: a network's table, a row a layer, with all that can be counted without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from saccade.errors import unknown
from saccade.explain.cost import CONVENTION, Counts, Memory, memory
from saccade.explain.field import ReceptiveField
from saccade.explain.rows import Row, rows_of
from saccade.explain.tracing import trace


@dataclass(frozen=True)
class Anatomy:
    """A network's rows and totals; numbers of one image, memory of a batch."""

    name: str
    input_size: tuple[int, ...]  # channels, height, width
    rows: tuple[Row, ...]
    tree: tuple[Row, ...] = field(repr=False)  # the rows with their blocks folded
    total: Counts
    unused: int  # parameters that this forward does not read, as of classifiers at the side
    memory: Memory
    without: tuple[str, ...] = ()  # rows that were taken out
    savings: Counts | None = field(default=None, repr=False)  # what that saves

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """The largest field that is still of a place: that of the last layer before all are one."""
        seen = [row.field for row in self.rows if row.field and row.field.local]
        return max(seen, key=lambda field: field.size, default=None)

    def row(self, name: str) -> Row:
        """The row called `name`, within a block too."""
        every = {row.name: row for row in self.walk()}
        if name not in every:
            raise unknown("layer", name, every)
        return every[name]

    def walk(self) -> Iterator[Row]:
        """Every row, blocks before their parts."""
        waiting = list(reversed(self.tree))
        while waiting:
            row = waiting.pop()
            yield row
            waiting += reversed(row.parts)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words."""
        return {
            "name": self.name,
            "input": list(self.input_size),
            "without": list(self.without),
            "convention": CONVENTION,
            "rows": [row_dict(row) for row in self.rows],
            "total": counts_dict(self.total) | {"unused_weights": self.unused},
            "savings": counts_dict(self.savings) if self.savings else None,
            "receptive_field": field_dict(self.receptive_field),
            "memory_bytes": vars(self.memory),
        }

    def __str__(self) -> str:
        lines = [extrapolate(row) for row in self.rows]
        total = ("total", "", "", *numbers(self.total))
        less = f"\n{saving_text(self.without, self.savings)}" if self.savings else ""
        return aligned([HEADINGS, *lines, total]) + less + f"\n({CONVENTION})"

    def _repr_html_(self) -> str:
        cells = [
            HEADINGS,
            *(extrapolate(row) for row in self.rows),
            ("total", "", "", *numbers(self.total)),
        ]
        table = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in cells)
        return f"<table>{table}</table><p>{CONVENTION}</p>"


def anatomy(
    module: nn.Module,
    input_size: tuple[int, ...] = (3, 224, 224),
    *,
    batch: int = 1,
    all: bool = False,
    name: str = "",
) -> Anatomy:
    """The table of any module for images of `input_size` (channels, height, width).

    With `all` the blocks are unfolded.  Raises `UsageError` where the module cannot take the size.
    """
    name = name or type(module).__name__
    forward = trace(module, input_size, name)
    tree = rows = rows_of(forward)
    if all:
        rows = tuple(leaf for row in tree for leaf in row.leaves())
    total = sum((row.counts for row in rows), Counts())
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return Anatomy(
        name,
        tuple(input_size),
        rows,
        tree,
        total,
        parameters - total.weights,
        memory(forward, batch),
    )


HEADINGS = (
    "name", "kind", "output", "units", "connections", "weights", "multiply-adds", "field", "stride"
)  # fmt: skip


def extrapolate(row: Row) -> tuple[str, ...]:
    """A row's cells but for the bar."""
    size = "x".join(map(str, row.output))
    return row.name, row.kind, size, *numbers(row.counts), field_text(row.field), stride_text(row)


def numbers(counts: Counts) -> tuple[str, ...]:
    cells = (counts.units, counts.connections, counts.weights, counts.multiply_adds)
    return tuple(f"{cell:,}" if cell else "" for cell in cells)


def saving_text(without: tuple[str, ...], saved: Counts) -> str:
    """What a network is spared by the rows that were taken out."""

    def words(number: int) -> str:
        return f"{abs(number):,} {'fewer' if number >= 0 else 'more'}"

    costs = f"{words(saved.weights)} weights, {words(saved.multiply_adds)} multiply-adds"
    return f"without {', '.join(without)}: {costs}"


def field_text(field: ReceptiveField | None) -> str:
    """The box in pixels; `+ gate` where all is seen too, `≤` where the field may be smaller."""
    if field is None or not any(bits > 1 for bits in field.mask):
        return ""
    height, width = field.size
    size = f"{height}" if height == width else f"{height}x{width}"
    if not field.local:
        size = "all"
    return (
        ("" if field.exact else "≤")
        + size
        + (" + gate" if field.everywhere and field.local else "")
    )


def stride_text(row: Row) -> str:
    if row.field is None or not row.field.local:
        return ""
    vertical, horizontal = row.field.stride
    return f"{vertical}" if vertical == horizontal else f"{vertical}x{horizontal}"


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Cells in columns: words to the left, numbers to the right."""
    rows = [(*row, *("",) * (len(HEADINGS) - len(row))) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    )


def counts_dict(counts: Counts) -> dict[str, int]:
    return vars(counts) | {"connections_with_biases": counts.connections + counts.biases}


def field_dict(field: ReceptiveField | None) -> dict[str, Any] | None:
    if field is None:
        return None
    return {
        "size": list(field.size),
        "stride": list(field.stride),
        "centre": list(field.centre),
        "local": field.local,
        "everywhere": field.everywhere,
        "holes": field.holes,
        "exact": field.exact,
    }


def row_dict(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "output": list(row.output),
        **counts_dict(row.counts),
        "field": field_dict(row.field),
        "parts": [row_dict(part) for part in row.parts],
    }
