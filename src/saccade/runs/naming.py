"""Names of runs: of their folders below runs, as a person gives them and asks for them."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from saccade.errors import RecipeError

RUNS = Path("runs")  # the folder of what is trained without --out
MADE = "a run is a folder made by saccade train"  # a hint
MOST_COMPARED = 2000  # names beside one that is not there
LONGEST_NAME = 80  # characters


def named_run(given: str | Path) -> Path | None:
    """The run below runs that a person calls by its name alone; None where there is none.

    What lies at the path itself comes first.
    """
    path, there = Path(given), RUNS / given
    try:
        is_named = not path.exists() and ".." not in path.parts
        return there if is_named and (there / "recipe.toml").is_file() else None
    except (OSError, ValueError):  # a name that no disk can hold
        return None


def near_runs(given: str | Path) -> str:
    """A question after runs whose names are like the one that is not there; else empty."""
    path, beside = Path(given), dict[str, str]()
    for folder in dict.fromkeys((RUNS, path.parent)):
        with suppress(OSError, ValueError):
            found = islice(folder.iterdir(), MOST_COMPARED)
            beside |= {
                str(inner if len(path.parts) > 1 else inner.name): str(inner) for inner in found
            }
    near = get_close_matches(str(path), beside, n=3, cutoff=0.7)
    return f"did you mean {', '.join(beside[name] for name in near)}? " if near else ""


def folder_name(name: str) -> str:
    """`name` as a folder is called: with - for what is neither letter, digit, _, . nor -."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-")[:LONGEST_NAME] or "run"


def refuse_invalid_name(name: str) -> None:
    """Raise `RecipeError` for a name that a folder below runs cannot have."""
    if {"/", "\\"} & {*name}:
        hint = f"a name is no path; for a folder elsewhere: --out {shlex.quote(name)}"
        raise RecipeError(f"train.name cannot be '{name}'", hint)
    if name and not re.search(r"\w", name):
        raise RecipeError(f"train.name cannot be '{name}'", "it takes a letter or a digit at least")
    if len(name) > LONGEST_NAME:
        what = f"train.name has {len(name)} characters"
        raise RecipeError(what, f"it takes at most {LONGEST_NAME}; --note has room for more")


def name_note(folder: Path, name: str) -> str:
    """Why the folder of a run has not the `name` that a person gave it; empty where it has."""
    wanted = RUNS / folder_name(name)
    if folder != wanted:
        return f"'{wanted}' is taken: this run is {folder}"
    return "" if wanted.name == name else f"a folder is not called '{name}': this run is {folder}"
