"""SE-ResNet, SE-ResNeXt, SE-VGG.  Hu et al. 2017, "Squeeze-and-excitation networks", Tables 1, 2.

A gate on every block's residual branch, Figure 3; in VGG, after every convolution's ReLU, with
batch normalisation as in the paper's own VGG.
Departure: SE-ResNets stride on the 3x3, as timm's public weights do; `_v1` on the first 1x1, as the
paper's Caffe networks, whose multiply-adds Table 2 counts.  SE-ResNeXts stride on the 3x3 in both.
"""

from __future__ import annotations

from torch import nn

from saccade.layers.squeeze_excite import SqueezeExcite
from saccade.models.resnet import Bottleneck
from saccade.models.vgg import conv_norm


def se_bottleneck(cin: int, cout: int, stride: int) -> Bottleneck:
    """ResNet's bottleneck with a gate.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 4, cout, strides=(1, stride), gate=SqueezeExcite)


def se_bottleneck_v1(cin: int, cout: int, stride: int) -> Bottleneck:
    """The same with the stride on its first 1x1.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 4, cout, strides=(stride, 1), gate=SqueezeExcite)


def se_32x4d(cin: int, cout: int, stride: int) -> Bottleneck:
    """ResNeXt's 32x4d with a gate.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 2, cout, strides=(1, stride), groups=32, gate=SqueezeExcite)


def conv_norm_se(cin: int, cout: int) -> tuple[nn.Module, ...]:
    """VGG's convolution, batch normalisation, ReLU, and a gate.  [N,cin,H,W] -> [N,cout,H,W]"""
    return *conv_norm(cin, cout), SqueezeExcite(cout)
