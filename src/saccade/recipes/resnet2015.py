"""resnet2015, cifar_resnet2015: residual networks.  He 2015, "Deep residual learning for image
recognition", Sections 3.4 and 4.2.

Departures: ImageNet's pictures are moved by up to 16 pixels, their edge repeated, where the paper
cuts 224 pixels out of sizes from 256 to 480; norms and biases have no decay; ImageNet's rate drops
by itself after 5 passes without a lower error.
"""

from __future__ import annotations

from saccade.recipe import Data, Model, Optim, Recipe, Train


def resnet2015() -> Recipe:
    """Section 3.4: 6.7 % top-5 error of ImageNet with 50 layers, ten cuts a picture (Table 3)."""
    return Recipe(
        data=Data(size=224, resize="crop", augment=("pad_crop:16", "flip", "lighting:0.1")),
        model=Model("resnet50"),
        optim=Optim(name="sgd", lr=0.1, weight_decay=1e-4, schedule="plateau", warmup=0),
        train=Train(epochs=120, batch_size=256, precision="float32"),
    )


def cifar_resnet2015() -> Recipe:
    """Section 4.2: 8.75 % error of CIFAR-10 with 20 layers (Table 6), 64,000 steps."""
    return Recipe(
        data=Data(size=32, augment=("pad_crop:4,border=zeros", "flip")),
        model=Model("cifar_resnet20"),
        optim=Optim(name="sgd", lr=0.1, weight_decay=1e-4, schedule="steps", warmup=0),
        train=Train(epochs=182, batch_size=128, precision="float32"),
    )
