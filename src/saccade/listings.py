"""What there is to choose from, as lists for people and programs."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.errors import unknown
from saccade.frame import data_frame
from saccade.models.catalogue import CLASSICAL_MODELS, NETWORKS, Shape
from saccade.recipes.recipe import Recipe
from saccade.recipes.shipped import RECIPES, unknown_recipe
from saccade.words import aligned, html_table

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class NetworkEntry:
    """A network of the catalogue."""

    name: str
    paper: str
    input: Shape


@dataclass(frozen=True, repr=False)
class Models:
    """Networks in order of year, the classical recipes behind them."""

    entries: tuple[NetworkEntry, ...]

    def to_dict(self) -> dict[str, Any]:
        """What `saccade models --json` prints."""
        return {"models": [asdict(entry) for entry in self.entries]}

    def to_frame(self) -> DataFrame:
        """A row per network: name, paper, and channels, height and width of its input."""
        rows = [(entry.name, entry.paper, *entry.input) for entry in self.entries]
        return data_frame(rows, ["name", "paper", "channels", "height", "width"])

    def __str__(self) -> str:
        width = max(len(entry.name) for entry in self.entries) + 2
        lines = []
        for paper, group in groupby(self.entries, key=lambda entry: entry.paper):
            lines += ["", paper] if lines else [paper]
            lines += [f"  {entry.name:<{width}}{_shape(entry.input)}" for entry in group]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Models({len(self.entries)}: {', '.join(e.name for e in self.entries[:5])}, ...)"

    def _repr_html_(self) -> str:
        return html_table(("network", "paper"), [(e.name, e.paper) for e in self.entries])


def list_models(pattern: str) -> Models:
    """The networks whose name is like `pattern`; raises `UsageError` if there is none."""
    catalogue = NETWORKS | CLASSICAL_MODELS
    names = [name for name in catalogue if fnmatchcase(name, pattern)]
    if not names:
        raise unknown("model", pattern, catalogue)
    rows = ((name, catalogue[name]) for name in names)
    return Models(tuple(NetworkEntry(name, str(entry.paper), entry.input) for name, entry in rows))


@dataclass(frozen=True, repr=False)
class NamedRecipe:
    """A recipe with its name and what is said of it."""

    name: str
    description: str
    recipe: Recipe

    def to_dict(self) -> dict[str, Any]:
        """What `saccade recipe --json` prints."""
        return {
            "name": self.name,
            "description": self.description,
            "settings": self.recipe.settings(),
        }

    def __str__(self) -> str:
        comment = "".join(f"# {line}".rstrip() + "\n" for line in self.description.splitlines())
        return f"{comment}\n{self.recipe.to_toml()}".rstrip()

    def __repr__(self) -> str:
        return f"NamedRecipe({self.name})"

    def _repr_html_(self) -> str:
        rows = [(name, str(value)) for name, value in self.recipe.settings().items()]
        return html_table((self.name, ""), rows)


@dataclass(frozen=True, repr=False)
class Recipes:
    """All named recipes."""

    entries: tuple[NamedRecipe, ...]

    def to_dict(self) -> dict[str, Any]:
        """What `saccade recipes --json` prints."""
        return {"recipes": [entry.to_dict() for entry in self.entries]}

    def rows(self) -> list[tuple[str, str]]:
        """Names with the first line of their description."""
        return [(entry.name, entry.description.splitlines()[0]) for entry in self.entries]

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"Recipes({', '.join(entry.name for entry in self.entries)})"

    def _repr_html_(self) -> str:
        return html_table(("recipe", ""), self.rows())


def list_recipes() -> Recipes:
    """Every recipe of the catalogue."""
    return Recipes(tuple(named_recipe(name) for name in RECIPES))


def named_recipe(name: str) -> NamedRecipe:
    """The recipe `name`, or that of a TOML file; raises `UsageError` if there is none."""
    if name not in RECIPES and name.lower().endswith(".toml"):
        said = f"The recipe of {name}, with every setting."
        return NamedRecipe(name, said, Recipe.load(Path(name)))
    if name not in RECIPES:
        raise unknown_recipe(name)
    return NamedRecipe(name, inspect.getdoc(RECIPES[name]) or "", RECIPES[name]())


def _shape(shape: Shape) -> str:
    return " x ".join(map(str, shape))
