"""A network's table of layers, with all that can be counted without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import nn

from saccade.errors import unknown
from saccade.explain.cost import CONVENTION, Counts, Memory, memory
from saccade.explain.field import ReceptiveField
from saccade.explain.rows import Row, rows_of
from saccade.explain.tracing import trace
from saccade.frame import data_frame
from saccade.words import aligned

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class Anatomy:
    """A network's rows and totals; numbers of one image, memory of a batch."""

    name: str
    input_size: tuple[int, ...]  # channels, height, width
    rows: tuple[Row, ...]
    tree: tuple[Row, ...] = field(repr=False)  # the rows with their blocks folded
    total: Counts
    unused: int  # parameters that this forward does not read, as of auxiliary classifiers
    memory: Memory
    without: tuple[str, ...] = ()  # rows that were taken out
    savings: Counts | None = field(default=None, repr=False)  # what that saves

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """The largest local field: that of the last layer before global pooling or flattening."""
        fields = [row.field for row in self.rows if row.field and row.field.local]
        return max(fields, key=lambda field: field.size, default=None)

    def row(self, name: str) -> Row:
        """The row called `name`, within a block too."""
        rows = {row.name: row for row in self.walk()}
        if name not in rows:
            raise unknown("layer", name, rows)
        return rows[name]

    def walk(self) -> Iterator[Row]:
        """Every row in order, depth first: blocks before their parts."""
        stack = list(reversed(self.tree))
        while stack:
            row = stack.pop()
            yield row
            stack += reversed(row.parts)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.input_size))
        return f"Anatomy({self.name}, input {size}, {self.total.weights:,} weights)"

    def to_dict(self) -> dict[str, Any]:
        """The anatomy as JSON values."""
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

    def to_frame(self) -> DataFrame:
        """A row per layer, as of `saccade show --csv`; what is not known is missing."""
        return data_frame([table_row(row) for row in self.rows], TABLE_COLUMNS)

    def __str__(self) -> str:
        lines = [row_cells(row) for row in self.rows]
        total = ("total", "", "", *counts_cells(self.total))
        savings = f"\n{saving_text(self.without, self.savings)}" if self.savings else ""
        return aligned([HEADINGS, *lines, total], left=2) + savings + f"\n({CONVENTION})"

    def _repr_html_(self) -> str:
        rows = [
            HEADINGS,
            *(row_cells(row) for row in self.rows),
            ("total", "", "", *counts_cells(self.total)),
        ]
        table = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows)
        return f"<table>{table}</table><p>{CONVENTION}</p>"


def anatomy(
    module: nn.Module,
    input_size: tuple[int, ...] = (3, 224, 224),
    *,
    batch_size: int = 1,
    expand: bool = False,
    name: str = "",
) -> Anatomy:
    """The table of any module for images of `input_size` (channels, height, width) in pixels.

    With `expand` every layer of a block has a row.  Raises `UsageError` where the module cannot
    take the size.
    """
    name = name or type(module).__name__
    forward = trace(module, input_size, name)
    tree = rows = rows_of(forward)
    if expand:
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
        memory(forward, batch_size),
    )


HEADINGS = (
    "name", "kind", "output", "units", "connections", "weights", "multiply-adds", "field", "stride"
)  # fmt: skip


TABLE_COLUMNS = (
    "name", "kind", "output", "units", "connections", "biases", "weights", "multiply_adds",
    "field_height", "field_width", "stride_height", "stride_width", "everywhere",
)  # fmt: skip


def table_row(row: Row) -> tuple[Any, ...]:
    """A row's values, one for each of `TABLE_COLUMNS`; an output as 64x112x112."""
    c, field = row.counts, row.field
    counts = (c.units, c.connections, c.biases, c.weights, c.multiply_adds)
    seen = (*field.size, *field.stride, field.everywhere) if field else (None,) * 5
    return (row.name, row.kind, "x".join(map(str, row.output)), *counts, *seen)


def row_cells(row: Row) -> tuple[str, ...]:
    """A row's cells, one for each of `HEADINGS`."""
    size = "x".join(map(str, row.output))
    return (
        row.name,
        row.kind,
        size,
        *counts_cells(row.counts),
        field_text(row.field),
        stride_text(row),
    )


def counts_cells(counts: Counts) -> tuple[str, ...]:
    """Units, connections, weights and multiply-adds as text, zeros left out."""
    cells = (counts.units, counts.connections, counts.weights, counts.multiply_adds)
    return tuple(f"{cell:,}" if cell else "" for cell in cells)


def saving_text(without: tuple[str, ...], savings: Counts) -> str:
    """How many weights and multiply-adds the rows that were taken out had."""

    def difference(count: int) -> str:
        return f"{abs(count):,} {'fewer' if count >= 0 else 'more'}"

    costs = (
        f"{difference(savings.weights)} weights, {difference(savings.multiply_adds)} multiply-adds"
    )
    return f"without {', '.join(without)}: {costs}"


def field_text(field: ReceptiveField | None) -> str:
    """A field's size in pixels; `+ gate` where all is seen too, `≤` where it may be smaller."""
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
    """The effective stride in pixels; empty where the field is not local."""
    if row.field is None or not row.field.local:
        return ""
    vertical, horizontal = row.field.stride
    return f"{vertical}" if vertical == horizontal else f"{vertical}x{horizontal}"


def counts_dict(counts: Counts) -> dict[str, int]:
    """The counts as JSON values, with the connections that include those of biases."""
    return vars(counts) | {"connections_with_biases": counts.connections + counts.biases}


def field_dict(field: ReceptiveField | None) -> dict[str, Any] | None:
    """A receptive field as JSON values."""
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
    """A row and its parts as JSON values."""
    return {
        "name": row.name,
        "kind": row.kind,
        "output": list(row.output),
        **counts_dict(row.counts),
        "field": field_dict(row.field),
        "parts": [row_dict(part) for part in row.parts],
    }
