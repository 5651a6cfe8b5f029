"""SENet.  Hu et al. 2017, "Squeeze-and-excitation networks", Tables 1 and 2.

A gate on every block's residual branch, Figure 3; on every Inception module's output, Figure 2; in
VGG, after every convolution's ReLU, with batch normalisation as in the paper's own VGG.
Departures: SE-ResNets stride on the 3x3, as timm's public weights do; `_v1` on the first 1x1, as
the paper's Caffe networks, whose multiply-adds Table 2 counts.  SE-ResNeXts stride on the 3x3 in
both.  SE-Inception-ResNet-v2 was never released; here every module of the public network without
gates has one, a residual module before the sum.  For CIFAR there are ResNets of bottlenecks.
"""

from __future__ import annotations

from torch import nn

from saccade.models.layers.blocks import SqueezeExcite
from saccade.models.networks.bn_inception import bn_inception
from saccade.models.networks.inception_resnet import inception_resnet_v2
from saccade.models.networks.resnet import Block, Bottleneck, Depths, resnet
from saccade.models.networks.resnet_cifar import cifar_bottlenecks
from saccade.models.networks.vgg import D, conv_bn, vgg


def se_bottleneck(cin: int, cout: int, stride: int) -> Bottleneck:
    """ResNet's bottleneck with a gate.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 4, cout, strides=(1, stride), gate=SqueezeExcite)


def se_bottleneck_v1(cin: int, cout: int, stride: int) -> Bottleneck:
    """`se_bottleneck`, its stride on the first 1x1.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 4, cout, strides=(stride, 1), gate=SqueezeExcite)


def se_32x4d(cin: int, cout: int, stride: int) -> Bottleneck:
    """ResNeXt's 32x4d with a gate.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return Bottleneck(cin, cout // 2, cout, strides=(1, stride), groups=32, gate=SqueezeExcite)


def conv_bn_se(cin: int, cout: int) -> tuple[nn.Module, ...]:
    """VGG's convolution, batch normalisation, ReLU, and a gate.  [N,cin,H,W] -> [N,cout,H,W]"""
    return *conv_bn(cin, cout), SqueezeExcite(cout)


def se_resnet(
    depths: Depths, num_classes: int = 1000, *, block: Block = se_bottleneck
) -> nn.Sequential:
    """ResNet of blocks with gates.  [N,3,H,W] -> [N,num_classes]"""
    return resnet(block, depths, num_classes)


def se_vgg16(num_classes: int = 1000) -> nn.Sequential:
    """VGG-16 with a gate for each convolution.  [N,3,H,W] -> [N,num_classes]"""
    return vgg(num_classes, D, unit=conv_bn_se)


def se_bn_inception(num_classes: int = 1000) -> nn.Sequential:
    """BN-Inception with a gate for each module.  [N,3,H,W] -> [N,num_classes]"""
    return bn_inception(num_classes, gate=SqueezeExcite)


def se_inception_resnet_v2(num_classes: int = 1000) -> nn.Sequential:
    """Inception-ResNet-v2 with a gate for each module.  [N,3,H,W] -> [N,num_classes]"""
    return inception_resnet_v2(num_classes, gate=SqueezeExcite)


def cifar_se_resnet(depth: int, num_classes: int = 10) -> nn.Sequential:
    """The CIFAR ResNet of bottlenecks with gates.  [N,3,H,W] -> [N,num_classes]"""
    return cifar_bottlenecks(depth, num_classes, block=se_bottleneck)
