"""The recipes that come with saccade.

A docstring says what the recipe is for; its paper, if it has one, and the departures from it; and
what it reached, here or in the paper, where that is known.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from saccade.errors import SaccadeError, UsageError, unknown
from saccade.recipes.data import Data
from saccade.recipes.model import Model
from saccade.recipes.recipe import Recipe
from saccade.recipes.training import Optim, Train


def alexnet2012() -> Recipe:
    """AlexNet on photographs, against the overfitting of 60 million parameters.

    Krizhevsky 2012, "ImageNet classification with deep convolutional neural networks", Sections 4
    and 5: 18.2 % top-5 error of ImageNet, 90 passes.  Departures: the paper cuts 224 pixels at
    random out of 256, here the image of 227 is moved by up to 14, its edge repeated; one cut is
    tested, not ten; biases have no decay; the learning rate drops by itself after 5 passes without
    a lower error, where the paper's was lowered by hand.
    """
    return Recipe(
        data=Data(size=227, resize="crop", augment=("pad_crop:14", "flip", "lighting:0.1")),
        model=Model("alexnet_2012"),
        optim=Optim(name="sgd", lr=0.01, weight_decay=5e-4, schedule="plateau", warmup=0),
        train=Train(epochs=90, batch_size=128, precision="float32"),
    )


def classical() -> Recipe:
    """Fisher vectors of SIFT and colour, each layer fitted in one go, in minutes on a processor.

    No network and no gradient descent: descriptors, statistics, and a linear classifier.
    """
    return Recipe(model=Model(name="fisher"), train=Train(epochs=0))


def features() -> Recipe:
    """A pretrained network as it is, and the last layer fitted to what it makes of each image.

    For few photographs, in seconds: nothing is trained, the last layer has a closed form.  The 208
    to train on of the ants and bees come to 94.1 % (89.2 to 96.9, n = 153) with GoogLeNet and
    Caffe's weights, in 68 seconds of processor time from first to last and 2.5 GB: `saccade train
    hymenoptera --model googlenet_2014 --weights googlenet_bvlc_imagenet_fp16.npz --recipe
    features`.
    """
    return Recipe(
        model=Model(weights="auto", head="auto", freeze="features"),
        train=Train(epochs=0),
    )


def finetune() -> Recipe:
    """The last layer first, by logistic regression; then all, the lower layers more slowly.

    For few photographs and a network that has learned from many others.  A last layer that is
    fitted already keeps the first steps from spoiling what the layers below it know (Kumar 2022,
    "Fine-tuning can distort pretrained features and underperform out-of-distribution"), and batch
    normalisation keeps its statistics.  Of five sets of few images it is 1 point below (inside the
    noise) to 3 above the recipe features on photographs like ImageNet's, and 4 to 10 above on
    others, with GoogLeNet and EfficientNet-Lite0, in 2 to 10 processor minutes
    (benchmarks/results/finetune.md).
    """
    return Recipe(
        data=Data(augment="auto"),
        model=Model(weights="auto", head="logistic", stages=("head", "all")),
        optim=Optim(
            name="adamw",
            lr=3e-4,
            weight_decay=0.05,
            warmup="auto",
            layer_decay=0.8,
            clip_grad=1.0,
        ),
        train=Train(epochs=10, batch_size=32, label_smoothing=0.1, ema="auto"),
    )


def imagenet() -> Recipe:
    """A great many photographs from scratch: accuracy before everything else, for a GPU and days.

    After torchvision's "new training recipe" (Vryniotis 2021, "How to train state-of-the-art models
    using TorchVision's latest primitives"): 80.9 % of ImageNet with ResNet-50 after 600 epochs,
    there.  Departures: 100 epochs; a batch of 256 with a quarter of the learning rate, which goes
    with the batch (Goyal 2017); rectangles are cut out of the middle square, each image once a
    pass; an EMA over the same share of any training; biases have no decay either.  Training
    sees 176 pixels, tests 224 (Touvron 2019, "Fixing the train-test resolution discrepancy").
    """
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
        train=Train(epochs=100, batch_size=256, label_smoothing=0.1, ema="auto"),
    )


def lenet1998() -> Recipe:
    """LeNet-5 on digits, one image per step, as then.

    LeCun 1998, "Gradient-based learning applied to document recognition", Sections III-A and III-B:
    0.95 % of MNIST's test digits wrong, 20 passes.  Departures: one learning rate for all weights,
    where the paper divides 0.0005 by each weight's curvature plus 0.02 (Appendix C); it drops to a
    tenth twice, where the paper's goes down in four smaller drops to a fiftieth; the criterion is
    cross-entropy on the distances, without the paper's constant; digits of 28 pixels are stretched
    to 32, where the paper puts them on a larger ground.

    The embedded digits come to 95.5 % (n = 269) in 5 passes and 19 seconds of one Zen 4 core from
    first to last: `saccade train --recipe lenet1998 --epochs 5`.
    """
    return Recipe(
        data=Data(size=32),
        model=Model("lenet5_1998"),
        optim=Optim(
            name="sgd", lr=0.0005, momentum=0, weight_decay=0, schedule="multistep", warmup=0
        ),
        train=Train(epochs=20, batch_size=1, precision="float32"),
    )


def photos() -> Recipe:
    """A few hundred to a few thousand photographs of more than 64 pixels, from scratch.

    The 208 to train on of the ants and bees (hymenoptera) come to 69.9 % (62.3 to 76.6, n = 153)
    with ResNet-18 at 128 pixels, 80 images a second on two Zen 4 cores: `saccade train
    hymenoptera`.  So few want a network that has learned from others before.
    """
    return Recipe(
        data=Data(augment=("flip", "translate:8", "scale:0.2", "brightness:0.2", "contrast:0.2")),
        optim=Optim(name="adamw", lr=0.002, weight_decay=0.05, schedule="cosine", warmup=0.1),
        train=Train(epochs=30, batch_size=32, label_smoothing=0.1, ema=0.99),
    )


def resnet2015() -> Recipe:
    """ResNet-50 on ImageNet: 6.7 % top-5 error with ten cuts per image (Table 3).

    He 2015, "Deep residual learning for image recognition", Section 3.4.  Departures: images are
    moved by up to 16 pixels, their edge repeated, where the paper cuts 224 pixels out of sizes from
    256 to 480; norms and biases have no decay; the learning rate drops by itself after 5 passes
    without a lower error.
    """
    return Recipe(
        data=Data(size=224, resize="crop", augment=("pad_crop:16", "flip", "lighting:0.1")),
        model=Model("resnet50"),
        optim=Optim(name="sgd", lr=0.1, weight_decay=1e-4, schedule="plateau", warmup=0),
        train=Train(epochs=120, batch_size=256, precision="float32"),
    )


def cifar_resnet2015() -> Recipe:
    """ResNet-20 on CIFAR-10: 8.75 % error (Table 6), 64,000 steps.

    He 2015, "Deep residual learning for image recognition", Section 4.2.  Departure: norms and
    biases have no decay.
    """
    return Recipe(
        data=Data(size=32, augment=("pad_crop:4,border=zeros", "flip")),
        model=Model("cifar_resnet20"),
        optim=Optim(name="sgd", lr=0.1, weight_decay=1e-4, schedule="multistep", warmup=0),
        train=Train(epochs=182, batch_size=128, precision="float32"),
    )


def small() -> Recipe:
    """Images of up to 64 pixels, from scratch.

    The embedded digits come to 98.9 % (96.8 to 99.6, n = 269) with LeNet-5, in 12 seconds of one
    Zen 4 core from first to last and 0.9 GB: `saccade train --recipe small`.  Five seeds, each with
    test images of its own, come to 98.9 to 100.0 %, in the middle 99.6 (benchmarks/digits.py).
    """
    return Recipe(
        data=Data(augment=("translate:2", "rotate:12", "scale:0.12", "shear:8")),
        optim=Optim(name="adamw", lr=0.004, weight_decay=0.05, schedule="cosine", warmup=0.1),
        train=Train(epochs=40, batch_size=64, label_smoothing=0.05, ema=0.99),
    )


def speed() -> Recipe:
    """Images of up to 64 pixels in few passes: Muon, its learning rate linear to zero.

    MNIST comes to 99.2 to 99.4 % (three seeds, n = 10,000) with LeNet-5, in 28 seconds of one
    Zen 4 core from first to last and 1.2 GB: `saccade train mnist --recipe speed`.  From 70,000
    PNG files it takes 34, with `--epochs 2` 30 (benchmarks/time_to_accuracy.py).  The images are
    not examined first.
    """
    return Recipe(
        data=Data(doctor="off", augment=("translate:2",)),
        optim=Optim(name="muon", lr=0.01, schedule="linear", warmup=0.1),
        train=Train(epochs=3, batch_size=256),
    )


def speed_colour() -> Recipe:
    """Colour images of up to 64 pixels, of things that may be mirrored, in few passes.

    Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", Section 3.

    CIFAR-10, as JPEG files of a lossy copy, comes to 87.9 % (87.3 to 88.6, n = 10,000) in 990
    seconds of one Zen 4 core from first to last, with `--model airbench94 --epochs 10` to 89.1 %
    (88.4 to 89.7) in 1,985 and, seen ten ways by `saccade evaluate RUN --tta "flip shifts"`, in
    222 more to 90.4 % (89.8 to 90.9), one run each: `saccade train IMAGES --recipe
    speed_colour`.  The images are not examined first.
    """
    return Recipe(
        data=Data(val=0.02, doctor="off", augment=("pad_crop:2,border=reflect", "flip")),
        model=Model("airbench_narrow"),
        optim=Optim(name="muon", lr=0.01, schedule="linear", warmup=0.2),
        train=Train(epochs=8, batch_size=512, label_smoothing=0.2),
    )


def vgg2014() -> Recipe:
    """VGG-16 on photographs: without a shortcut or a norm, slow, and hungry for memory.

    Simonyan 2014, "Very deep convolutional networks for large-scale image recognition", Section
    3.1: 8.8 % top-5 error of ImageNet with configuration D, 74 passes.  Departures: the paper cuts
    224 pixels at random out of 256, here the image of 224 is moved by up to 16, its edge repeated;
    the first weights are He 2015's, where the paper grows deep networks out of shallow ones; biases
    have no decay; the learning rate drops by itself after 5 passes without a lower error, where the
    paper's was lowered by hand.
    """
    return Recipe(
        data=Data(size=224, resize="crop", augment=("pad_crop:16", "flip", "lighting:0.1")),
        model=Model("vgg16"),
        optim=Optim(name="sgd", lr=0.01, weight_decay=5e-4, schedule="plateau", warmup=0),
        train=Train(epochs=74, batch_size=256, precision="float32"),
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    "small": small,
    "photos": photos,
    "speed": speed,
    "speed_colour": speed_colour,
    "finetune": finetune,
    "features": features,
    "classical": classical,
    "imagenet": imagenet,
    "lenet1998": lenet1998,
    "alexnet2012": alexnet2012,
    "vgg2014": vgg2014,
    "resnet2015": resnet2015,
    "cifar_resnet2015": cifar_resnet2015,
}


def unknown_recipe(name: str) -> SaccadeError:
    """The error for what is neither a recipe nor a file of one; of a run its file is the hint."""
    if os.path.isfile(file := os.path.join(name, "recipe.toml")):  # noqa: PTH113, PTH118
        return UsageError(f"no recipe is called '{name}'", f"name its file: {file}")
    if os.path.isfile(name):  # noqa: PTH113
        return UsageError(f"'{name}' is no recipe", "a recipe is a file that ends in .toml")
    return unknown("recipe", name, RECIPES)
