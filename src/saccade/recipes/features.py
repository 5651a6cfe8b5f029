"""features: few photographs, in seconds: nothing is trained but a last layer, in closed form."""

from __future__ import annotations

from saccade.recipe import Model, Recipe, Train


def features() -> Recipe:
    """A pretrained network as it is, and the last layer fitted to what it makes of each picture."""
    return Recipe(
        model=Model(weights="auto", head="auto", freeze="features"),
        train=Train(epochs=0),
    )
