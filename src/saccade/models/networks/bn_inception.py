"""BN-Inception.  Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training
by reducing internal covariate shift", Figure 5.

4c and 4d project the pool to 128 channels, as the table's last column says and the public Caffe
networks do; they and 4e then give 608, 608 and 1056 channels, where its output column prints 576,
576 and 1024.  The pools of 3c and 4e are padded like the convolutions beside them, so that an
image of any size passes; Caffe's round up.
Departure: conv1 is one convolution; the paper's is separable, 3 -> 24 -> 64 channels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from saccade.models.layers.blocks import chain, conv_norm

Gate = Callable[[int], nn.Module]  # made for a number of channels


class Mixed(nn.Module):
    """Parallel branches, concatenated, then the gate.  [N,C,H,W] -> [N,cout,H',W']"""

    def __init__(self, cout: int, gate: Gate, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)
        self.branches = tuple(branches)
        self.se = gate(cout)

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.get_submodule(name)(x) for name in self.branches]
        return self.se(torch.cat(branches, dim=1))


def double3(cin: int, reduce: int, cout: int, *, stride: int = 1) -> nn.Sequential:
    """1x1, 3x3, 3x3: two small kernels for one 5x5.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return nn.Sequential(
        conv_norm(cin, reduce, 1),
        conv_norm(reduce, cout, 3, padding=1),
        conv_norm(cout, cout, 3, stride=stride, padding=1),
    )


def inception(
    cin: int,
    out1: int,
    reduce3: int,
    out3: int,
    reduce33: int,
    out33: int,
    proj: int,
    *,
    pool: type[nn.AvgPool2d] | type[nn.MaxPool2d] = nn.AvgPool2d,
    gate: Gate = nn.Identity,
) -> Mixed:
    """An Inception module that keeps the size.  [N,cin,H,W] -> [N,out1+out3+out33+proj,H,W]"""
    return Mixed(
        out1 + out3 + out33 + proj,
        gate,
        branch1=conv_norm(cin, out1, 1),
        branch2=nn.Sequential(conv_norm(cin, reduce3, 1), conv_norm(reduce3, out3, 3, padding=1)),
        branch3=double3(cin, reduce33, out33),
        branch4=nn.Sequential(pool(3, stride=1, padding=1), conv_norm(cin, proj, 1)),
    )


def reduction(
    cin: int, reduce3: int, out3: int, reduce33: int, out33: int, *, gate: Gate = nn.Identity
) -> Mixed:
    """An Inception module of stride 2.  [N,cin,H,W] -> [N,out3+out33+cin,H/2,W/2]"""
    last3 = conv_norm(reduce3, out3, 3, stride=2, padding=1)
    return Mixed(
        out3 + out33 + cin,
        gate,
        branch2=nn.Sequential(conv_norm(cin, reduce3, 1), last3),
        branch3=double3(cin, reduce33, out33, stride=2),
        branch4=nn.MaxPool2d(3, stride=2, padding=1),
    )


# fmt: off
def bn_inception(num_classes: int = 1000, *, gate: Gate = nn.Identity) -> nn.Sequential:
    """BN-Inception, every module with its `gate`.  [N,3,H,W] -> [N,num_classes]"""
    halve = partial(nn.MaxPool2d, 3, stride=2, ceil_mode=True)
    mixed, narrow = partial(inception, gate=gate), partial(reduction, gate=gate)
    return chain(
        conv1=conv_norm(3, 64, 7, stride=2, padding=3),                 #   64 x 112 x 112
        maxpool1=halve(),                                               #   64 x  56 x  56
        conv2=conv_norm(64, 64, 1),                                     #   64 x  56 x  56
        conv3=conv_norm(64, 192, 3, padding=1),                         #  192 x  56 x  56
        maxpool2=halve(),                                               #  192 x  28 x  28
        inception3a=mixed(  192,  64,  64,  64,  64,  96,  32),         #  256 x  28 x  28
        inception3b=mixed(  256,  64,  64,  96,  64,  96,  64),         #  320 x  28 x  28
        inception3c=narrow( 320,      128, 160,  64,  96     ),         #  576 x  14 x  14
        inception4a=mixed(  576, 224,  64,  96,  96, 128, 128),         #  576 x  14 x  14
        inception4b=mixed(  576, 192,  96, 128,  96, 128, 128),         #  576 x  14 x  14
        inception4c=mixed(  576, 160, 128, 160, 128, 160, 128),         #  608 x  14 x  14
        inception4d=mixed(  608,  96, 128, 192, 160, 192, 128),         #  608 x  14 x  14
        inception4e=narrow( 608,      128, 192, 192, 256     ),         # 1056 x   7 x   7
        inception5a=mixed( 1056, 352, 192, 320, 160, 224, 128),         # 1024 x   7 x   7
        inception5b=mixed( 1024, 352, 192, 320, 192, 224, 128, pool=nn.MaxPool2d),
        avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),          # 1024
        fc=nn.Linear(1024, num_classes),
    )
# fmt: on
