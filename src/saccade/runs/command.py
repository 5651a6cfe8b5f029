"""The command lines that do again what was done."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def train_command(
    data: str | Path | None, recipe: str | Path | None, settings: Mapping[str, Any]
) -> str:
    """That of a training."""
    words = ["saccade", "train", *([str(data)] if data is not None else [])]
    words += ["--recipe", str(recipe)] if recipe is not None else []
    return shlex.join([*words, *_with(settings)])


def words_of(command: str, *, track: Sequence[str], out: str | Path | None) -> list[str]:
    """The arguments of a training's command, with those that leave it the same training."""
    words = shlex.split(command)[1:]
    for name in track:
        words += ["--track", name]
    return words + (["--out", str(out)] if out is not None else [])


def study_command(
    name: str | Path,
    data: str | Path | None,
    settings: Mapping[str, Any],
    seeds: int | None,
    out: Path | None,
) -> str:
    """That of a study."""
    words = ["saccade", "study", str(name), *([str(data)] if data is not None else [])]
    words += ["--seeds", str(seeds)] if seeds is not None else []
    words += _with(settings)
    return shlex.join([*words, *(["--out", str(out)] if out is not None else [])])


def evaluate_command(
    run: str | Path, data: str | Path | None, options: Mapping[str, object]
) -> str:
    """That of an evaluation, with those of `options` that say something."""
    words = ["saccade", "evaluate", str(run), *([str(data)] if data is not None else [])]
    for name, value in options.items():
        if value is True:
            words.append(f"--{name}")
        elif value not in (None, False, ""):
            words += [f"--{name}", str(value)]
    return shlex.join(words)


def _with(settings: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in settings.items():
        words += [
            "--with",
            f"{name}={' '.join(value) if isinstance(value, list | tuple) else value}",
        ]
    return words
