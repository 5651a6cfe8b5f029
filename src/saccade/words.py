"""Formatting: durations, percentages, intervals, columns, lines of a width, HTML, CSV, JSON."""

from __future__ import annotations

import math
import os
import re
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from itertools import zip_longest
from typing import IO, Any, Protocol


def duration(seconds: float) -> str:
    """Seconds with a unit that suits them: 85 ms, 3.2 s, 41 s, 3 min 05 s, 25 h 00 min."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 89.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"


def number(value: float, decimals: int = 3) -> str:
    """A number with its decimals, or the two figures of one that these would not show.

    0.123, 0.0012, 7.2e-05; 1,235 from 100 on.
    """
    if math.isnan(value):
        return "undefined"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    small = value and abs(value) < 10.0 ** (1 - decimals)
    return f"{value:.2g}" if small else f"{value:z.{decimals}f}"


def percent(share: float) -> str:
    """0.9871 as '98.7 %'."""
    return f"{100 * share:z.1f} %"


def per_second(rate: float) -> str:
    """A rate as 340/s, 2.5/s."""
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def proportion(share: float, interval: tuple[float, float], n: int) -> str:
    """A share with its interval and its n, as '98.7 % (96.8–99.5, n = 270)'."""
    low, high = interval
    return f"{percent(share)} ({100 * low:.1f}–{100 * high:.1f}, n = {n:,})"


def pluralize(count: int, singular: str, plural: str = "") -> str:
    """`1 image`, `2 images`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def shortened(names: Sequence[str], most: int) -> str:
    """At most `most` names, and how many more there are: 'a, b and 3 more'."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


LONGEST = 120  # characters of a person's text that a message repeats


def shortened_text(text: str) -> str:
    """A text for a message, which repeats no more than the beginning of a long one."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def layer_names(given: str | Sequence[str]) -> tuple[str, ...]:
    """Names of layers, each alone or several with commas or blanks between them, one by one."""
    texts = [given] if isinstance(given, str) else given
    return tuple(name for text in texts for name in re.split(r"[,\s]+", text) if name)


def aligned(rows: Sequence[Sequence[str]], left: int | None = None) -> str:
    """Cells in columns, to the left; those after the first `left` columns to the right."""
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    sides = [str.ljust] * len(widths[:left]) + [str.rjust] * len(widths)
    return "\n".join(
        "  ".join(side(cell, w) for side, cell, w in zip(sides, row, widths)).rstrip()
        for row in rows
    )


NO_BREAK = "\u00a0"  # a space that no line ends at
WITH_UNIT = re.compile(  # the blank between a number and its unit, or of "n = 6"
    r"(?<=\d) (?=(?:%|(?:ms|s|min|h|[kKMG]i?B|px|pixels|nats|percentage points)\b))|"
    r"(?<=\bn) (?== \d)|(?<=\bn =) (?=\d)"
)


def with_units(text: str) -> str:
    """`text` in which no line ends between a number and its unit: '98.7 %', '33 ms', 'n = 6'."""
    return WITH_UNIT.sub(NO_BREAK, text)


COMMAND = re.compile(r"(?<=: )saccade .*$")  # to be copied, so never in two lines
INDENT = re.compile(r"(?P<hint>hint: )|(?P<note>- )|(?P<column> *\S.*?  +)(?=\S)|(?P<margin> *)")


def fitted(text: str, width: int) -> str:
    """`text` in lines of at most `width` characters, broken between words, later lines indented.

    Indented as far as the second column where there are several.  What has no space to break at
    stays whole, and so does a command at the end of a line.
    """
    return "\n".join(
        line if len(line) <= width else _broken(line, width) for line in text.split("\n")
    )


def _broken(line: str, width: int) -> str:
    first = INDENT.match(line)
    indent = first.end() if first else 0
    indent = indent if indent <= width // 2 else len(line) - len(line.lstrip()) + 2
    command = COMMAND.search(line)
    prose = line[: command.start()].rstrip() if command else line
    lines = textwrap.wrap(
        WITH_UNIT.sub("\0", prose),  # which no text and no name holds
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    lines = [line.replace("\0", " ") for line in lines]
    if command and len(lines[-1]) + 1 + len(command[0]) <= width:
        lines[-1] += f" {command[0]}"
    elif command:
        lines.append(command[0])
    return "\n".join(lines)


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A head and rows as an HTML table, everything escaped."""
    lines = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    thead = f"<thead><tr>{_cells('th', head)}</tr></thead>"
    return f"<table>{thead}<tbody>{lines}</tbody></table>"


def _cells(tag: str, row: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)


def defined(value: Any) -> Any:
    """`value` with None for every number that is not finite, as JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: defined(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [defined(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def nobody_reads(stream: IO[str]) -> None:
    """Let what goes to the stream go nowhere from now on, at the exit too."""
    with suppress(OSError, ValueError):  # a notebook's has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class SupportsWrite(Protocol):
    """A file of text that is open for writing."""

    def write(self, text: str, /) -> object:
        """Write `text` at the end."""
        ...


class LineFeeds:
    """What `csv.writer` writes to, so that a line ends in LF and a cell with a CR is quoted.

    Before Python 3.13 the writer quotes those line ends alone that its own lines end with: CR LF.
    """

    def __init__(self, file: SupportsWrite) -> None:
        self.file = file

    def write(self, row: str) -> None:
        """Write the row that a `csv.writer` has made."""
        self.file.write(row.removesuffix("\r\n") + "\n")
