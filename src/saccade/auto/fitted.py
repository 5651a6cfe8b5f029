"""The settings that fitted models and parts of a person's own ignore; fitted models compared.

A fitted model has a closed form or a solver, so no setting of gradient descent matters to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saccade.auto.choose import FEW
from saccade.auto.summary import DatasetSummary
from saccade.auto.weights import SMALL
from saccade.errors import RecipeError
from saccade.models.catalogue import CLASSICAL_MODELS
from saccade.own import Own
from saccade.recipes.recipe import Recipe
from saccade.tasks.task import Capability

USED_SETTINGS = ("model.name", "train.seed", "train.device", "train.threads")
UNUSED_DATA_SETTINGS = (
    "data.augment",
    "data.progressive_resizing",
    "data.sampling",
    "data.augmented_copies",
)


def is_fitted(recipe: Recipe) -> bool:
    """Whether nothing of the recipe's network is learned by gradient descent."""
    return recipe.model.name in CLASSICAL_MODELS


def without_training(recipe: Recipe, flags: Mapping[str, Any], origins: dict[str, str]) -> Recipe:
    """The recipe without epochs; `origins` says of every setting that does nothing that it does so.

    Raises `RecipeError` where such a setting is among the `flags`.
    """
    name, why = recipe.model.name, f"no use: {recipe.model.name} is fitted in one go"
    defaults = Recipe().settings() | {"train.epochs": 0, "train.precision": "float32"}
    unused = [setting for setting in defaults if is_unused(setting)]
    for setting in unused:
        if setting in flags and recipe.settings()[setting] != defaults[setting]:
            raise RecipeError(
                f"{setting} does nothing for {name}, whose layers are fitted in one go",
                "leave it out",
            )
    origins.update(dict.fromkeys(unused, why))
    return recipe.with_({setting: defaults[setting] for setting in unused})


BESIDE_OWN: Mapping[str, Mapping[str, Any]] = {  # what does nothing beside a part of one's own,
    "optim.name": {"optim.momentum": None},  # and the value that asks for nothing, if there is one
    "train.loss": {"train.label_smoothing": 0.0, "train.class_weights": "none"},
}


def without_use_beside_own(
    recipe: Recipe, flags: Mapping[str, Any], origins: dict[str, str]
) -> Recipe:
    """The recipe with the defaults of settings that a part of a person's own makes no use of.

    `origins` says so of each.  Raises `RecipeError` where such a setting is among the `flags`.
    """
    values, defaults = recipe.settings(), Recipe().settings()
    for own, unused in BESIDE_OWN.items():
        for setting, nothing in unused.items() if isinstance(values[own], Own) else ():
            if setting in flags and values[setting] != nothing:
                what = f"{setting} does nothing beside {own}={values[own]}"
                raise RecipeError(what, f"leave it out, or set it in {values[own]}")
            recipe = recipe.with_({setting: defaults[setting]})
            origins[setting] = f"no use: beside {values[own]}"
    return recipe


BY_THE_WAY = ("model.name", "train.minutes")  # told of a comparison, and kept to by a fit
COMPARED = ("fisher", "hog")  # beside the networks at hand; the more accurate in most sets first


def compared_recipes(
    recipe: object, flags: Mapping[str, Any], summary: DatasetSummary
) -> tuple[str, ...]:
    """The classical models to compare networks with: for classes of photographs.

    None where a recipe is named, or a flag asks for something that only a training does.
    """
    asked = [name for name in flags if is_unused(name) and name not in BY_THE_WAY]
    photographs = summary.short_side > SMALL and summary.count <= FEW
    possible = Capability.SUPPORT_VECTORS in summary.task.capabilities and photographs
    return COMPARED if possible and recipe is None and not asked else ()


def chosen_recipe(
    recipe: str | Path | None, flags: Mapping[str, Any], name: str
) -> tuple[str | Path | None, Mapping[str, Any]]:
    """Recipe and flags for the model that a comparison chose: those of a fit where it is fitted."""
    if name not in COMPARED:
        return recipe, flags
    kept = {key: value for key, value in flags.items() if key not in BY_THE_WAY}
    return "classical", {**kept, "model.name": name}


def is_unused(setting: str) -> bool:
    """Whether a setting, by its full name, is of the optimizer or of what it begins from."""
    table = setting.split(".")[0]
    return setting in UNUSED_DATA_SETTINGS or (
        table in ("model", "optim", "train") and setting not in USED_SETTINGS
    )
