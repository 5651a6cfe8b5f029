"""ResNeXt.  Xie et al. 2016, "Aggregated residual transformations for deep neural networks",
Table 1.

Departure: grouped convolutions, Figure 3c, which the paper has equal to its paths side by side.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from saccade.models.resnet import Bottleneck, Depths, resnet


def aggregated(cin: int, cout: int, stride: int, *, groups: int, base: int) -> Bottleneck:
    """`groups` paths of `base` channels in layer1, twice that in layer2.

    [N,cin,H,W] -> [N,cout,H/stride,W/stride]
    """
    width = groups * base * cout // 256
    return Bottleneck(cin, width, cout, strides=(1, stride), groups=groups)


def resnext(depths: Depths, num_classes: int = 1000, *, groups: int, base: int) -> nn.Sequential:
    """ResNet of such blocks; the paper's 32x4d has 32 groups of 4.  [N,3,H,W] -> [N,num_classes]"""
    return resnet(partial(aggregated, groups=groups, base=base), depths, num_classes)
