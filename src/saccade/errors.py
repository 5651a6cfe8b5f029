"""Errors that a person can cause: one class for each exit code of the command."""

from __future__ import annotations

import difflib
import signal as signals
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

EXIT_CODES: Mapping[int, str] = {  # the table of docs/guide.md is made from this one
    0: "done",
    1: "a bug of ours",
    2: "a name or value that does not exist",
    3: "data that cannot be used, nothing done",
    4: "done, some images could not be read",
    5: "no space, memory or device",
    6: "the loss was no longer a number",
    7: "weights that are not here, or were refused",
    8: "what has to be fetched cannot be: no internet, or not allowed",
    128 + signals.SIGINT: "stopped by Ctrl-C; what was done is kept",
    128 + signals.SIGTERM: "ended by a signal; what was done is kept",
}


def exit_code_table() -> str:
    """The exit codes as a table in Markdown."""
    rows = (f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return "\n".join(("| code | is |", "|---|---|", *rows))


class SaccadeError(Exception):
    """States what is wrong, where, and what was found; `hint` says what to do about it."""

    exit_code = 2

    def __init__(self, what: str, hint: str = ""):
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\nhint: {self.hint}" if self.hint else self.what

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints of it, under "error"."""
        return {"message": self.what, "hint": self.hint, "exit_code": self.exit_code}


class UsageError(SaccadeError):
    """A name, a value or a combination of arguments that does not exist."""


class RecipeError(SaccadeError):
    """A setting that does not exist, or a value that it cannot take."""


class DataError(SaccadeError):
    """Data that cannot be used; nothing has been done."""

    exit_code = 3


class ResourceError(SaccadeError):
    """Disk, memory, port or device that is not available."""

    exit_code = 5


class UnwrittenError(SaccadeError):
    """A finished run whose model card or report could not be written; all else is there."""

    exit_code = 4


class DivergedError(SaccadeError):
    """A loss that is no longer a finite number."""

    exit_code = 6


class WeightsError(SaccadeError):
    """Weights, or a bundle, that are not here, are damaged or belong to something else."""

    exit_code = 7


class NetworkError(SaccadeError):
    """What has to be fetched and cannot be: no internet, nothing there, or not allowed."""

    exit_code = 8


class Stopped(SaccadeError):
    """Work ended by a signal with everything needed to go on saved."""

    def __init__(self, what: str, hint: str = "", *, signal: int = 2):
        super().__init__(what, hint)
        self.exit_code = 128 + signal


def unknown(
    kind: str, name: str, known: Iterable[str], error: type[SaccadeError] = UsageError
) -> SaccadeError:
    """The error for a name that nothing is called, with the nearest known names as its hint."""
    names = sorted(set(known))
    by_case = {known_name.casefold(): known_name for known_name in names}
    near = difflib.get_close_matches(name.casefold(), by_case, n=3, cutoff=0.5)
    if matches := [by_case[match] for match in near]:
        hint = f"did you mean {', '.join(matches)}?"
    else:
        shown = ", ".join(names[:8])
        hint = f"known are {shown}" + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return error(f"no {kind} is called '{name}'", hint)


SHOWN = 3  # names that a message about a pattern shows


def without_effect(
    setting: str, why: str, made: Iterable[tuple[str, str | None]], hint: str
) -> SaccadeError:
    """The error for a pattern, column or list that does nothing, with what it made of three names.

    `made` pairs the names of what there is with what `setting`, as it was written, made of each.
    """
    shown = ", ".join(
        f"of '{name}' " + ("nothing" if result is None else f"'{result}'")
        for name, result in islice(made, SHOWN)
    )
    return UsageError(f"{setting} {why}: it makes {shown}", hint)
