"""imagenet: a great many photographs, from scratch.

After torchvision's "new training recipe" (Vryniotis 2021, "How to train state-of-the-art models
using TorchVision's latest primitives"): 80.9 % of ImageNet with ResNet-50 after 600 epochs, there.
Departures: 100 epochs; a batch of 256 with a quarter of the rate, which goes with the batch (Goyal
2017); rectangles are cut out of the middle square, each picture once a pass; an average over the
same share of any training; biases have no decay either.  Training sees 176 pixels, tests 224
(Touvron 2019, "Fixing the train-test resolution discrepancy").
"""

from __future__ import annotations

from saccade.recipe import Data, Model, Optim, Recipe, Train


def imagenet() -> Recipe:
    """Accuracy before everything else, for a GPU and days."""
    return Recipe(
        data=Data(
            size=224,
            resize="crop",
            augment=(
                "resized_crop:0.08,size=176",
                "flip",
                "trivial_augment",
                "erase:0.1",
                "mixup:0.2|cutmix:1",
            ),
        ),
        model=Model("resnet50"),
        optim=Optim(name="sgd", lr=0.125, weight_decay=2e-5, schedule="cosine", warmup=0.05),
        train=Train(epochs=100, batch_size=256, label_smoothing=0.1, average="auto"),
    )
