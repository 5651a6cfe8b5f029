"""Own: a part of a person's own, an object of Python, where the name of a part would stand.

A recipe, a log and a bundle keep its name alone, `own:MyNet`, and never import or run anything by
it: whoever goes on with such a run gives the part again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import Any, TypeVar

from saccade.errors import UsageError

PREFIX = "own:"
PLAIN = (int, float, list, tuple, Mapping, PurePath)  # beside text and None, what settings are
T = TypeVar("T")
Source = Mapping[str, str]  # of a part: its name, form, module, and where known file and digest


class Own(str):
    """The name of a part, with the part itself where it is at hand."""

    part: Any = None

    @classmethod
    def of(cls, part: Any) -> Own:
        """The part under the name of its function or class."""
        own = cls(PREFIX + _origin(part).__qualname__.rpartition(".")[2])
        own.part = part
        return own

    @property
    def written(self) -> str:
        """The part as a call in Python names it; a lambda, which has no name, by a placeholder."""
        name = self.removeprefix(PREFIX)
        return name if name.isidentifier() else "YOUR_LAMBDA"

    def need(self, setting: str) -> Any:
        """The part; raises `UsageError` where there is but its name, as in a recipe file."""
        if self.part is None:
            raise missing_parts({setting: self}, [(setting, self)])
        return self.part

    def function(self, setting: str) -> Callable[..., Any]:
        """The part, to be called; raises `UsageError` for a class, and for what is no function."""
        part, name = self.need(setting), self.written
        if isinstance(part, type):
            hint = f"give an object of it: with_={{'{setting}': {name}()}}"
            raise UsageError(f"{setting}={self} is a class, where a function is needed", hint)
        if not callable(part):
            what = f"{setting}={self} is an object of the type {name}, which cannot be called"
            raise UsageError(what, "give a function, or an object with __call__")
        return part

    def source(self) -> dict[str, str]:
        """The module, the file and the digest of the code that the part was written in.

        Its form is object for a module of PyTorch, which has weights, and callable for all else.
        """
        import hashlib  # here, since few have parts of their own
        import inspect

        from torch import nn

        origin = _origin(self.part)
        form = "object" if isinstance(self.part, nn.Module) else "callable"
        facts = {"name": self, "form": form, "module": origin.__module__}
        try:
            code = inspect.getsource(origin)
            file = Path(inspect.getsourcefile(origin) or "").name
        except (OSError, TypeError):
            return facts
        return facts | {"file": file, "sha256": hashlib.sha256(code.encode()).hexdigest()}


def is_own(value: object) -> bool:
    """Whether a value is a part, or the text that stands for one."""
    if isinstance(value, str):
        return value.startswith(PREFIX)
    return value is not None and not isinstance(value, PLAIN)


def as_own(value: Any) -> Own:
    """A part, or the text that stands for one, as `Own`."""
    if isinstance(value, Own):
        return value
    return Own(value) if isinstance(value, str) else Own.of(value)


def each(value: Any) -> tuple[Any, ...]:
    """The values of a setting that has several, in a list or a tuple, or its one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def own_parts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of settings by full name, as a recipe reads them, those with a part of a person's own."""
    return {k: v for k, v in settings.items() if any(isinstance(part, Own) for part in each(v))}


def refuse_own(parts: Mapping[str, Any], where: str) -> None:
    """Raise `UsageError` for parts of a person's own, which do not reach other processes."""
    for name, value in parts.items():
        text = " ".join(map(str, each(value)))
        raise UsageError(
            f"{name}={text} does not go with {where}, which know settings by their text alone",
            "train in one process, or start your own script with torchrun",
        )


def refuse_missing(settings: Mapping[str, Any], call: str = "") -> None:
    """Raise `UsageError` for parts of which there is but the name, all at once.

    `call` is how Python is given all of them; without it that is said of the settings alone.
    """
    parts = own_parts(settings)
    owns = [(k, part) for k, v in parts.items() for part in each(v) if isinstance(part, Own)]
    missing = [(k, str(part)) for k, part in owns if part.part is None]
    if missing:
        raise missing_parts(parts, missing, call)


def missing_parts(
    parts: Mapping[str, Any], missing: Sequence[tuple[str, str]], call: str = ""
) -> UsageError:
    """The error for parts of a person's own that were to be given: all parts, and those amiss."""
    names = ", ".join(f"{setting}={part}" for setting, part in missing)
    return UsageError(
        f"{names}: parts of a person's own are named in a run or a recipe, and never held there",
        f"give them in Python: {call or f'with_={as_python(parts)}'}",
    )


def as_python(value: object) -> str:
    """A value as Python writes it, parts of a person's own by their name."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {as_python(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(as_python, value)) + "]"
    if is_own(value):
        return as_own(value).written
    return repr(value if isinstance(value, int | float) else str(value))


def own_sources(parts: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """By setting, the sources of its parts."""
    return {
        setting: [part.source() for part in each(value) if isinstance(part, Own)]
        for setting, value in parts.items()
    }


def changed_code(
    before: Mapping[str, Sequence[Source]], now: Mapping[str, Sequence[Source]]
) -> list[tuple[str, Source]]:
    """Of two results of `own_sources`, the settings and parts whose code has another digest now."""
    return [
        (setting, part)
        for setting, parts in now.items()
        for was, part in zip(before.get(setting, ()), parts, strict=False)
        if {"sha256"} <= was.keys() & part.keys() and was["sha256"] != part["sha256"]
    ]


def code_notes(known: Sequence[Mapping[str, Sequence[Source]] | None], now: Any) -> list[str]:
    """Notes on parts with other code than in the last of `known`, of the log of a run."""
    last = next(filter(None, reversed(known)), {})
    return [
        f"the code of {setting}={part['name']} is not the one that the run was trained with: from "
        "here on it is no longer a run of one code"
        for setting, part in changed_code(last, now)
    ]


def checked(setting: str, own: Own, result: Any, kind: type[T], what: str) -> T:
    """What a part of a person's own gave; raises `UsageError` unless it is a `kind`."""
    if not isinstance(result, kind):
        raise UsageError(
            f"{setting}={own} gives a value of the type {type(result).__name__}", f"it is to {what}"
        )
    return result


def _origin(part: Any) -> Callable[..., Any]:
    """The function or class that a part is, or is an object of."""
    if isinstance(part, partial):
        return _origin(part.func)
    return part if hasattr(part, "__qualname__") else type(part)
