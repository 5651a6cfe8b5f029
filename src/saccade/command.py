"""Command: a command line of `saccade` as data, to show and to run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from saccade.own import as_python

RENAMED: Mapping[tuple[str, str], tuple[str, ...]] = {  # verb and option: what they are called now
    ("find-rate", ""): ("lr-find",),
    ("suspects", ""): ("label-issues",),
    ("train", "--plan"): ("plan",),
    ("train", "--features-only"): ("train", "--recipe", "features"),
    ("train", "--restarts"): ("train", "--max-restarts"),
    ("resume", "--restarts"): ("resume", "--max-restarts"),
    ("doctor", "--apply"): ("doctor", "--cleaned"),
    ("label-issues", "--apply"): ("label-issues", "--cleaned"),
    ("suspects", "--apply"): ("label-issues", "--cleaned"),
    ("evaluate", "--views"): ("evaluate", "--tta"),
    ("evaluate", "--precision"): ("tune-threshold", "--precision"),
    ("evaluate", "--coverage"): ("tune-threshold", "--coverage"),
    ("evaluate", "--keep"): ("tune-threshold", "--save"),
    ("show", "--all"): ("show", "--expand"),
    ("show", "--batch"): ("show", "--batch-size"),
    ("show", "--field"): ("show", "--receptive-field"),
    ("study", "--at-once"): ("study", "--jobs"),
}


@dataclass(frozen=True)
class Command:
    """The arguments of `saccade`; as text the whole line, quoted for a shell."""

    arguments: tuple[str, ...]

    @classmethod
    def of(cls, verb: str, *arguments: object, **options: object) -> Command:
        """A verb with arguments and options, without those that are None, False, "" or ().

        True is an option alone; of a sequence each one is an option, of a mapping each name=value.
        """
        argv = [verb, *(str(argument) for argument in arguments if argument is not None)]
        for name, value in options.items():
            argv += _option(f"--{name.strip('_').replace('_', '-')}", value)
        return cls(tuple(argv))

    def __str__(self) -> str:
        return shlex.join(("saccade", *self.arguments))


def python_call(verb: str, *arguments: object, **options: object) -> str:
    """The call of a verb in Python, without options that are None or empty."""
    shown = [as_python(argument) for argument in arguments if argument is not None]
    shown += [f"{name}={as_python(value)}" for name, value in options.items() if value]
    return f"saccade.{verb}({', '.join(shown)})"


def as_text(value: object) -> str:
    """A value as a command line takes it: of several, words with spaces between them."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def renamed(arguments: Sequence[str]) -> Command | None:
    """A command line of an earlier version by today's names; None where nothing was renamed."""
    if not arguments:
        return None
    old_verb, *old_rest = arguments
    verb, rest = RENAMED.get((old_verb, ""), (old_verb,))[0], []
    for argument in old_rest:
        new = RENAMED.get((old_verb, argument), ("", argument))
        verb, rest = new[0] or verb, [*rest, *new[1:]]
    return Command((verb, *rest)) if [verb, *rest] != list(arguments) else None


def _option(name: str, value: object) -> Iterator[str]:
    if value is True:
        yield name
    elif isinstance(value, Mapping):
        for key, element in value.items():
            yield from (name, f"{key}={as_text(element)}")
    elif isinstance(value, list | tuple):
        for element in value:
            yield from (name, str(element))
    elif value not in (None, False, ""):
        yield from (name, str(value))
