"""A recipe with no `auto` left in it, and what it says of its images and its network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from saccade.data.decode import Preprocessing
from saccade.engine.freezing import freeze, unfreeze_from
from saccade.models.variants import Variant
from saccade.recipes.recipe import Recipe


@dataclass(frozen=True)
class Settings:
    """What a training is done with."""

    recipe: Recipe
    origins: Mapping[str, str]  # by full name: default, recipe NAME, file NAME, flag, or auto: why
    notes: tuple[str, ...] = ()


def preprocessing_of(recipe: Recipe) -> Preprocessing:
    """How a resolved recipe wants its images."""
    data = recipe.data
    return Preprocessing(
        size=int(data.size),
        resize=data.resize,
        crop=float(data.crop_pct),
        interpolation=data.interpolation,
        colour=data.colour,
    )


def variant_of(recipe: Recipe) -> Variant:
    """What the recipe changes in its network."""
    model = recipe.model
    return Variant(model.without, model.activation, model.init, model.drop_path)


def freeze_layers(network: nn.Module, recipe: Recipe) -> None:
    """Freeze what the recipe never trains."""
    if recipe.model.freeze != "none" and recipe.train.epochs:
        freeze(network, recipe.model.freeze)
    if recipe.model.unfreeze != "none":
        unfreeze_from(network, recipe.model.unfreeze)
