"""Settings as text: read as the types that they have, written as TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from saccade.errors import RecipeError


def settings_in(path: Path) -> dict[str, Any]:
    """The values that a TOML file states, by full name."""
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"{path} is no TOML: {error}", "each line reads: setting = value"
        ) from error
    loose = [name for name, table in tables.items() if not isinstance(table, dict)]
    if loose:
        raise RecipeError(
            f"{path} has '{loose[0]}' outside of a table", "write it below [optim], say"
        )
    return {
        f"{part}.{name}": value for part, table in tables.items() for name, value in table.items()
    }


def read(name: str, value: Any, kind: Any) -> Any:
    """`value`, perhaps text from a command line, as a value of `kind`; raises `RecipeError`."""
    for option in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
        if get_origin(option) is Literal and value in get_args(option):
            return value
        if get_origin(option) is tuple and not isinstance(value, Mapping):
            listed = value.split() if isinstance(value, str) else value
            if isinstance(listed, list | tuple) and all(isinstance(v, str) for v in listed):
                return tuple(listed)
        if option is str and isinstance(value, str):
            return value
        if (
            option in (int, float)
            and isinstance(value, str | int | float)
            and not isinstance(value, bool)
        ):
            try:
                number = float(value)
            except ValueError:
                continue
            if option is float or number.is_integer():
                return option(number)
    raise RecipeError(f"{name} cannot be '{value}'", f"it takes {_words(kind)}")


def _words(kind: Any) -> str:
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_words(option) for option in get_args(kind))
    if get_origin(kind) is Literal:
        return ", ".join(repr(value) for value in get_args(kind))
    if get_origin(kind) is tuple:
        return "names with spaces between them"
    return {int: "a whole number", float: "a number", str: "a name"}[kind]


def toml(value: Any) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, tuple):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
