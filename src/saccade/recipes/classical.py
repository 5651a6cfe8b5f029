"""classical: no network and no descent; descriptors, statistics, and a linear machine."""

from __future__ import annotations

from saccade.recipe import Model, Recipe, Train


def classical() -> Recipe:
    """Fisher vectors of SIFT and colour, each row fitted in one go, in minutes on a processor."""
    return Recipe(model=Model(name="fisher"), train=Train(epochs=0))
