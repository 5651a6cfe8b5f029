"""LeNet.  LeCun 1998, "Gradient-based learning applied to document recognition", Figure 2.

Departures: max pooling, ReLU and a linear output, as LeNet is built today, and every C3 map sees
every S2 map; its counts are those of the lectures' table.  `lenet5_1998` is the paper's own.
"""

from __future__ import annotations

from torch import nn

from saccade.layers.chain import chain


def lenet5(num_classes: int = 10, channels: int = 1) -> nn.Sequential:
    """LeNet-5 for 32 x 32 pictures.  [N,channels,32,32] -> [N,num_classes]"""
    # fmt: off
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
    # fmt: on
