"""Two networks side by side: their rows matched by name, what differs, and their totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from saccade.explain.anatomy import (
    TABLE_COLUMNS,
    Anatomy,
    counts_dict,
    field_dict,
    field_text,
    row_dict,
    saving_text,
    stride_text,
    table_row,
)
from saccade.explain.cost import CONVENTION, Counts
from saccade.explain.rows import Row
from saccade.frame import data_frame
from saccade.words import aligned, html_table

if TYPE_CHECKING:
    from pandas import DataFrame

QUANTITIES = ("kind", "output", "weights", "multiply-adds", "field", "stride")
NONE = "–"  # where a network has no such row, or a row no such value
COUNTS = {"weights": "weights", "multiply-adds": "multiply_adds"}  # by quantity, of `Counts`
Key = tuple[str, int]  # the name of a row, and its number among those of that name
Write = Callable[[int], str]  # a count as text
WHOLE: Write = "{:,}".format


@dataclass(frozen=True)
class RowPair:
    """The rows of one name; None where a network has none."""

    name: str
    first: Row | None
    second: Row | None

    @property
    def differing(self) -> tuple[str, ...]:
        """Which of `QUANTITIES` differ; all where one network has no such row."""
        values = (row_values(self.first), row_values(self.second))
        return tuple(name for name in QUANTITIES if values[0].get(name) != values[1].get(name))


@dataclass(frozen=True, repr=False)
class SideBySide:
    """Two anatomies, and their rows matched by name; ratios are of the second to the first."""

    first: Anatomy
    second: Anatomy

    @property
    def names(self) -> tuple[str, str]:
        """What to call the two, also where both have one name."""
        titles = [title(anatomy) for anatomy in (self.first, self.second)]
        if titles[0] == titles[1]:
            return f"{titles[0]} (first)", f"{titles[1]} (second)"
        return titles[0], titles[1]

    @property
    def rows(self) -> tuple[RowPair, ...]:
        """Every row in the order of the networks, a name once; the first network's come first."""
        first, second = numbered(self.first.rows), numbered(self.second.rows)
        return tuple(
            RowPair(key[0], first.get(key), second.get(key)) for key in merged(first, [*second])
        )

    @property
    def ratios(self) -> dict[str, float | None]:
        """How many times as much the second has in all, by count; None of nothing."""
        mine, theirs = counts_dict(self.first.total), counts_dict(self.second.total)
        return {name: theirs[name] / mine[name] if mine[name] else None for name in mine}

    def summary(self) -> Iterator[str]:
        """What differs, a sentence each."""
        shared = [pair for pair in self.rows if pair.first and pair.second]
        alike = sum(not pair.differing for pair in shared)
        yield f"rows: {len(shared):,} of {len(self.rows):,} in both, {alike:,} of them alike"
        for anatomy in (self.first, self.second):
            if anatomy.unused:
                unused = f"{anatomy.unused:,} more weights are not used in this forward"
                yield f"{anatomy.name}: {unused}"
            if anatomy.savings:
                yield f"{anatomy.name} {saving_text(anatomy.without, anatomy.savings)}"
        sizes = [anatomy.input_size for anatomy in (self.first, self.second)]
        if sizes[0] != sizes[1]:
            what = f"the inputs differ, {size_text(sizes[0])} and {size_text(sizes[1])}"
            hint = (
                "; with --size both take images of one size" if sizes[0][0] == sizes[1][0] else ""
            )
            yield f"{what}, and so does what is counted on them{hint}"
        yield f"counted: {CONVENTION}"

    def to_frame(self) -> DataFrame:
        """A row per name: what the first and what the second network has there, or nothing."""
        columns = [f"{side}_{c}" for side in ("first", "second") for c in TABLE_COLUMNS[1:]]
        rows = [(pair.name, *_values(pair.first), *_values(pair.second)) for pair in self.rows]
        return data_frame(rows, ["name", *columns])

    def to_dict(self) -> dict[str, Any]:
        """Both networks and their rows as JSON values, with what differs in each row."""
        return {
            "first": totals_dict(self.first),
            "second": totals_dict(self.second),
            "ratios": self.ratios,
            "rows": [
                {
                    "name": pair.name,
                    "differs": list(pair.differing),
                    "first": row_dict(pair.first) if pair.first else None,
                    "second": row_dict(pair.second) if pair.second else None,
                }
                for pair in self.rows
            ],
            "convention": CONVENTION,
        }

    def lines(
        self, quantities: Sequence[str] = QUANTITIES, write: Write = WHOLE
    ) -> list[tuple[str, ...]]:
        """Head, rows, totals and their ratio as text; where the two differ, a cell has both."""
        totals = [total_values(anatomy, write) for anatomy in (self.first, self.second)]
        ratios = [self.ratios.get(COUNTS.get(name, "")) for name in quantities]
        return [
            ("name", *quantities),
            *((pair.name, *pair_cells(pair, quantities, write)) for pair in self.rows),
            ("total", *(both(totals[0][name], totals[1][name]) for name in quantities)),
            ("ratio", *map(ratio_text, ratios)),
        ]

    def __str__(self) -> str:
        heading = " → ".join(self.names)
        return "\n".join([heading, aligned(self.lines(), left=2), *self.summary()])

    def _repr_html_(self) -> str:
        head, *rows = self.lines()
        return html_table(head, rows) + "".join(f"<p>{escape(line)}</p>" for line in self.summary())

    def __repr__(self) -> str:
        weights = both(f"{self.first.total.weights:,}", f"{self.second.total.weights:,}")
        return f"SideBySide({' → '.join(self.names)}, {weights} weights)"


def title(anatomy: Anatomy) -> str:
    """The name of a network, and what it leaves out."""
    return anatomy.name + (f" without {', '.join(anatomy.without)}" if anatomy.without else "")


def _values(row: Row | None) -> tuple[Any, ...]:
    """What stands in a row behind its name; nothing where there is no row."""
    return table_row(row)[1:] if row else (None,) * (len(TABLE_COLUMNS) - 1)


def numbered(rows: Iterable[Row]) -> dict[Key, Row]:
    """Rows by name, and by their number among those of that name."""
    seen: Counter[str] = Counter()
    found = {}
    for row in rows:
        found[row.name, seen[row.name]] = row
        seen[row.name] += 1
    return found


def merged(first: Iterable[Key], second: Sequence[Key]) -> list[Key]:
    """Each key once: those of the first in their order, others before what they lead to."""
    keys = list(first)
    known, place = set(keys), len(keys)
    for key in reversed(second):
        if key in known:
            place = keys.index(key)
        else:
            keys.insert(place, key)
    return keys


def row_values(row: Row | None, write: Write = WHOLE) -> dict[str, str]:
    """A row's `QUANTITIES` as text; nothing of no row."""
    if row is None:
        return {}
    return {
        "kind": row.kind,
        "output": size_text(row.output),
        **count_values(row.counts, write),
        "field": field_text(row.field),
        "stride": stride_text(row),
    }


def total_values(anatomy: Anatomy, write: Write) -> dict[str, str]:
    """A network's totals as `row_values` has those of a row."""
    counts = count_values(anatomy.total, write)
    return dict.fromkeys(QUANTITIES, "") | counts | {"field": field_text(anatomy.receptive_field)}


def count_values(counts: Counts, write: Write) -> dict[str, str]:
    """Weights and multiply-adds as text, nothing for none."""
    values = {name: getattr(counts, field) for name, field in COUNTS.items()}
    return {name: write(value) if value else "" for name, value in values.items()}


def pair_cells(pair: RowPair, quantities: Sequence[str], write: Write) -> list[str]:
    """The cells of two rows."""
    mine, theirs = row_values(pair.first, write), row_values(pair.second, write)
    return [both(mine.get(name, ""), theirs.get(name, "")) for name in quantities]


def ratio_text(ratio: float | None) -> str:
    """A ratio to three figures at least, nothing for none."""
    if ratio is None:
        return ""
    return f"x {ratio:,.0f}" if ratio >= 100 else f"x {ratio:.3g}"


def both(first: str, second: str) -> str:
    """Two values in a cell: one where they are alike."""
    return first if first == second else f"{first or NONE} → {second or NONE}"


def size_text(size: Iterable[int]) -> str:
    """A size as 64x112x112."""
    return "x".join(map(str, size))


def totals_dict(anatomy: Anatomy) -> dict[str, Any]:
    """All of a network but its rows, as JSON values."""
    return {
        "name": anatomy.name,
        "input": list(anatomy.input_size),
        "without": list(anatomy.without),
        "total": counts_dict(anatomy.total) | {"unused_weights": anatomy.unused},
        "receptive_field": field_dict(anatomy.receptive_field),
        "memory_bytes": vars(anatomy.memory),
    }
