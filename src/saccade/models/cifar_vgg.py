"""VGG at CIFAR's size, after Simonyan and Zisserman 2014, "Very deep convolutional networks for
large-scale image recognition", Table 1.

Departures: the first three stages of column B at half their widths, which brings 32 pixels down to
4 as five bring 224 to 7; one hidden layer, of 256 units; He's start and batch normalisation as in
vgg.py.  For experiments: with and without normalisation, dropout, or a layer.
"""

from __future__ import annotations

from torch import nn

from saccade.layers.chain import chain
from saccade.layers.initialise import he
from saccade.models.vgg import Unit, conv, stage


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
