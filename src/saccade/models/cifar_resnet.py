"""ResNet for CIFAR-10.  He et al. 2015, "Deep residual learning for image recognition", 4.2.

6n+2 weight layers; shortcuts have no weights (option A).  Names are those of the public weights
(`linear` at the end); their inputs are normalised with ImageNet's means and deviations.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from saccade.errors import UsageError
from saccade.layers.chain import chain
from saccade.layers.initialise import he
from saccade.layers.shortcut import padding
from saccade.models.resnet import Basic, Block, conv, stage

padded: Block = partial(Basic, shortcut=padding)


def cifar_resnet(depth: int, num_classes: int = 10, *, block: Block = padded) -> nn.Sequential:
    """`depth` weight layers, 20, 32, 44, 56 or 110 in the paper.  [N,3,32,32] -> [N,num_classes]"""
    n, rest = divmod(depth - 2, 6)
    if n < 1 or rest:
        raise UsageError(
            f"a CIFAR ResNet of depth {depth}: depths are 6n + 2",
            f"the nearest is {6 * max(1, round((depth - 2) / 6)) + 2}",
        )
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
