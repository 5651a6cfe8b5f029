"""Labels: what the cells of a column say of images: a class, several, a number or a count.

Several labels in one cell stand between | or ;, between commas, or in brackets as Python, JSON and
NumPy print lists; which it is, is found by all cells of the column.  Blanks may be part of a name
and are asked about.  `several:blank` and the like say it.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Sequence

from saccade.data.classes import class_name
from saccade.data.item import Count, Label
from saccade.errors import DataError, UsageError, unknown

KINDS = {"labels": "several", "tags": "several", "classes": "several"}
KINDS |= {"value": "number", "target": "number", "count": "count", "counts": "count"}
SEPARATORS = {"bar": "|", "semicolon": ";", "comma": ",", "slash": "/", "blank": " ", "list": ""}
JOINING = {name: mark for name, mark in SEPARATORS.items() if mark} | {"+": "+", "&": "&"}
LIST = re.compile(r"\s*(\[.*\]|\{.*\}|\(.*\))\s*", re.DOTALL)
QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
NUMPY = re.compile(rf"\s*(?:(?:{QUOTED.pattern})\s+)+(?:{QUOTED.pattern})\s*")  # no commas
NUMPY_TEXT = re.compile(rf"np\.str_\(({QUOTED.pattern})\)")  # in a list of Python
PART = re.compile(
    r'\s*(?:"((?:[^"\\]|\\.)*)"\s*|([^\s",\[\]{}][^",\[\]{}]*))(?:,|\Z)'
)  # PostgreSQL
NO_CLASS = (
    "nan",
    "na",
    "n/a",
    "#n/a",
    "<na>",
    "null",
    "none",
)  # what programs write for an empty cell


class LabelReader:
    """Cells of one column turned into labels.

    `kind` is class, several, several:SEPARATOR, number or count, and `asked` whether a person said
    so; `column` its name and `place` the table's, for messages.
    """

    def __init__(
        self,
        kind: str,
        cells: Sequence[str],
        column: str,
        place: str,
        *,
        decimal_comma: bool,
        asked: bool = False,
    ):
        self.kind, _, separator = kind.partition(":")
        if self.kind not in (kinds := ("class", "several", "number", "count")):
            raise unknown("kind of label", self.kind, set(kinds))
        self.column, self.place, self.decimal_comma = column, place, decimal_comma
        self.cells = [cell.strip() for cell in cells]
        self.separators, self.separator_note = "", ""
        if self.kind == "several":
            self._choose_separators(separator)
        elif self.kind == "class" and not asked:
            self._refuse_joined()

    def read(self, text: str) -> Label:
        """The label in a cell; raises `ValueError` with what the cell is not: a class, a number."""
        text = text.strip()
        if self.kind in ("class", "several") and _is_record(text):
            raise ValueError("class")
        if self.kind == "several":
            return tuple(dict.fromkeys(class_name(name) for name in self._split(text) if name))
        if not text or self.kind == "class":
            return class_name(text) or None
        value = self._number(text)
        if self.kind == "number":
            return value
        if value < 0 or value != int(value):
            raise ValueError("count")
        return Count(value)

    def hint(self, what: str, text: str) -> str:
        """How to write the label in a cell so that it is read as meant."""
        say = f"'{self.place}::{self.column}="
        if what == "class":
            names = """, or several as in ["cat", "polar bear"]""" if self.kind == "several" else ""
            return f"write the name of the class alone{names}"
        if text.casefold() in NO_CLASS:
            return "leave the cell empty for an image without a label"
        if what == "count":
            return f"counts are whole numbers from 0 on; for others write {say}number'"
        if len(parts := text.split()) > 1 and all(map(self._is_number, parts)):
            return f"for several classes in a cell write {say}several:blank', for one {say}class'"
        return f"numbers are written 1.5; if these are classes, write {say}class'"

    def notes(self) -> tuple[str, ...]:
        """What could be meant otherwise."""
        say = f"'{self.place}::{self.column}="
        present = [cell for cell in self.cells if cell]
        notes = (self.separator_note,) if self.separator_note else ()
        if self.kind == "class":
            joined = [cell for cell in present if "|" in cell or LIST.fullmatch(cell)]
            if joined:
                hint = "call the column labels for several"
                notes += (f"'{joined[0]}' is read as one class; {hint}",)
        if self.kind in ("class", "several"):
            absent = [cell for cell in present if cell.casefold() in NO_CLASS]
            if absent:
                hint = "leave the cell empty for an image without a label"
                notes += (f"'{absent[0]}' in '{self.column}' is read as a class; {hint}",)
        numeric = all(map(self._is_number, present))
        numbers = {self._number(cell) for cell in present if self._is_number(cell)}
        if self.kind == "class" and numeric and not all(map(float.is_integer, numbers)):
            count = len(set(present))
            what = f"the numbers in '{self.column}' are read as {count} classes"
            notes += (f"{what}; for numbers write {say}number'",)
        whole = numbers == set(map(float, range(len(numbers)))) and 2 <= len(numbers) <= 100
        if self.kind == "number" and whole:
            top = len(numbers) - 1
            what = f"'{self.column}' holds 0 to {top} alone and is read as numbers"
            notes += (f"{what}; for classes write {say}class'",)
        return notes

    def _choose_separators(self, word: str) -> None:
        present = [cell for cell in self.cells if cell]
        lists = [cell for cell in present if LIST.fullmatch(cell)]
        if len(word) > 1 and word not in SEPARATORS:
            what = f"several:{word} names no separator, which is of one character"
            raise UsageError(what, f"write one, or its name: {', '.join(SEPARATORS)}")
        if word:
            self.separators = SEPARATORS.get(word, word)
            self._refuse_idle(word, present)
        elif lists:
            bare = [cell for cell in present if not LIST.fullmatch(cell)]
            if any(mark in cell for cell in bare for mark in "|;,"):
                raise DataError(
                    f"'{self.column}' in '{self.place}' holds lists and other cells: '{lists[0]}' "
                    f"and '{bare[0]}'",
                    "write all of them in one way",
                )
            self.separators = ""
        elif any(mark in cell for mark in "|;" for cell in present):
            self.separators = "|;"
        elif example := next((cell for cell in present if "," in cell), ""):
            self.separators = ","
            found = f"the labels in '{self.column}' are read as separated by commas, as in"
            other = f"'{self.place}::{self.column}=several:bar'"
            self.separator_note = f"{found} '{example}'; if these are names, write {other}"
        elif example := next((cell for cell in present if re.search(r"\s", cell)), ""):
            raise DataError(
                f"the cells of '{self.column}' in '{self.place}' hold blanks and no other "
                f"separator, such as '{example}': one label or several?",
                f"write '{self.place}::{self.column}=several:blank' for several, "
                f"'{self.place}::{self.column}=several:bar' for one",
            )
        else:
            self._refuse_joined()
            self.separators = "|;"

    def _refuse_idle(self, word: str, present: Sequence[str]) -> None:
        """Raise `UsageError` for a separator in no cell; a bar may say that each is one label."""
        parted = [cell for cell in present if LIST.fullmatch(cell) or len(self._split(cell)) > 1]
        if present and not parted and word not in ("bar", "|"):
            what = f"several:{word} has no effect: no cell of '{self.column}' has one"
            raise UsageError(
                f"{what}, such as '{present[0]}'", f"marks are {', '.join(SEPARATORS)}"
            )

    def _refuse_joined(self) -> None:
        """Raise `DataError` for a cell of several labels each of which other cells hold alone."""
        known = dict.fromkeys(filter(None, self.cells))
        for cell in known:
            for name, mark in JOINING.items():
                parts = [part.strip() for part in cell.split(mark)]
                if len(parts) > 1 and known.keys() >= set(parts):
                    say = f"'{self.place}::{self.column}="
                    raise DataError(
                        f"'{cell}' in '{self.column}' of '{self.place}' may be one class or "
                        f"several, for other images are of {' and of '.join(parts)} alone",
                        f"write {say}several:{name}' for several, {say}class' for one",
                    )

    def _split(self, text: str) -> list[str]:
        if not self.separators:
            return _listed(text)
        if self.separators.isspace():
            return text.split()
        for mark in self.separators[1:]:
            text = text.replace(mark, self.separators[0])
        return [part.strip() for part in text.split(self.separators[0])]

    def _number(self, text: str) -> float:
        value = _float(text.replace(",", ".") if self.decimal_comma else text)
        if not math.isfinite(value):
            raise ValueError("number")
        return value

    def _is_number(self, text: str) -> bool:
        return math.isfinite(_float(text.replace(",", ".") if self.decimal_comma else text))


def group_named(cell: str) -> str:
    """The group in a cell; nothing where a program wrote that there is none."""
    cell = cell.strip()
    return "" if cell.casefold() in NO_CLASS else cell


def _is_record(text: str) -> bool:
    """Whether a cell is an object of JSON: keys with values, and no name."""
    try:
        return text.startswith("{") and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _listed(text: str) -> list[str]:
    """The labels in a list as JSON, Python, NumPy or PostgreSQL print it; a bare cell is one.

    Raises `ValueError` for a list that is none of these to its end.
    """
    match = LIST.fullmatch(text)
    if not match:
        return [] if text == "set()" else [text]
    inner = NUMPY_TEXT.sub(r"\1", match[1][1:-1])
    if NUMPY.fullmatch(inner):
        found = [single or double for single, double in QUOTED.findall(inner)]
        return [re.sub(r"\\(.)", r"\1", name) for name in found]
    try:
        values = json.loads(f"[{inner}]")
    except (ValueError, RecursionError):
        values = _literals(inner)
    if values is None:
        return _parts(inner)
    if not all(isinstance(value, str | int | float) for value in values):
        raise ValueError("class")
    return [value if isinstance(value, str) else json.dumps(value) for value in values]


def _literals(inner: str) -> list[object] | None:
    """The values between the brackets of Python; none where they are no literals.

    Two texts without a comma between are one to Python, and a comma left out to people.
    """
    try:
        values = ast.literal_eval(f"[{inner}]")
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    texts = sum(isinstance(value, str) for value in values)
    return values if texts == len(QUOTED.findall(inner)) else None


def _parts(inner: str) -> list[str]:
    """Names with commas between, in double quotes where needed, or numbers with blanks between."""
    parts: list[str] = []
    if "," not in inner and len(words := inner.split()) > 1:
        if not all(math.isfinite(_float(word)) for word in words):
            raise ValueError("class")
        return words
    place = 0
    while place < len(inner):
        match = PART.match(inner, place)
        if not match or QUOTED.search(match[2] or "") or match[2] == "NULL":
            raise ValueError("class")
        quoted = match[1] is not None
        parts.append(re.sub(r"\\(.)", r"\1", match[1]) if quoted else match[2].strip())
        place = match.end()
    return parts


def _float(text: str) -> float:
    """The number that a text is; not a number for any other, and for Python's own 1_000."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
