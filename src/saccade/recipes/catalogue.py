"""Every recipe by name."""

from __future__ import annotations

from collections.abc import Callable

from saccade.recipe import Recipe
from saccade.recipes.photos import photos
from saccade.recipes.small import small

RECIPES: dict[str, Callable[[], Recipe]] = {
    "small": small,
    "photos": photos,
}
