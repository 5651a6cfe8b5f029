"""Every recipe by name."""

from __future__ import annotations

from collections.abc import Callable

from saccade.recipe import Recipe
from saccade.recipes.alexnet2012 import alexnet2012
from saccade.recipes.classical import classical
from saccade.recipes.features import features
from saccade.recipes.finetune import finetune
from saccade.recipes.imagenet import imagenet
from saccade.recipes.lenet1998 import lenet1998
from saccade.recipes.photos import photos
from saccade.recipes.resnet2015 import cifar_resnet2015, resnet2015
from saccade.recipes.small import small
from saccade.recipes.speed import speed, speed_colour
from saccade.recipes.vgg2014 import vgg2014

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
