"""LeNet.  LeCun et al. 1998, "Gradient-based learning applied to document recognition", Figure 2.

`lenet5_1998` is the paper's network; its output's codes, digits as bitmaps of 7 x 12, are copied
from the paper's Figure 3, which has them only as images.
Departures of `lenet5`: max pooling, ReLU and a linear output, as LeNet is built today, and every C3
map sees every S2 map; its counts are those of the lectures' table.  `lenet_caffe` is the one of
Caffe's MNIST example, whose public weights fit.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from saccade.models.layers.activations import ScaledTanh
from saccade.models.layers.blocks import chain
from saccade.models.layers.historic import RadialBasis, SubSampling, TableConv2d

BITMAPS = """
..###.. ...#... .#####. .#####. .....#.
.#...#. ..##... #.....# #.....# ....##.
#.....# .#.#... #.....# ......# ...#.#.
#.....# ...#... ......# ......# ..#..#.
#.....# ...#... ......# ......# ..#..#.
#.....# ...#... .....#. ..####. .#...#.
#.....# ...#... ....#.. ......# #....#.
#.....# ...#... ...#... ......# #######
#.....# ...#... ..#.... ......# .....#.
#.....# ...#... .#..... ......# .....#.
.#...#. ...#... #...... #.....# .....#.
..###.. .#####. ####### .#####. .....#.

####### ..####. ####### .#####. .#####.
#...... .#..... ......# #.....# #.....#
#...... #...... ......# #.....# #.....#
#...... #...... .....#. #.....# #.....#
#.####. #...... .....#. .#...#. #.....#
##....# #.####. ....#.. ..###.. #....##
......# ##....# ....#.. .#...#. .####.#
......# #.....# ...#... #.....# ......#
......# #.....# ...#... #.....# ......#
......# #.....# ..#.... #.....# ......#
#.....# #.....# ..#.... #.....# .....#.
.#####. .#####. ..#.... .#####. .####..
"""


def digit_codes(num_classes: int = 10) -> Tensor:
    """The target codes of the output layer, +1 ink and -1 paper.  -> [num_classes,84]

    Classes after the tenth get random codes, always the same: the paper names this as the
    alternative ("chosen at random with equal probabilities", section II-B).
    """
    codes = _bitmap_codes()
    generator = random.Random(1998)
    codes += [generator.choices((-1.0, 1.0), k=84) for _ in range(num_classes - len(codes))]
    return torch.tensor(codes[:num_classes])


def _bitmap_codes() -> list[list[float]]:
    codes = []
    for half in BITMAPS.strip().split("\n\n"):
        for digit in zip(*(line.split() for line in half.split("\n"))):
            codes.append([1.0 if pixel == "#" else -1.0 for pixel in "".join(digit)])
    return codes


# fmt: off
C3_TABLE = (  # Table I: the S2 maps that each C3 map sees
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)


def lenet5(num_classes: int = 10, channels: int = 1) -> nn.Sequential:
    """LeNet-5 for 32 x 32 images.  [N,channels,32,32] -> [N,num_classes]"""
    return chain(
        c1=nn.Conv2d(channels, 6, 5), relu1=nn.ReLU(),    #   6 x 28 x 28
        s2=nn.MaxPool2d(2),                               #   6 x 14 x 14
        c3=nn.Conv2d(6, 16, 5), relu3=nn.ReLU(),          #  16 x 10 x 10
        s4=nn.MaxPool2d(2),                               #  16 x  5 x  5
        flatten=nn.Flatten(),
        f5=nn.Linear(400, 120), relu5=nn.ReLU(),          # 120
        f6=nn.Linear(120, 84), relu6=nn.ReLU(),           #  84
        output=nn.Linear(84, num_classes),
    )


def lenet5_1998(num_classes: int = 10) -> nn.Sequential:
    """LeNet-5 as published: 60,000 trained parameters.  [N,1,32,32] -> [N,num_classes]

    The paper's pixels are -0.1 for paper and 1.175 for ink.
    """
    return chain(
        c1=nn.Conv2d(1, 6, 5), squash1=ScaledTanh(),             #   6 x 28 x 28
        s2=SubSampling(6), squash2=ScaledTanh(),                 #   6 x 14 x 14
        c3=TableConv2d(6, C3_TABLE, 5), squash3=ScaledTanh(),     #  16 x 10 x 10
        s4=SubSampling(16), squash4=ScaledTanh(),                #  16 x  5 x  5
        c5=nn.Conv2d(16, 120, 5), squash5=ScaledTanh(),          # 120 x  1 x  1
        flatten=nn.Flatten(),
        f6=nn.Linear(120, 84), squash6=ScaledTanh(),             #  84
        output=RadialBasis(digit_codes(num_classes)),
    )


def lenet_caffe(num_classes: int = 10) -> nn.Sequential:
    """Caffe's LeNet for 28 x 28 images, pixels / 256.  [N,1,28,28] -> [N,num_classes]"""
    return chain(
        conv1=nn.Conv2d(1, 20, 5),                        #  20 x 24 x 24
        pool1=nn.MaxPool2d(2),                            #  20 x 12 x 12
        conv2=nn.Conv2d(20, 50, 5),                       #  50 x  8 x  8
        pool2=nn.MaxPool2d(2),                            #  50 x  4 x  4
        flatten=nn.Flatten(),
        ip1=nn.Linear(800, 500), relu1=nn.ReLU(),         # 500
        ip2=nn.Linear(500, num_classes),
    )
# fmt: on
