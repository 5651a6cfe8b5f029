"""photos: photographs of more than 64 pixels, from scratch."""

from __future__ import annotations

from saccade.recipe import Data, Optim, Recipe, Train


def photos() -> Recipe:
    """A few hundred to a few thousand photographs.

    The 208 to train on of the ants and bees (hymenoptera) come to 69.9 % (62.3 to 76.6, n = 153)
    with ResNet-18 at 128 pixels, 80 pictures a second on two Zen 4 cores: `saccade train
    hymenoptera`.  So few want a network that has learned from others before.
    """
    return Recipe(
        data=Data(augment=("flip", "translate:8", "scale:0.2", "brightness:0.2", "contrast:0.2")),
        optim=Optim(name="adamw", lr=0.002, weight_decay=0.05, schedule="cosine", warmup=0.1),
        train=Train(epochs=30, batch_size=32, label_smoothing=0.1, average=0.99),
    )
