"""PReLU-net.  He et al. 2015, "Delving deep into rectifiers: surpassing human-level performance on
ImageNet classification", Table 3, models A, B and C.

A slope is learned for each channel; it starts at 0.25, which the initialisation allows for.  The
pyramid's bins are those of He et al. 2014, "Spatial pyramid pooling in deep convolutional
networks".
"""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from saccade.models.layers.blocks import Concat, chain
from saccade.models.layers.initialise import he

SLOPE = 0.25  # of every PReLU at the start, Section 2.1


class Column(NamedTuple):
    """A column of Table 3."""

    depth: int  # 3x3 convolutions a stage
    widths: tuple[int, int, int]  # channels of the three stages


# fmt: off
MODEL_A = Column(5, (256, 512, 512))  # 19 weight layers
MODEL_B = Column(6, (256, 512, 512))  # 22
MODEL_C = Column(6, (384, 768, 896))  # 22
# fmt: on


def stage(cin: int, cout: int, depth: int) -> nn.Sequential:
    """`depth` 3x3 convolutions, each with its PReLU.  [N,cin,H,W] -> [N,cout,H,W]"""
    rows: list[nn.Module] = []
    for width in (cin, *[cout] * (depth - 1)):
        rows += [nn.Conv2d(width, cout, 3, padding=1), nn.PReLU(cout, SLOPE)]
    return nn.Sequential(*rows)


def pyramid(*levels: int) -> Concat:
    """Spatial pyramid pooling: maxima over n x n bins a level.  [N,C,H,W] -> [N,C*sum(n*n)]"""
    pools = {f"level{n}": chain(pool=nn.AdaptiveMaxPool2d(n), flat=nn.Flatten()) for n in levels}
    return Concat(**pools)


def prelu_net(column: Column, num_classes: int = 1000) -> nn.Sequential:
    """PReLU-net of a column of Table 3.  [N,3,H,W] -> [N,num_classes]"""
    depth, (c2, c3, c4) = column
    # fmt: off
    network = chain(
        conv1=nn.Conv2d(3, 96, 7, stride=2, padding=3),  # 96 x 112 x 112
        prelu1=nn.PReLU(96, SLOPE),                      # 96 x 112 x 112
        pool1=nn.MaxPool2d(2),                           # 96 x  56 x  56
        conv2=stage(96, c2, depth),                      # c2 x  56 x  56
        pool2=nn.MaxPool2d(2),                           # c2 x  28 x  28
        conv3=stage(c2, c3, depth),                      # c3 x  28 x  28
        pool3=nn.MaxPool2d(2),                           # c3 x  14 x  14
        conv4=stage(c3, c4, depth),                      # c4 x  14 x  14
        spp=pyramid(7, 3, 2, 1),                         # 63*c4
        fc1=nn.Linear(63 * c4, 4096), prelu5=nn.PReLU(4096, SLOPE), drop1=nn.Dropout(),
        fc2=nn.Linear(4096, 4096), prelu6=nn.PReLU(4096, SLOPE), drop2=nn.Dropout(),
        fc3=nn.Linear(4096, num_classes),
    )
    # fmt: on
    return he(network, slope=SLOPE)
