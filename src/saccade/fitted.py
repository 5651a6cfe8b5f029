"""Fitted: networks whose rows are fitted in one go, and the settings that they have no use for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saccade.classical.catalogue import CLASSICAL
from saccade.errors import RecipeError
from saccade.recipe import Recipe

USED = ("model.name", "train.seed", "train.device", "train.threads")
IDLE = ("data.augment", "data.grow", "data.sampling", "data.views")


def is_fitted(recipe: Recipe) -> bool:
    """Whether nothing of the recipe's network is learned by descent."""
    return recipe.model.name in CLASSICAL


def without_descent(recipe: Recipe, flags: Mapping[str, Any], origins: dict[str, str]) -> Recipe:
    """The recipe without epochs; `origins` says of every setting that does nothing that it does so.

    Raises `RecipeError` where such a setting is among the `flags`.
    """
    name, why = recipe.model.name, f"no use: {recipe.model.name} is fitted in one go"
    settled = Recipe().settings() | {"train.epochs": 0, "train.precision": "float32"}
    unused = [setting for setting in settled if does_nothing(setting)]
    for setting in unused:
        if setting in flags and recipe.settings()[setting] != settled[setting]:
            raise RecipeError(
                f"{setting} does nothing for {name}, whose rows are fitted in one go",
                "leave it out",
            )
    origins.update(dict.fromkeys(unused, why))
    return recipe.with_({setting: settled[setting] for setting in unused})


def does_nothing(setting: str) -> bool:
    """Whether a setting, by its full name, is of descent or of what descent begins from."""
    part = setting.split(".")[0]
    return setting in IDLE or (part in ("model", "optim", "train") and setting not in USED)
