"""GoogLeNet.  Szegedy et al. 2014, "Going deeper with convolutions", Table 1.

Two networks go by this name.  `googlenet_2014` is the paper's: 5x5 branches, biases, local response
normalisation.  Departure: where the paper is silent it follows Caffe's public network: the order
of pooling and normalisation, pools that round up, dropout of 0.4 (the paper says 40 %).
`googlenet` is the one of torchvision's public weights.  Departures: batch normalisation instead of
local response normalisation, 3x3 in the "5x5" branches (there called a known bug), a last pool of
2x2, dropout of 0.2, and inputs normalised with mean 0.5 and standard deviation 0.5.

The paper trains with two auxiliary classifiers, discarded afterwards; `googlenet_aux` and
`googlenet_2014_aux` have them and always return the logits of all three.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from saccade.models.layers.blocks import Concat, Size, chain, conv_norm
from saccade.models.layers.historic import LocalResponseNorm

Conv = Callable[..., nn.Sequential]


def conv_relu(
    cin: int, cout: int, kernel_size: Size, *, stride: int = 1, padding: Size = 0
) -> nn.Sequential:
    """Convolution with a bias, then ReLU.  [N,cin,H,W] -> [N,cout,H',W']"""
    return chain(
        conv=nn.Conv2d(cin, cout, kernel_size, stride=stride, padding=padding), relu=nn.ReLU()
    )


def inception(
    cin: int,
    out1: int,
    reduce3: int,
    out3: int,
    reduce5: int,
    out5: int,
    pool: int,
    *,
    conv: Conv = conv_relu,
    kernel5: int = 5,
) -> Concat:
    """Figure 2b, its widths in Table 1's order.  [N,cin,H,W] -> [N,out1+out3+out5+pool,H,W]"""
    wide = conv(reduce5, out5, kernel5, padding=kernel5 // 2)
    return Concat(
        branch1=conv(cin, out1, 1),
        branch2=nn.Sequential(conv(cin, reduce3, 1), conv(reduce3, out3, 3, padding=1)),
        branch3=nn.Sequential(conv(cin, reduce5, 1), wide),
        branch4=nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(cin, pool, 1)),
    )


def halve(kernel_size: int) -> nn.MaxPool2d:
    """Max pooling that rounds up.  [N,C,H,W] -> [N,C,H/2,W/2]"""
    return nn.MaxPool2d(kernel_size, stride=2, ceil_mode=True)


# fmt: off
def modules(mixed: Callable[..., Concat], maxpool4: nn.Module) -> dict[str, nn.Module]:
    """Table 1 from 3a to 5b, one Inception module `mixed` a row.  [N,192,28,28] -> [N,1024,7,7]"""
    return dict(
        inception3a=mixed(192,  64,  96, 128, 16,  32,  32),        #  256 x  28 x  28
        inception3b=mixed(256, 128, 128, 192, 32,  96,  64),        #  480 x  28 x  28
        maxpool3=halve(3),                                          #  480 x  14 x  14
        inception4a=mixed(480, 192,  96, 208, 16,  48,  64),        #  512 x  14 x  14
        inception4b=mixed(512, 160, 112, 224, 24,  64,  64),        #  512 x  14 x  14
        inception4c=mixed(512, 128, 128, 256, 24,  64,  64),        #  512 x  14 x  14
        inception4d=mixed(512, 112, 144, 288, 32,  64,  64),        #  528 x  14 x  14
        inception4e=mixed(528, 256, 160, 320, 32, 128, 128),        #  832 x  14 x  14
        maxpool4=maxpool4,                                          #  832 x   7 x   7
        inception5a=mixed(832, 256, 160, 320, 32, 128, 128),        #  832 x   7 x   7
        inception5b=mixed(832, 384, 192, 384, 48, 128, 128),        # 1024 x   7 x   7
    )


def googlenet_2014(num_classes: int = 1000) -> nn.Sequential:
    """GoogLeNet as published, without auxiliary classifiers.  [N,3,H,W] -> [N,num_classes]"""
    norm = partial(LocalResponseNorm, 5, alpha=1e-4 / 5, beta=0.75, k=1.0)
    return chain(
        conv1=conv_relu(3, 64, 7, stride=2, padding=3),             #   64 x 112 x 112
        maxpool1=halve(3), norm1=norm(),                            #   64 x  56 x  56
        conv2=conv_relu(64, 64, 1),                                 #   64 x  56 x  56
        conv3=conv_relu(64, 192, 3, padding=1), norm2=norm(),       #  192 x  56 x  56
        maxpool2=halve(3),                                          #  192 x  28 x  28
        **modules(inception, halve(3)),                             # 1024 x   7 x   7
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),      # 1024
        dropout=nn.Dropout(0.4), fc=nn.Linear(1024, num_classes),
    )


def googlenet(num_classes: int = 1000) -> nn.Sequential:
    """The batch-normalised GoogLeNet of the public weights.  [N,3,H,W] -> [N,num_classes]"""
    return chain(
        conv1=conv_norm(3, 64, 7, stride=2, padding=3),             #   64 x 112 x 112
        maxpool1=halve(3),                                          #   64 x  56 x  56
        conv2=conv_norm(64, 64, 1),                                 #   64 x  56 x  56
        conv3=conv_norm(64, 192, 3, padding=1),                     #  192 x  56 x  56
        maxpool2=halve(3),                                          #  192 x  28 x  28
        **modules(partial(inception, conv=conv_norm, kernel5=3), halve(2)),
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),      # 1024
        dropout=nn.Dropout(0.2), fc=nn.Linear(1024, num_classes),
    )


def auxiliary_classifier(cin: int, num_classes: int, conv: Conv, pool: nn.Module) -> nn.Sequential:
    """Section 5's auxiliary classifier.  [N,cin,14,14] -> [N,num_classes]"""
    return chain(
        pool=pool,                                                  #  cin x   4 x   4
        conv=conv(cin, 128, 1),                                     #  128 x   4 x   4
        flatten=nn.Flatten(),                                       # 2048
        fc1=nn.Linear(2048, 1024), relu=nn.ReLU(),                  # 1024
        dropout=nn.Dropout(0.7), fc2=nn.Linear(1024, num_classes),
    )
# fmt: on


class Logits(NamedTuple):
    """Logits of the main classifier and of those after 4d and 4a, each [N,num_classes]."""

    logits: Tensor
    aux2: Tensor
    aux1: Tensor


AUXILIARY = {"inception4a": "aux1", "inception4d": "aux2"}  # the row after which each one stands


class WithAuxiliaryClassifiers(nn.Module):
    """A GoogLeNet with its two auxiliary classifiers.  [N,3,H,W] -> Logits

    The rows keep their names, and the auxiliary classifiers come before the head, as torchvision's.
    """

    def __init__(self, network: nn.Sequential, aux1: nn.Module, aux2: nn.Module) -> None:
        super().__init__()
        for name, row in network.named_children():
            if name == "avgpool":
                self.add_module("aux1", aux1)
                self.add_module("aux2", aux2)
            self.add_module(name, row)

    def forward(self, x: Tensor) -> Logits:
        auxiliary: dict[str, Tensor] = {}
        for name, row in self.named_children():
            if name in AUXILIARY.values():
                continue
            x = row(x)
            if name in AUXILIARY:
                auxiliary[AUXILIARY[name]] = self.get_submodule(AUXILIARY[name])(x)
        return Logits(logits=x, **auxiliary)


def googlenet_2014_aux(num_classes: int = 1000) -> WithAuxiliaryClassifiers:
    """`googlenet_2014` with auxiliary classifiers.  [N,3,224,224] -> Logits"""
    return WithAuxiliaryClassifiers(
        googlenet_2014(num_classes),
        auxiliary_classifier(512, num_classes, conv_relu, nn.AvgPool2d(5, stride=3)),
        auxiliary_classifier(528, num_classes, conv_relu, nn.AvgPool2d(5, stride=3)),
    )


def googlenet_aux(num_classes: int = 1000) -> WithAuxiliaryClassifiers:
    """`googlenet` with auxiliary classifiers, which pool any size to 4x4.  [N,3,H,W] -> Logits"""
    return WithAuxiliaryClassifiers(
        googlenet(num_classes),
        auxiliary_classifier(512, num_classes, conv_norm, nn.AdaptiveAvgPool2d(4)),
        auxiliary_classifier(528, num_classes, conv_norm, nn.AdaptiveAvgPool2d(4)),
    )
