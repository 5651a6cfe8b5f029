"""DenseNet-40-12, fast.  Huang et al. 2016, "Densely connected convolutional networks", Section 3,
in the "fast" variant of a public Keras implementation, for whose weights it is here.

Departures from the paper: no batch norm in the layers and before the classifier; a transition is
1x1 convolution, mean pool, batch norm, without ReLU.  Its input is RGB from 0 to 255.
Top-1 with those weights: 95.0 % of CIFAR-10's first 1,000 training pictures, which it learned from,
and 87.7 % of 1,000 test pictures in a JPEG copy.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saccade.layers.chain import chain
from saccade.layers.initialise import he


class FastBlock(nn.Module):
    """Twelve layers of ReLU and 3x3, each adding 12 channels.  [N,cin,H,W] -> [N,cin+144,H,W]"""

    def __init__(self, cin: int):
        super().__init__()
        self.relu = nn.ReLU()
        self.convs = [f"conv{i + 1}" for i in range(12)]
        for i, name in enumerate(self.convs):
            self.add_module(name, nn.Conv2d(cin + 12 * i, 12, 3, padding=1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        for name in self.convs:
            x = torch.cat([x, self.get_submodule(name)(self.relu(x))], dim=1)
        return x


def fast_transition(channels: int) -> nn.Sequential:
    """[N,channels,H,W] -> [N,channels,H/2,W/2]"""
    return chain(
        conv=nn.Conv2d(channels, channels, 1, bias=False),
        pool=nn.AvgPool2d(2),
        bn=nn.BatchNorm2d(channels),
    )


def densenet_fast_40_12(num_classes: int = 10) -> nn.Sequential:
    """[N,3,32,32] -> [N,num_classes]"""
    # fmt: off
    return he(chain(
        conv0=nn.Conv2d(3, 16, 3, padding=1, bias=False), bn0=nn.BatchNorm2d(16),  #  16 x 32 x 32
        block1=FastBlock(16),                                                      # 160 x 32 x 32
        trans1=fast_transition(160),                                               # 160 x 16 x 16
        block2=FastBlock(160),                                                     # 304 x 16 x 16
        trans2=fast_transition(304),                                               # 304 x  8 x  8
        block3=FastBlock(304),                                                     # 448 x  8 x  8
        relu=nn.ReLU(),                                                            # 448 x  8 x  8
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),                     # 448
        fc=nn.Linear(448, num_classes),
    ))
    # fmt: on
