"""Short names of settings: epochs for train.epochs, in Python and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict

from saccade.errors import UsageError, unknown
from saccade.own import refuse_missing
from saccade.recipes.recipe import all_settings
from saccade.recipes.setting import Setting


class ShortSettings(TypedDict, total=False):
    """The settings with a short name, as Python's verbs take them; a test holds them to `flag`."""

    split_column: str
    val_folder: str
    test_folder: str
    folds: int
    fold: str
    size: int | Literal["auto"]
    model: str | Callable[..., Any]
    weights: str | Path
    freeze: str
    unfreeze: str
    stages: str | Sequence[str]
    epochs: int
    minutes: float
    seed: int
    name: str
    note: str


@cache
def short_names() -> Mapping[str, Setting]:
    """The settings with a short name, by it."""
    return {setting.flag: setting for setting in all_settings().values() if setting.flag}


def settings_called(name: str) -> list[str]:
    """The full names of the settings that `name` is, or the last name, of: optim.lr for lr."""
    return [s.name for s in all_settings().values() if name in (s.field, s.name)]


def by_full_name(
    with_: Mapping[str, Any] | Sequence[str] | None, short: Mapping[str, Any]
) -> dict[str, Any]:
    """Settings by their full names, from short ones, a mapping, or texts like `optim.lr=0.05`.

    None stands for what is not set.  Raises `SaccadeError` for a name that there is not.
    """
    settings: dict[str, Any] = {}
    for name, value in short.items():
        if name not in short_names():
            raise unknown("setting", name, short_names())
        if value is not None:
            settings[short_names()[name].name] = value
    settings |= _full(with_) if isinstance(with_, Mapping) else _pairs(with_ or ())
    known = {name: all_settings()[name] for name in settings if name in all_settings()}
    parts = {name: own for name, s in known.items() if (own := s.read_own(settings[name]))}
    refuse_missing(parts)
    return settings | parts


def _full(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their full names; raises `UsageError` for tables of them."""
    for table, values in settings.items():
        if isinstance(values, Mapping) and any(n.startswith(f"{table}.") for n in all_settings()):
            full = {f"{table}.{name}": value for name, value in values.items()}
            what = f"with_ has the table '{table}' where the full name of a setting is needed"
            raise UsageError(what, f"write with_={full!r}")
    return dict(settings)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    several = isinstance(texts, Sequence) and not isinstance(texts, str)
    if not several or not all(isinstance(text, str) for text in texts):
        what = f"with_ cannot be a value of the type {type(texts).__name__}"
        raise UsageError(what, "write with_={'optim.lr': 0.05}")
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals:
            raise UsageError(f"'{name}' sets nothing", "write name=value, such as optim.lr=0.05")
    return {name.strip(): value.strip() for name, _, value in pairs}
