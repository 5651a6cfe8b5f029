"""Every network by name, in order of year."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from saccade.models.bn_inception import bn_inception, se_bn_inception
from saccade.models.googlenet import (
    googlenet,
    googlenet_2014,
    googlenet_2014_aux,
    googlenet_aux,
)
from saccade.models.inception_resnet import inception_resnet_v2, se_inception_resnet_v2
from saccade.models.lenet import lenet5

# fmt: off
NETWORKS: dict[str, Callable[..., nn.Sequential]] = {
    "lenet5":      lenet5,                              # 1998
    "lenet5_rgb":  partial(lenet5, channels=3),         # 1998
    "googlenet_2014":         googlenet_2014,           # 2014
    "googlenet":              googlenet,                # 2014, with batch normalisation
    "bn_inception":           bn_inception,             # 2015
    "inception_resnet_v2":    inception_resnet_v2,      # 2016
    "se_bn_inception":        se_bn_inception,          # 2017
    "se_inception_resnet_v2": se_inception_resnet_v2,   # 2017
}

SEVERAL_LOGITS: dict[str, Callable[..., nn.Module]] = {  # answer with more than one tensor of logits
    "googlenet_2014_aux":     googlenet_2014_aux,       # 2014
    "googlenet_aux":          googlenet_aux,            # 2014, with batch normalisation
}

INPUTS: dict[str, tuple[int, int, int]] = {  # channels, height, width; 3 x 224 x 224 where not listed
    "lenet5":      (1, 32, 32),
    "lenet5_rgb":  (3, 32, 32),
    "inception_resnet_v2":    (3, 299, 299),
    "se_inception_resnet_v2": (3, 299, 299),
}
# fmt: on
