"""VGG.  Simonyan and Zisserman 2014, "Very deep convolutional networks for large-scale image
recognition", Table 1, columns A, B, D and E.

Departures: the initialisation of He 2015 in place of the paper's, which trained A first and started
the others from it; batch normalisation where `unit=conv_bn`, as in the public weights.

At CIFAR's size: the first three stages of column B at half their widths, which brings 32 pixels
down to 4 as five bring 224 to 7; one hidden layer, of 256 units.  For experiments: with and without
normalisation, dropout, or a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from saccade.models.layers.blocks import chain
from saccade.models.layers.initialise import he

Unit = Callable[[int, int], tuple[nn.Module, ...]]
Depths = tuple[int, int, int, int, int]


# fmt: off
A: Depths = (1, 1, 2, 2, 2)  # 3 x 3 convolutions a stage
B: Depths = (2, 2, 2, 2, 2)
D: Depths = (2, 2, 3, 3, 3)
E: Depths = (2, 2, 4, 4, 4)
# fmt: on


def conv(cin: int, cout: int) -> tuple[nn.Module, ...]:
    """A 3 x 3 convolution and its ReLU.  [N,cin,H,W] -> [N,cout,H,W]"""
    return nn.Conv2d(cin, cout, 3, padding=1), nn.ReLU()


def conv_bn(cin: int, cout: int) -> tuple[nn.Module, ...]:
    """A 3 x 3 convolution, batch normalisation, ReLU.  [N,cin,H,W] -> [N,cout,H,W]"""
    return nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU()


def stage(unit: Unit, depth: int, cin: int, cout: int) -> tuple[nn.Module, ...]:
    """`depth` units and a max pool.  [N,cin,H,W] -> [N,cout,H/2,W/2]"""
    widths = (cin, *[cout] * depth)
    rows = [row for pair in pairwise(widths) for row in unit(*pair)]
    return *rows, nn.MaxPool2d(2)


def vgg(num_classes: int = 1000, depths: Depths = D, *, unit: Unit = conv) -> nn.Sequential:
    """VGG with these depths.  [N,3,224,224] -> [N,num_classes]"""
    d1, d2, d3, d4, d5 = depths
    # fmt: off
    network = chain(
        features=nn.Sequential(
            *stage(unit, d1,   3,  64),                             #   64 x 112 x 112
            *stage(unit, d2,  64, 128),                             #  128 x  56 x  56
            *stage(unit, d3, 128, 256),                             #  256 x  28 x  28
            *stage(unit, d4, 256, 512),                             #  512 x  14 x  14
            *stage(unit, d5, 512, 512),                             #  512 x   7 x   7
        ),
        avgpool=nn.AdaptiveAvgPool2d(7),                            #  512 x   7 x   7
        flatten=nn.Flatten(),
        classifier=nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(),  # 4096
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(),         # 4096
            nn.Linear(4096, num_classes),
        ),
    )
    # fmt: on
    return initialise(network)


def initialise(network: nn.Sequential) -> nn.Sequential:
    """He 2015 for the convolutions, N(0, 0.01^2) for the fully connected layers, biases 0."""
    for row in network.modules():
        if isinstance(row, nn.Conv2d):
            nn.init.kaiming_normal_(row.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(row, nn.Linear):
            nn.init.normal_(row.weight, std=0.01)
        if isinstance(row, nn.Conv2d | nn.Linear) and row.bias is not None:
            nn.init.zeros_(row.bias)
    return network


def cifar_vgg8(num_classes: int = 10, *, unit: Unit = conv) -> nn.Sequential:
    """Six 3x3 convolutions, two fully connected layers.  [N,3,32,32] -> [N,num_classes]"""
    # fmt: off
    return he(chain(
        features=nn.Sequential(
            *stage(unit, 2,  3,  32),                               #  32 x 16 x 16
            *stage(unit, 2, 32,  64),                               #  64 x  8 x  8
            *stage(unit, 2, 64, 128),                               # 128 x  4 x  4
        ),
        flatten=nn.Flatten(),                                       # 2048
        classifier=nn.Sequential(
            nn.Linear(2048, 256), nn.ReLU(), nn.Dropout(),          # 256
            nn.Linear(256, num_classes),
        ),
    ))
    # fmt: on
