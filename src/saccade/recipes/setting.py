"""Setting: one value of a recipe, with its description, unit, type and allowed values, as data.

The reference of all settings, the short options of the command line and every check are made from
what `setting(...)` puts into the metadata of a dataclass field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from math import isfinite
from pathlib import PurePath
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from saccade.command import as_text
from saccade.errors import RecipeError, UsageError
from saccade.own import Own, as_own, each, is_own
from saccade.recipes.allowed import ANY, Allowed, NamedInteger
from saccade.recipes.renamed import hint_on_value

Auto = Literal["auto"]  # a value like any other: chosen from the data
LARGEST = 2**63 - 1  # of PyTorch's whole numbers


def _read_text(value: Any, kind: Any) -> str:
    if isinstance(value, str | PurePath):
        return str(value)
    if isinstance(value, Mapping):  # a table of a recipe file: numbers by names
        quoted = [str(name).replace('"', '""') for name in value]
        numbers = [_read_number(number, float) for number in value.values()]
        return " ".join(f'"{name}"={number:g}' for name, number in zip(quoted, numbers))
    raise ValueError


def _read_number(value: Any, kind: Any) -> float:
    """A finite number, from text too."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    if not isfinite(number := float(value)):
        raise ValueError
    return number


def _read_integer(value: Any, kind: Any) -> int:
    """A whole number of up to 64 bits, exactly: 7, 7.0, "7" or "1e3"."""
    number = _read_number(value, kind)
    if not number.is_integer():
        raise ValueError
    exact = value.strip().lstrip("+-").isdecimal() if isinstance(value, str) else True
    integer = int(value) if exact else int(number)
    if abs(integer) > LARGEST:
        raise ValueError
    return integer


def _read_names(value: Any, kind: Any) -> tuple[str, ...]:
    """Names, from text with spaces between them too."""
    names = value.split() if isinstance(value, str) else value
    if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise ValueError


def _read_choice(value: Any, kind: Any) -> Any:
    if isinstance(value, str) and value in get_args(kind):
        return value
    raise ValueError


READERS: Mapping[Any, Callable[[Any, Any], Any]] = {
    str: _read_text,
    float: _read_number,
    int: _read_integer,
    tuple: _read_names,
    Literal: _read_choice,
}
TYPE_NAMES = {
    str: "text",
    float: "a number",
    int: "a whole number",
    tuple: "names with spaces between them",
}


@dataclass(frozen=True)
class Setting:
    """One value of a recipe: what it does, and what it takes."""

    name: str  # in full: optim.lr
    kind: Any  # its type, as annotated
    default: Any
    sentence: str
    unit: str  # pixels, epochs, share; empty for what has none
    allowed: Allowed
    flag: str  # its short name on the command line and in Python; empty for most
    own: str = ""  # what a part of a person's own is here, in Python; empty where there is none
    named: tuple[NamedInteger, ...] = ()  # numbers that have a word

    @property
    def table(self) -> str:
        """The table that it is in: optim."""
        return self.name.partition(".")[0]

    @property
    def field(self) -> str:
        """Its name in that table: lr."""
        return self.name.partition(".")[2]

    @property
    def option(self) -> str:
        """Its option on the command line: --epochs; empty for most."""
        return f"--{self.flag.replace('_', '-')}" if self.flag else ""

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that a value may have, in the order in which they are tried."""
        union = get_origin(self.kind) in (Union, UnionType)
        return get_args(self.kind) if union else (self.kind,)

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that it takes."""
        literals = [kind for kind in self.kinds if get_origin(kind) is Literal]
        return tuple(name for literal in literals for name in get_args(literal))

    @property
    def takes(self) -> str:
        """What it takes, in words."""
        types = [kind for kind in self.kinds if get_origin(kind) is not Literal]
        described = [TYPE_NAMES[get_origin(kind) or kind] for kind in types]
        if described and self.allowed != ANY:
            described[-1] += f" {self.allowed}"
        quoted = [f"'{choice}'" for choice in (*self.choices, *self.named)]
        described += [", ".join(quoted)] if quoted else []
        return ", or ".join([*described, f"in Python {self.own}"] if self.own else described)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        numbers = {int, float}.intersection(self.kinds)
        return {
            "name": self.name,
            "flag": self.option,
            "default": list(self.default) if isinstance(self.default, tuple) else self.default,
            "takes": self.takes,
            "choices": list(self.choices),
            "range": self.allowed.to_dict() if numbers else None,
            "unit": self.unit,
            "sentence": self.sentence,
        }

    def read(self, value: Any) -> Any:
        """`value`, perhaps text from a command line, as its type; raises `RecipeError`."""
        if own := self.read_own(value):
            return own
        for number in self.named:
            if value in (number, number.word):
                return number
        for kind in self.kinds:
            try:
                result = READERS[get_origin(kind) or kind](value, kind)
            except (ValueError, OverflowError):
                continue
            if not isinstance(result, int | float) or result in self.allowed:
                return result
        hint = hint_on_value(self.name, value) or (
            f"it takes {self.takes}; saccade settings {self.name} tells more"
        )
        raise RecipeError(f"{self.name} cannot be '{as_text(value)}'", hint)

    def read_own(self, value: Any) -> Own | tuple[str, ...] | None:
        """A part of a person's own, or names with parts among them; None where there is none."""
        if not self.own:
            return None
        if tuple not in {get_origin(kind) or kind for kind in self.kinds}:
            return as_own(value) if is_own(value) else None
        words = [part.split() if type(part) is str else [part] for part in each(value)]
        flat = [part for several in words for part in several]
        if not any(map(is_own, flat)):
            return None
        return tuple(as_own(part) if is_own(part) else part for part in flat)


def argument(name: str, value: Any, kind: type, allowed: Allowed) -> Any:
    """The value of a verb's argument as `kind`; raises `UsageError` outside of `allowed`."""
    try:
        result = READERS[kind](value, kind)
    except (ValueError, OverflowError):
        result = None
    if result is None or result not in allowed:
        raise UsageError(
            f"{name} cannot be '{as_text(value)}'", f"it takes {TYPE_NAMES[kind]} {allowed}"
        )
    return result


def setting(
    default: Any,
    sentence: str,
    *,
    unit: str = "",
    allowed: Allowed = ANY,
    flag: str = "",
    own: str = "",
    named: tuple[NamedInteger, ...] = (),
) -> Any:
    """A dataclass field of a table of settings, with its description as metadata."""
    metadata: dict[str, Any] = {"sentence": sentence, "unit": unit, "allowed": allowed}
    metadata |= {"flag": flag} | {k: v for k, v in {"own": own, "named": named}.items() if v}
    return dataclasses.field(default=default, metadata=metadata)


@cache
def settings_of(table: type) -> tuple[Setting, ...]:
    """The settings of a table, the dataclass Optim, say, whose names begin with optim."""
    kinds = get_type_hints(table)
    return tuple(
        Setting(f"{table.__name__.lower()}.{f.name}", kinds[f.name], f.default, **f.metadata)
        for f in fields(table)
        if f.metadata
    )


def read_values(table: Any) -> None:
    """Give every field of a frozen `table` its value as its type; raises `RecipeError`."""
    for entry in settings_of(type(table)):
        object.__setattr__(table, entry.field, entry.read(getattr(table, entry.field)))
