"""alexnet2012: AlexNet on photographs.  Krizhevsky 2012, "ImageNet classification with deep
convolutional neural networks", Sections 4 and 5: 18.2 % top-5 error of ImageNet, 90 passes.

Departures: the paper cuts 224 pixels at random out of 256, here the picture of 227 is moved by up
to 14, its edge repeated; one cut is tested, not ten; biases have no decay; the rate drops by itself
after 5 passes without a lower error, where the paper's was lowered by hand.
"""

from __future__ import annotations

from saccade.recipe import Data, Model, Optim, Recipe, Train


def alexnet2012() -> Recipe:
    """Dropout, shifts, flips and casts of light against 60 million parameters' overfitting."""
    return Recipe(
        data=Data(size=227, resize="crop", augment=("pad_crop:14", "flip", "lighting:0.1")),
        model=Model("alexnet_2012"),
        optim=Optim(name="sgd", lr=0.01, weight_decay=5e-4, schedule="plateau", warmup=0),
        train=Train(epochs=90, batch_size=128, precision="float32"),
    )
