"""DenseNet.  Huang et al. 2016, "Densely connected convolutional networks", Tables 1 and 2; for
CIFAR, Section 3.

Names are torchvision's.  Departure: the ImageNet networks are all DenseNet-BC, as in the paper's
Table 1 and the public weights; dropout, theirs only where CIFAR is not augmented, is left out.

`densenet_fast_40_12` is the "fast" variant of a public Keras implementation, for whose weights it
is here.  Departures: no batch norm in the layers and before the classifier; a transition is 1x1
convolution, mean pool, batch norm, without ReLU.  Its input is RGB from 0 to 255.  Top-1 with those
weights: 95.0 % of CIFAR-10's first 1,000 training images, which it learned from, and 87.7 % of
1,000 test images in a JPEG copy.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from saccade.errors import UsageError
from saccade.models.layers.blocks import chain
from saccade.models.layers.initialise import he

Layer = Callable[[int, int], nn.Module]  # cin, growth
Depths = tuple[int, int, int, int]  # layers in denseblock1 to denseblock4


class DenseLayer(nn.Module):
    """Appends `growth` channels, a 3x3 of all before.  [N,cin,H,W] -> [N,cin+growth,H,W]"""

    def __init__(self, cin: int, growth: int):
        super().__init__()
        self.norm1, self.relu1 = nn.BatchNorm2d(cin), nn.ReLU()
        self.conv1 = nn.Conv2d(cin, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv1(self.relu1(self.norm1(x)))], dim=1)


class DenseBottleneck(nn.Module):
    """Appends `growth` channels, through 4 * growth of a 1x1.  [N,cin,H,W] -> [N,cin+growth,H,W]"""

    def __init__(self, cin: int, growth: int):
        super().__init__()
        self.norm1, self.relu1 = nn.BatchNorm2d(cin), nn.ReLU()
        self.conv1 = nn.Conv2d(cin, 4 * growth, 1, bias=False)
        self.norm2, self.relu2 = nn.BatchNorm2d(4 * growth), nn.ReLU()
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.relu1(self.norm1(x)))
        y = self.conv2(self.relu2(self.norm2(y)))
        return torch.cat([x, y], dim=1)


def dense(layer: Layer, cin: int, depth: int, growth: int) -> nn.Sequential:
    """A dense block, Figure 1.  [N,cin,H,W] -> [N,cin+depth*growth,H,W]"""
    return chain(**{f"denselayer{i + 1}": layer(cin + i * growth, growth) for i in range(depth)})


def transition(cin: int, cout: int) -> nn.Sequential:
    """1x1 convolution and average pooling between blocks.  [N,cin,H,W] -> [N,cout,H/2,W/2]"""
    return chain(
        norm=nn.BatchNorm2d(cin),
        relu=nn.ReLU(),
        conv=nn.Conv2d(cin, cout, 1, bias=False),
        pool=nn.AvgPool2d(2),
    )


# fmt: off
def densenet(growth: int, depths: Depths, num_classes: int = 1000) -> nn.Sequential:
    """Table 1 with `growth` channels per layer.  [N,3,H,W] -> [N,num_classes]"""
    layer, k, (d1, d2, d3, d4) = DenseBottleneck, growth, depths
    c1 = 2 * k                # channels into each block
    c2 = (c1 + d1 * k) // 2
    c3 = (c2 + d2 * k) // 2
    c4 = (c3 + d3 * k) // 2
    c5 = c4 + d4 * k
    return he(chain(
        features=chain(
            conv0=nn.Conv2d(3, c1, 7, stride=2, padding=3, bias=False),    #      c1 x 112 x 112
            norm0=nn.BatchNorm2d(c1), relu0=nn.ReLU(),                     #      c1 x 112 x 112
            pool0=nn.MaxPool2d(3, stride=2, padding=1),                    #      c1 x  56 x  56
            denseblock1=dense(layer, c1, d1, k),                           # c1+d1*k x  56 x  56
            transition1=transition(c1 + d1 * k, c2),                       #      c2 x  28 x  28
            denseblock2=dense(layer, c2, d2, k),                           # c2+d2*k x  28 x  28
            transition2=transition(c2 + d2 * k, c3),                       #      c3 x  14 x  14
            denseblock3=dense(layer, c3, d3, k),                           # c3+d3*k x  14 x  14
            transition3=transition(c3 + d3 * k, c4),                       #      c4 x   7 x   7
            denseblock4=dense(layer, c4, d4, k),                           #      c5 x   7 x   7
            norm5=nn.BatchNorm2d(c5),                                      #      c5 x   7 x   7
        ),
        relu=nn.ReLU(),                                                    #      c5 x   7 x   7
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),             #      c5
        classifier=nn.Linear(c5, num_classes),
    ))


def layers_per_block(depth: int, convolutions: int) -> int:
    """The number of layers in each of three blocks, for a network of `depth` weight layers."""
    n, rest = divmod(depth - 4, 3 * convolutions)
    if n < 1 or rest:
        step = 3 * convolutions
        raise UsageError(
            f"a CIFAR DenseNet of depth {depth}: depths are {step}n + 4",
            f"the nearest is {step * max(1, round((depth - 4) / step)) + 4}",
        )
    return n


def three_blocks(
    layer: Layer, widths: tuple[int, int, int], depth: int, k: int, num_classes: int
) -> nn.Sequential:
    """Three dense blocks of `depth` layers; `widths` are the channels into each.

    [N,3,H,W] -> [N,num_classes]
    """
    c1, c2, c3 = widths
    c4, d = c3 + depth * k, depth
    return he(chain(
        features=chain(
            conv0=nn.Conv2d(3, c1, 3, padding=1, bias=False),              #       c1 x 32 x 32
            denseblock1=dense(layer, c1, d, k),                            # c1 + d*k x 32 x 32
            transition1=transition(c1 + d * k, c2),                        #       c2 x 16 x 16
            denseblock2=dense(layer, c2, d, k),                            # c2 + d*k x 16 x 16
            transition2=transition(c2 + d * k, c3),                        #       c3 x  8 x  8
            denseblock3=dense(layer, c3, d, k),                            #       c4 x  8 x  8
            norm4=nn.BatchNorm2d(c4),                                      #       c4 x  8 x  8
        ),
        relu=nn.ReLU(),                                                    #       c4 x  8 x  8
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),             #       c4
        classifier=nn.Linear(c4, num_classes),
    ))
# fmt: on


def cifar_densenet(depth: int, growth: int, num_classes: int = 10) -> nn.Sequential:
    """The basic DenseNet of Table 2: one 3x3 a layer, 16 channels first, no compression.

    [N,3,32,32] -> [N,num_classes]
    """
    n = layers_per_block(depth, 1)
    widths = (16, 16 + n * growth, 16 + 2 * n * growth)
    return three_blocks(DenseLayer, widths, n, growth, num_classes)


def cifar_densenet_bc(depth: int, growth: int, num_classes: int = 10) -> nn.Sequential:
    """Bottlenecks ("B"), transitions that halve channels ("C").  [N,3,32,32] -> [N,num_classes]"""
    n = layers_per_block(depth, 2)
    c1 = 2 * growth
    c2 = (c1 + n * growth) // 2
    c3 = (c2 + n * growth) // 2
    return three_blocks(DenseBottleneck, (c1, c2, c3), n, growth, num_classes)


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
    """1x1 convolution, average pooling, batch norm.  [N,channels,H,W] -> [N,channels,H/2,W/2]"""
    return chain(
        conv=nn.Conv2d(channels, channels, 1, bias=False),
        pool=nn.AvgPool2d(2),
        bn=nn.BatchNorm2d(channels),
    )


def densenet_fast_40_12(num_classes: int = 10) -> nn.Sequential:
    """The "fast" DenseNet-40: three blocks of twelve layers.  [N,3,32,32] -> [N,num_classes]"""
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
