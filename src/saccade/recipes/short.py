"""Short names of settings: epochs for train.epochs, in Python and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict

from saccade.errors import SaccadeError, UsageError, unknown
from saccade.own import PREFIX, as_own, is_own, own_parts, refuse_missing
from saccade.recipes.foreign import ANSWERS, setting_here
from saccade.recipes.recipe import all_settings, unknown_setting
from saccade.recipes.setting import Setting

RENAMED = {
    "features_only": "it is a recipe: recipe='features'",
    "plan": "it is a verb: saccade.plan(...)",
}


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


def by_full_name(
    with_: Mapping[str, Any] | Sequence[str] | None, short: Mapping[str, Any]
) -> dict[str, Any]:
    """Settings by their full names, from short ones, a mapping, or texts like `optim.lr=0.05`.

    None stands for what is not set.  Raises `SaccadeError` for a name that there is not.
    """
    settings: dict[str, Any] = {}
    for name, value in short.items():
        if name not in short_names():
            raise _unknown_short(name, value)
        if value is not None:
            settings[short_names()[name].name] = value
    settings |= dict(with_) if isinstance(with_, Mapping) else _pairs(with_ or ())
    taken = {name: v for name, v in settings.items() if name in all_settings()}
    parts = own_parts({name: v for name, v in taken.items() if all_settings()[name].own})
    refuse_missing(parts)
    return settings | {name: all_settings()[name].read(v) for name, v in parts.items()}


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals:
            raise UsageError(f"'{name}' sets nothing", "write name=value, such as optim.lr=0.05")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _unknown_short(name: str, value: object) -> SaccadeError:
    if name in RENAMED:
        return UsageError(f"there is no argument '{name}'", RENAMED[name])
    if here := setting_here(name, str(value)):
        known = all_settings()[here.name]
        told = _shown(value if here.value == str(value) else here.value)
        written = f"{known.flag}={told}" if known.flag else f"with_={{'{here.name}': {told}}}"
        return UsageError(f"no setting has the short name '{name}'", f"write it as: {written}")
    if answer := ANSWERS.get(name):
        return UsageError(f"no setting has the short name '{name}'", answer)
    full = [full_name for full_name in all_settings() if full_name.endswith(f".{name}")]
    if len(full) == 1:
        hint = f"write it by its full name: with_={{'{full[0]}': {_shown(value)}}}"
        return UsageError(f"no setting has the short name '{name}'", hint)
    return unknown_setting(name) if full else unknown("setting", name, short_names())


def _shown(value: object) -> str:
    """A value as it is written in Python; a part of a person's own by its name."""
    return as_own(value).removeprefix(PREFIX) if is_own(value) else repr(value)
