"""ResNet.  He et al. 2015, "Deep residual learning for image recognition", Table 1.

Departures: a bottleneck strides on its 3x3 ("v1.5"), as in all public weights; `bottleneck_v1` has
the paper's placement, on the first 1x1.  The paper says nothing of the edges of its max pooling:
here, in `resnet*_v1` too, windows begin a pixel outside of the map, as in all public weights but
the authors' own for Caffe, whose first window begins inside and whose last one reaches out.  The
sizes are the same, the values are not.  Shortcuts that change shape are projections (option B).
A block's `drop` is the identity, which `variants.with_stochastic_depth` replaces.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from saccade.models.layers.blocks import Shortcut, chain, projection
from saccade.models.layers.initialise import he

Block = Callable[[int, int, int], nn.Module]  # cin, cout, stride
Depths = tuple[int, int, int, int]  # blocks in layer1 to layer4


def conv(cin: int, cout: int, kernel_size: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size at stride 1.  [N,cin,H,W] -> [N,cout,H',W']"""
    padding = kernel_size // 2
    return nn.Conv2d(cin, cout, kernel_size, stride, padding, groups=groups, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 and a shortcut, Figure 5 left.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""

    def __init__(self, cin: int, cout: int, stride: int, *, shortcut: Shortcut = projection):
        super().__init__()
        self.conv1, self.bn1 = conv(cin, cout, 3, stride), nn.BatchNorm2d(cout)
        self.relu1 = nn.ReLU()
        self.conv2, self.bn2 = conv(cout, cout, 3), nn.BatchNorm2d(cout)
        self.drop: nn.Module = nn.Identity()
        self.downsample = shortcut(cin, cout, stride)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.drop(self.bn2(self.conv2(y)))
        return self.relu2(y + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 and a shortcut, Figure 5 right.  [N,cin,H,W] -> [N,cout,H',W']

    `width` channels go through the 3x3; `strides` are those of the first 1x1 and of the 3x3;
    `gate`, made for `cout` channels, is applied to the residual branch.
    """

    def __init__(
        self,
        cin: int,
        width: int,
        cout: int,
        *,
        strides: tuple[int, int],
        groups: int = 1,
        gate: Callable[[int], nn.Module] = nn.Identity,
    ):
        super().__init__()
        self.conv1, self.bn1 = conv(cin, width, 1, strides[0]), nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2, self.bn2 = conv(width, width, 3, strides[1], groups), nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3, self.bn3 = conv(width, cout, 1), nn.BatchNorm2d(cout)
        self.se = gate(cout)
        self.drop: nn.Module = nn.Identity()
        self.downsample = projection(cin, cout, strides[0] * strides[1])
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        y = self.drop(self.se(self.bn3(self.conv3(y))))
        return self.relu3(y + self.downsample(x))


def bottleneck(cin: int, cout: int, stride: int) -> Bottleneck:
    """A bottleneck of stride on the 3x3 ("v1.5").  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 4, cout, strides=(1, stride))


def bottleneck_v1(cin: int, cout: int, stride: int) -> Bottleneck:
    """The paper's, of stride on the first 1x1.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 4, cout, strides=(stride, 1))


def stage(block: Block, cin: int, cout: int, depth: int, stride: int) -> nn.Sequential:
    """`depth` blocks, of which the first strides.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    rest = (block(cout, cout, 1) for _ in range(depth - 1))
    return nn.Sequential(block(cin, cout, stride), *rest)


def resnet_small_input(
    block: Block, depths: Depths, num_classes: int = 10, *, e: int = 4
) -> nn.Sequential:
    """Table 1 for small images: conv1 is a 3x3, and nothing is pooled before layer1.

    Not in the paper, but what "ResNet-18 on CIFAR-10" mostly means.  [N,3,H,W] -> [N,num_classes]
    """
    d1, d2, d3, d4 = depths
    # fmt: off
    return he(chain(
        conv1=conv(3, 64, 3), bn1=nn.BatchNorm2d(64), relu=nn.ReLU(),            #    64 x 32 x 32
        layer1=stage(block, 64, 64 * e, d1, stride=1),                           #  64*e x 32 x 32
        layer2=stage(block, 64 * e, 128 * e, d2, stride=2),                      # 128*e x 16 x 16
        layer3=stage(block, 128 * e, 256 * e, d3, stride=2),                     # 256*e x  8 x  8
        layer4=stage(block, 256 * e, 512 * e, d4, stride=2),                     # 512*e x  4 x  4
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),                   # 512*e
        fc=nn.Linear(512 * e, num_classes),
    ))
    # fmt: on


def resnet(block: Block, depths: Depths, num_classes: int = 1000, *, e: int = 4) -> nn.Sequential:
    """Table 1; `e` is the expansion, 1 for basic blocks.  [N,3,H,W] -> [N,num_classes]"""
    d1, d2, d3, d4 = depths
    # fmt: off
    return he(chain(
        conv1=conv(3, 64, 7, stride=2), bn1=nn.BatchNorm2d(64), relu=nn.ReLU(),  #    64 x 112 x 112
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),                            #    64 x  56 x  56
        layer1=stage(block, 64, 64 * e, d1, stride=1),                           #  64*e x  56 x  56
        layer2=stage(block, 64 * e, 128 * e, d2, stride=2),                      # 128*e x  28 x  28
        layer3=stage(block, 128 * e, 256 * e, d3, stride=2),                     # 256*e x  14 x  14
        layer4=stage(block, 256 * e, 512 * e, d4, stride=2),                     # 512*e x   7 x   7
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),                   # 512*e
        fc=nn.Linear(512 * e, num_classes),
    ))
    # fmt: on
