"""vgg2014: VGG on photographs.  Simonyan 2014, "Very deep convolutional networks for large-scale
image recognition", Section 3.1: 8.8 % top-5 error of ImageNet with configuration D, 74 passes.

Departures: the paper cuts 224 pixels at random out of 256, here the picture of 224 is moved by up
to 16, its edge repeated; the first weights are He 2015's, where the paper grows deep networks out
of shallow ones; biases have no decay; the rate drops by itself after 5 passes without a lower
error, where the paper's was lowered by hand.
"""

from __future__ import annotations

from saccade.recipe import Data, Model, Optim, Recipe, Train


def vgg2014() -> Recipe:
    """Sixteen layers without a shortcut or a norm; slow, and hungry for memory."""
    return Recipe(
        data=Data(size=224, resize="crop", augment=("pad_crop:16", "flip", "lighting:0.1")),
        model=Model("vgg16"),
        optim=Optim(name="sgd", lr=0.01, weight_decay=5e-4, schedule="plateau", warmup=0),
        train=Train(epochs=74, batch_size=256, precision="float32"),
    )
