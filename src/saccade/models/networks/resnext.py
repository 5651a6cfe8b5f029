"""ResNeXt.  Xie et al. 2016, "Aggregated residual transformations for deep neural networks",
Table 1; for CIFAR, Section 5.3.

Departures: grouped convolutions, Figure 3c, which the paper shows to equal parallel paths.
The CIFAR networks that begin with 16 channels are not in the paper, which has 64: a quarter of its
widths, their cardinalities at the cost of one path of 16, as Table 2 has it for one of 64.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from saccade.models.networks.resnet import Bottleneck, Depths, resnet
from saccade.models.networks.resnet_cifar import cifar_bottlenecks


def aggregated(cin: int, cout: int, stride: int, *, groups: int, base: int) -> Bottleneck:
    """`groups` paths of `base` channels in layer1, twice that in layer2.

    [N,cin,H,W] -> [N,cout,H/stride,W/stride]
    """
    width = groups * base * cout // 256
    return Bottleneck(cin, width, cout, strides=(1, stride), groups=groups)


def resnext(depths: Depths, num_classes: int = 1000, *, groups: int, base: int) -> nn.Sequential:
    """ResNet of such blocks; the paper's 32x4d has 32 groups of 4.  [N,3,H,W] -> [N,num_classes]"""
    return resnet(partial(aggregated, groups=groups, base=base), depths, num_classes)


def cifar_resnext29(
    num_classes: int = 10, *, groups: int, base: int, width: int = 64
) -> nn.Sequential:
    """ResNeXt-29; the paper has 8x64d and 16x64d.  [N,3,H,W] -> [N,num_classes]"""
    block = partial(aggregated, groups=groups, base=base * 64 // width)
    return cifar_bottlenecks(29, num_classes, block=block, width=width)
