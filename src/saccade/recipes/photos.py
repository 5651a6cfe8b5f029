"""photos: photographs, from scratch, at a size that a laptop trains in minutes."""

from __future__ import annotations

from saccade.recipe import Data, Optim, Recipe, Train


def photos() -> Recipe:
    """A few hundred to a few thousand photographs."""
    return Recipe(
        data=Data(size=128, augment=("flip",)),
        optim=Optim(name="adamw", lr=0.002, weight_decay=0.05, schedule="cosine", warmup=0.1),
        train=Train(epochs=30, batch_size=32, label_smoothing=0.1, average=0.99),
    )
