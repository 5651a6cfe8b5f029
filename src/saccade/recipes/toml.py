"""Recipes as TOML: reading the values of a file, and writing a value."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saccade.errors import RecipeError
from saccade.files import read_utf8
from saccade.recipes.allowed import NamedInteger

TABLE = ".toml"  # the end of the name of a network that is a file with its table


def settings_in(path: Path) -> dict[str, Any]:
    """The values that a TOML file states, by full name; raises `RecipeError` for no such file.

    The table of a network is looked for beside the file.
    """
    tables = read_toml(path, "recipe", "setting", "[optim]")
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            hint = "write it below [optim], say"
            raise RecipeError(f"'{path}' has '{name}' outside of a table", hint)
    stated = {f"{name}.{k}": value for name, table in tables.items() for k, value in table.items()}
    network = stated.get("model.name")
    if isinstance(network, str) and network.endswith(TABLE):
        stated["model.name"] = str(path.parent / network)
    return stated


def read_toml(path: Path, kind: str, key: str, table: str) -> dict[str, Any]:
    """The keys of a TOML file; raises `RecipeError`, whose words are of a recipe or a study.

    `kind` is what the file should be, `key` what its lines set, and `table` one of its tables.
    """
    try:
        return tomllib.loads(read_utf8(path).replace("\r\n", "\n"))
    except OSError as error:
        plural = {"recipe": "recipes", "study": "studies"}[kind]
        hint = f"name a file that is there, or a {kind} that saccade {plural} lists"
        raise RecipeError(f"the {kind} '{path}' cannot be read: {error.strerror}", hint) from error
    except UnicodeDecodeError as error:
        what = f"the {kind} '{path}' is not UTF-8: byte {error.start}"
        raise RecipeError(what, "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"'{path}' is no TOML: {error}", f"each line reads: {key} = value"
        ) from error
    except RecursionError:
        hint = f"a {kind} has tables such as {table}"
        raise RecipeError(f"'{path}' is nested too deeply", hint) from None


def toml(value: Any) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, tuple):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    if isinstance(value, NamedInteger):
        value = value.word
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
