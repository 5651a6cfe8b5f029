"""Inception at CIFAR's size, after Szegedy et al. 2014, "Going deeper with convolutions".

With 1x1 convolutions before the wide ones, Figure 2b, and without, Figure 2a: there the pooled
channels come out as they went in, so that every module is wider than the last.
Departures: modules 3a, 3b, 4a and 4b of Table 1 at a quarter of their widths, behind one 3x3;
batch normalisation, so that the few steps of an experiment are enough.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from saccade.models.layers.blocks import Concat, chain, conv_norm
from saccade.models.layers.initialise import he
from saccade.models.networks.googlenet import halve, inception

reduced = partial(inception, conv=conv_norm)


def naive(cin: int, out1: int, out3: int, out5: int) -> Concat:
    """Figure 2a.  [N,cin,H,W] -> [N,out1+out3+out5+cin,H,W]"""
    return Concat(
        branch1=conv_norm(cin, out1, 1),
        branch2=conv_norm(cin, out3, 3, padding=1),
        branch3=conv_norm(cin, out5, 5, padding=2),
        branch4=nn.MaxPool2d(3, stride=1, padding=1),
    )


# fmt: off
def cifar_inception(num_classes: int = 10) -> nn.Sequential:
    """Inception modules of Figure 2b, with 1x1 reductions.  [N,3,H,W] -> [N,num_classes]"""
    return he(chain(
        conv1=conv_norm(3, 48, 3, padding=1),                       #  48 x 32 x 32
        maxpool1=halve(3),                                          #  48 x 16 x 16
        inception3a=reduced( 48, 16, 24, 32, 4,  8,  8),            #  64 x 16 x 16
        inception3b=reduced( 64, 32, 32, 48, 8, 24, 16),            # 120 x 16 x 16
        maxpool3=halve(3),                                          # 120 x  8 x  8
        inception4a=reduced(120, 48, 24, 52, 4, 12, 16),            # 128 x  8 x  8
        inception4b=reduced(128, 40, 28, 56, 6, 16, 16),            # 128 x  8 x  8
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),      # 128
        fc=nn.Linear(128, num_classes),
    ))


def cifar_inception_naive(num_classes: int = 10) -> nn.Sequential:
    """Inception modules of Figure 2a, with the same widths.  [N,3,H,W] -> [N,num_classes]"""
    return he(chain(
        conv1=conv_norm(3, 48, 3, padding=1),                       #  48 x 32 x 32
        maxpool1=halve(3),                                          #  48 x 16 x 16
        inception3a=naive( 48, 16, 32,  8),                         # 104 x 16 x 16
        inception3b=naive(104, 32, 48, 24),                         # 208 x 16 x 16
        maxpool3=halve(3),                                          # 208 x  8 x  8
        inception4a=naive(208, 48, 52, 12),                         # 320 x  8 x  8
        inception4b=naive(320, 40, 56, 16),                         # 432 x  8 x  8
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),      # 432
        fc=nn.Linear(432, num_classes),
    ))
# fmt: on
