"""Labels: what the cells of a column say of images: a class, several, a number or a count.

Several labels in one cell stand between | or ;, between commas, or in brackets as Python, JSON and
NumPy print lists; which it is, is found by all cells of the column.  Blanks may be part of a name
and are asked about.  `several:blank` and the like say it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from saccade.data.classes import class_name
from saccade.data.item import Count, Label
from saccade.errors import DataError, unknown

KINDS = {"labels": "several", "tags": "several", "classes": "several"}
KINDS |= {"value": "number", "target": "number", "count": "count", "counts": "count"}
SEPARATORS = {"bar": "|", "semicolon": ";", "comma": ",", "slash": "/", "blank": " ", "list": ""}
LIST = re.compile(r"\s*(\[.*\]|\{.*\}|\(.*\))\s*", re.DOTALL)
QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
NO_CLASS = ("nan", "na", "n/a", "null", "none")  # what programs write for an empty cell


class LabelReader:
    """Cells of one column turned into labels.

    `kind` is class, several, several:SEPARATOR, number or count; `column` its name and `place` the
    table's, for messages.
    """

    def __init__(
        self, kind: str, cells: Sequence[str], column: str, place: str, *, decimal_comma: bool
    ):
        self.kind, _, separator = kind.partition(":")
        if self.kind not in (kinds := ("class", "several", "number", "count")):
            raise unknown("kind of label", self.kind, set(kinds))
        self.column, self.place, self.decimal_comma = column, place, decimal_comma
        self.cells = [cell.strip() for cell in cells]
        self.separators, self.separator_note = "", ""
        if self.kind == "several":
            self._choose_separators(separator)

    def read(self, text: str) -> Label:
        """The label in a cell; raises `ValueError` with what is wrong with a number."""
        text = text.strip()
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

    def hint(self, what: str) -> str:
        """How to write the label so that it is read as meant."""
        if what == "count":
            other = f"'{self.place}::{self.column}=number'"
            return f"counts are whole numbers from 0 on; for others write {other}"
        other = f"'{self.place}::{self.column}=class'"
        return f"numbers are written 1.5; if these are classes, write {other}"

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
            absent = [cell for cell in present if cell.casefold() in NO_CLASS]
            if absent:
                hint = "leave the cell empty for an image without a label"
                notes += (f"'{absent[0]}' in '{self.column}' is read as a class; {hint}",)
            if present and any(map(_is_fraction, present)) and all(map(_is_number, present)):
                count = len(set(present))
                what = f"the numbers in '{self.column}' are read as {count} classes"
                notes += (f"{what}; for numbers write {say}number'",)
        if self.kind == "number":
            values = {float(cell) for cell in present if _is_number(cell)}
            if values == set(map(float, range(len(values)))) and 2 <= len(values) <= 100:
                top = len(values) - 1
                what = f"'{self.column}' holds 0 to {top} alone and is read as numbers"
                notes += (f"{what}; for classes write {say}class'",)
        return notes

    def _choose_separators(self, word: str) -> None:
        present = [cell for cell in self.cells if cell]
        if word:
            self.separators = SEPARATORS.get(word, word)
        elif present and all(map(LIST.fullmatch, present)):
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
            self.separators = "|;"

    def _split(self, text: str) -> list[str]:
        if not self.separators:
            return _listed(text)
        if self.separators.isspace():
            return text.split()
        for mark in self.separators[1:]:
            text = text.replace(mark, self.separators[0])
        return [part.strip() for part in text.split(self.separators[0])]

    def _number(self, text: str) -> float:
        try:
            value = float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError("number")
        return value


def _listed(text: str) -> list[str]:
    """The labels in a list as JSON, Python, NumPy or PostgreSQL print it, quoted or not."""
    match = LIST.fullmatch(text)
    inner = match[1][1:-1] if match else text
    try:
        values = json.loads(text)
        if isinstance(values, list):
            return [value if isinstance(value, str) else json.dumps(value) for value in values]
    except ValueError:
        pass
    if QUOTED.search(inner):
        found = [single or double for single, double in QUOTED.findall(inner)]
        return [re.sub(r"\\(.)", r"\1", name) for name in found]
    return [part.strip() for part in inner.split("," if "," in inner else None)]


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _is_fraction(cell: str) -> bool:
    return _is_number(cell) and not float(cell).is_integer()
