"""ResNet for CIFAR-10.  He et al. 2015, "Deep residual learning for image recognition", 4.2.

6n+2 weight layers; shortcuts have no weights (option A).  Names are those of the public weights
(`linear` at the end); their inputs are normalised with ImageNet's mean and standard deviation.
With bottlenecks, 9n+2 weight layers, as in He et al. 2016, "Identity mappings in deep residual
networks", whose ResNet-164 it is as first built, and in Xie et al. 2016, Section 5.3.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from saccade.errors import UsageError
from saccade.models.layers.blocks import chain, padding
from saccade.models.layers.initialise import he
from saccade.models.networks.resnet import BasicBlock, Block, bottleneck, conv, stage

basic_padded: Block = partial(BasicBlock, shortcut=padding)


def cifar_resnet(
    depth: int, num_classes: int = 10, *, block: Block = basic_padded
) -> nn.Sequential:
    """`depth` weight layers, 20, 32, 44, 56 or 110 in the paper.  [N,3,32,32] -> [N,num_classes]"""
    n = blocks_per_stage(depth, 2)
    # fmt: off
    return he(chain(
        conv1=conv(3, 16, 3), bn1=nn.BatchNorm2d(16), relu=nn.ReLU(),    # 16 x 32 x 32
        layer1=stage(block, 16, 16, n, stride=1),                        # 16 x 32 x 32
        layer2=stage(block, 16, 32, n, stride=2),                        # 32 x 16 x 16
        layer3=stage(block, 32, 64, n, stride=2),                        # 64 x  8 x  8
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),           # 64
        linear=nn.Linear(64, num_classes),
    ))
    # fmt: on


def cifar_bottlenecks(
    depth: int, num_classes: int = 10, *, block: Block = bottleneck, width: int = 16
) -> nn.Sequential:
    """`depth` weight layers, three a block, `width` channels first.  [N,3,H,W] -> [N,num_classes]

    ResNet-164 begins with 16 channels, ResNeXt-29 with 64.
    """
    n, w = blocks_per_stage(depth, 3), width
    # fmt: off
    return he(chain(
        conv1=conv(3, w, 3), bn1=nn.BatchNorm2d(w), relu=nn.ReLU(),      #    w x 32 x 32
        layer1=stage(block, w, 4 * w, n, stride=1),                      #  4*w x 32 x 32
        layer2=stage(block, 4 * w, 8 * w, n, stride=2),                  #  8*w x 16 x 16
        layer3=stage(block, 8 * w, 16 * w, n, stride=2),                 # 16*w x  8 x  8
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),           # 16*w
        linear=nn.Linear(16 * w, num_classes),
    ))
    # fmt: on


def blocks_per_stage(depth: int, layers: int) -> int:
    """The number of blocks of `layers` in each of three stages, for a network of `depth` layers."""
    n, rest = divmod(depth - 2, 3 * layers)
    if n < 1 or rest:
        step = 3 * layers
        raise UsageError(
            f"a CIFAR ResNet of depth {depth}: depths are {step}n + 2",
            f"the nearest is {step * max(1, round((depth - 2) / step)) + 2}",
        )
    return n
