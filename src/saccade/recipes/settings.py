"""Resolved settings: a recipe without `auto`; its preprocessing, variant and frozen layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from saccade.data.decode import Preprocessing
from saccade.data.window import EACH_IMAGE, TYPE, ends, is_ends, of_ends
from saccade.engine.freezing import freeze, unfreeze_from
from saccade.models.variants import Variant
from saccade.recipes.recipe import Recipe


@dataclass(frozen=True)
class Settings:
    """A resolved recipe, with the origin of each value."""

    recipe: Recipe
    origins: Mapping[str, str]  # by full name: default, recipe NAME, file NAME, flag, or auto: why
    notes: tuple[str, ...] = ()


def preprocessing_of(recipe: Recipe) -> Preprocessing:
    """The preprocessing of a resolved recipe."""
    data = recipe.data
    return Preprocessing(
        size=int(data.size),
        resize=data.resize,
        crop=float(data.crop_pct),
        interpolation=data.interpolation,
        colour=data.colour,
        window=_window_of(data.window),
    )


def _window_of(setting: str) -> str:
    """The window of a resolved data.window; that of a run before there were any is each image's."""
    if is_ends(setting):
        return of_ends(*ends(setting))
    return TYPE if setting == TYPE else EACH_IMAGE


def variant_of(recipe: Recipe) -> Variant:
    """The changes that a recipe makes to its network."""
    model = recipe.model
    return Variant(model.without, model.activation, model.init, model.drop_path)


def freeze_layers(network: nn.Module, recipe: Recipe) -> None:
    """Freeze the layers that the recipe never trains."""
    if recipe.model.freeze != "none" and recipe.train.epochs:
        freeze(network, recipe.model.freeze)
    if recipe.model.unfreeze != "none":
        unfreeze_from(network, recipe.model.unfreeze)
