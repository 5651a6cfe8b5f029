"""speed: pictures of up to 64 pixels, from scratch, in few passes."""

from __future__ import annotations

from saccade.recipe import Data, Optim, Recipe, Train


def speed() -> Recipe:
    """The fewest seconds to a good score: Muon, large steps that go straight to zero."""
    return Recipe(
        data=Data(augment=("translate:2",)),
        optim=Optim(name="muon", lr=0.005, schedule="linear", warmup=0.1),
        train=Train(epochs=3, batch_size=128),
    )
