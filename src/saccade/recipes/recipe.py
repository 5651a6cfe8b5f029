"""Recipe: every setting of a training, in one frozen dataclass, to and from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from saccade.engine.stages import Stage, stages
from saccade.errors import RecipeError, SaccadeError, unknown
from saccade.files import atomic_write
from saccade.recipes.data import Data
from saccade.recipes.foreign import setting_for
from saccade.recipes.model import Model
from saccade.recipes.renamed import hint_on_name
from saccade.recipes.setting import Setting, settings_of
from saccade.recipes.toml import TABLE, settings_in, toml
from saccade.recipes.training import Optim, Train

LABELS = ("train.name", "train.note")  # for people: nothing is trained by them


@dataclass(frozen=True)
class Recipe:
    """A whole training in numbers and names; equal recipes on equal data give equal weights."""

    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Model)
    optim: Optim = field(default_factory=Optim)
    train: Train = field(default_factory=Train)

    def __post_init__(self) -> None:
        _refuse_warmup_steps_by_the_clock(self)
        _refuse_stages_by_the_clock(self)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Which rows learn in which epochs."""
        model, epochs = self.model, self.train.epochs
        return stages(model.stages, epochs, fitted=model.head != "random")

    def with_(self, changes: Mapping[str, Any]) -> Recipe:
        """The recipe with other values, as in `recipe.with_({"optim.lr": 0.05})`.

        Text is read as the setting's type, so that values may come from a command line.  Raises
        `RecipeError` for a setting that does not exist or a value that it cannot take.
        """
        tables: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            setting = known_setting(name)
            tables.setdefault(setting.table, {})[setting.field] = value
        return replace(
            self, **{name: replace(getattr(self, name), **new) for name, new in tables.items()}
        )

    def settings(self) -> dict[str, Any]:
        """Every value by its full name, `optim.lr` and so on, in order."""
        return {
            f"{table.name}.{setting.name}": getattr(getattr(self, table.name), setting.name)
            for table in fields(self)
            for setting in fields(getattr(self, table.name))
        }

    def learned_by(self) -> dict[str, Any]:
        """The settings without those that only label a run."""
        return {name: value for name, value in self.settings().items() if name not in LABELS}

    def to_toml(self, origins: Mapping[str, str] | None = None) -> str:
        """The recipe as TOML; where each value came from stands beside it as a comment."""
        lines, current = [], ""
        for name, value in self.settings().items():
            table, _, field_name = name.partition(".")
            if table != current:
                lines += ["", f"[{table}]"] if lines else [f"[{table}]"]
                current = table
            origin = f"  # {origins[name]}" if origins and name in origins else ""
            lines.append(f"{field_name} = {toml(value)}{origin}")
        return "\n".join(lines) + "\n"

    def save(self, path: Path, origins: Mapping[str, str] | None = None) -> None:
        """Write the recipe to `path`, whole or not at all, the table of a network beside it."""
        recipe = self
        if (table := Path(self.model.name)).suffix == TABLE:
            copy = path.with_name(
                table.name if table.name != path.name else f"network-{table.name}"
            )
            if table.absolute() != copy.absolute():
                atomic_write(copy, table.read_bytes())
            recipe = self.with_({"model.name": copy.name})
        atomic_write(path, recipe.to_toml(origins))

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """The recipe in the TOML file at `path`; what it does not name has its default."""
        return cls().with_(checked_settings_in(path))


@cache
def all_settings() -> Mapping[str, Setting]:
    """Every setting by its full name, in the order of a recipe."""
    tables = get_type_hints(Recipe).values()
    return {setting.name: setting for table in tables for setting in settings_of(table)}


def checked_settings_in(path: Path) -> dict[str, Any]:
    """The values that a TOML file states, by full name.

    Raises `RecipeError` with the file and every setting of it that there is not or that cannot be.
    """
    stated, errors = settings_in(path), []
    for name, value in stated.items():
        try:
            known_setting(name).read(value)
        except SaccadeError as error:
            errors.append(error)
    if errors:
        told = "; ".join(error.what for error in errors)
        raise RecipeError(f"'{path}': {told}", "; ".join(error.hint for error in errors))
    return stated


def known_setting(name: str) -> Setting:
    """The setting of this full name; raises `RecipeError` with the nearest ones for another."""
    if name in all_settings():
        return all_settings()[name]
    raise unknown_setting(name)


def unknown_setting(name: str) -> SaccadeError:
    """The error for a name that no setting has: what it is called now, or the nearest names."""
    if same := [full for full in all_settings() if full.partition(".")[2] == name]:
        return RecipeError(f"no setting is called '{name}'", f"did you mean {', '.join(same)}?")
    if hint := hint_on_name(name):
        return RecipeError(f"no setting is called '{name}'", hint)
    if here := setting_for(name.rpartition(".")[2]):
        return RecipeError(f"no setting is called '{name}'", f"did you mean {here.name}?")
    return unknown("setting", name, all_settings(), RecipeError)


def _refuse_warmup_steps_by_the_clock(recipe: Recipe) -> None:
    warmup = recipe.optim.warmup
    if recipe.train.minutes and warmup != "auto" and warmup >= 1:
        raise RecipeError(
            f"optim.warmup cannot be '{warmup:g}' steps where train.minutes is set",
            "write it as a share of the training, such as optim.warmup=0.1",
        )


def _refuse_stages_by_the_clock(recipe: Recipe) -> None:
    counted = len(recipe.stages) > 1 or ":" in "".join(recipe.model.stages)
    if recipe.train.minutes and counted:
        raise RecipeError(
            f"model.stages={' '.join(recipe.model.stages)} does not go with train.minutes: "
            "stages are counted in epochs",
            "set train.epochs alone",
        )
