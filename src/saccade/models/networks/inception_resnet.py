"""Inception-ResNet-v2.  Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the impact of
residual connections on learning".

Departures: this is the network of the public weights, which its authors released after the paper:
Inception-v3's stem, 10, 20 and 10 residual modules where Figure 15 has 5, 10 and 5, and 1088 and
2080 channels for 1154 and 2048.  Its rows keep the names of those weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saccade.models.layers.blocks import chain, conv_norm
from saccade.models.networks.bn_inception import Gate, Mixed


class Residual(nn.Module):
    """x + scale * (concatenated branches, then a 1x1 to x's channels).  [N,C,H,W] -> same"""

    def __init__(
        self,
        channels: int,
        width: int,  # channels of all branches together
        scale: float,
        *,
        gate: Gate,
        relu: nn.Module,
        **branches: nn.Module,
    ) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)
        self.conv2d = nn.Conv2d(width, channels, 1)
        self.se = gate(channels)
        self.drop: nn.Module = nn.Identity()  # for stochastic depth
        self.relu = relu
        self.scale = scale
        self.branches = tuple(branches)

    def forward(self, x: Tensor) -> Tensor:
        branches = torch.cat([self.get_submodule(name)(x) for name in self.branches], dim=1)
        return self.relu(self.drop(self.se(self.conv2d(branches)) * self.scale) + x)


def mixed_5b(gate: Gate) -> Mixed:
    """The first Inception module, of Inception-v3.  [N,192,35,35] -> [N,320,35,35]"""
    pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return Mixed(
        320,
        gate,
        branch0=conv_norm(192, 96, 1),
        branch1=nn.Sequential(conv_norm(192, 48, 1), conv_norm(48, 64, 5, padding=2)),
        branch2=nn.Sequential(
            conv_norm(192, 64, 1), conv_norm(64, 96, 3, padding=1), conv_norm(96, 96, 3, padding=1)
        ),
        branch3=nn.Sequential(pool, conv_norm(192, 64, 1)),
    )


def block35(gate: Gate) -> Residual:
    """Figure 16, Inception-ResNet-A.  [N,320,35,35] -> same"""
    return Residual(
        320,
        128,
        0.17,
        gate=gate,
        relu=nn.ReLU(),
        branch0=conv_norm(320, 32, 1),
        branch1=nn.Sequential(conv_norm(320, 32, 1), conv_norm(32, 32, 3, padding=1)),
        branch2=nn.Sequential(
            conv_norm(320, 32, 1), conv_norm(32, 48, 3, padding=1), conv_norm(48, 64, 3, padding=1)
        ),
    )


def mixed_6a(gate: Gate) -> Mixed:
    """Figure 7, Reduction-A.  [N,320,35,35] -> [N,1088,17,17]"""
    return Mixed(
        1088,
        gate,
        branch0=conv_norm(320, 384, 3, stride=2),
        branch1=nn.Sequential(
            conv_norm(320, 256, 1),
            conv_norm(256, 256, 3, padding=1),
            conv_norm(256, 384, 3, stride=2),
        ),
        branch2=nn.MaxPool2d(3, stride=2),
    )


def block17(gate: Gate) -> Residual:
    """Figure 17, Inception-ResNet-B.  [N,1088,17,17] -> same"""
    return Residual(
        1088,
        384,
        0.10,
        gate=gate,
        relu=nn.ReLU(),
        branch0=conv_norm(1088, 192, 1),
        branch1=nn.Sequential(
            conv_norm(1088, 128, 1),
            conv_norm(128, 160, (1, 7), padding=(0, 3)),
            conv_norm(160, 192, (7, 1), padding=(3, 0)),
        ),
    )


def mixed_7a(gate: Gate) -> Mixed:
    """Figure 18, Reduction-B.  [N,1088,17,17] -> [N,2080,8,8]"""
    return Mixed(
        2080,
        gate,
        branch0=nn.Sequential(conv_norm(1088, 256, 1), conv_norm(256, 384, 3, stride=2)),
        branch1=nn.Sequential(conv_norm(1088, 256, 1), conv_norm(256, 288, 3, stride=2)),
        branch2=nn.Sequential(
            conv_norm(1088, 256, 1),
            conv_norm(256, 288, 3, padding=1),
            conv_norm(288, 320, 3, stride=2),
        ),
        branch3=nn.MaxPool2d(3, stride=2),
    )


def block8(gate: Gate, scale: float, relu: type[nn.Module]) -> Residual:
    """Figure 19, Inception-ResNet-C.  [N,2080,8,8] -> same"""
    return Residual(
        2080,
        448,
        scale,
        gate=gate,
        relu=relu(),
        branch0=conv_norm(2080, 192, 1),
        branch1=nn.Sequential(
            conv_norm(2080, 192, 1),
            conv_norm(192, 224, (1, 3), padding=(0, 1)),
            conv_norm(224, 256, (3, 1), padding=(1, 0)),
        ),
    )


# fmt: off
def inception_resnet_v2(num_classes: int = 1000, *, gate: Gate = nn.Identity) -> nn.Sequential:
    """Inception-ResNet-v2, every module with its `gate`.  [N,3,H,W] -> [N,num_classes]"""
    return chain(
        conv2d_1a=conv_norm(3, 32, 3, stride=2),                                  #   32 x 149 x 149
        conv2d_2a=conv_norm(32, 32, 3),                                           #   32 x 147 x 147
        conv2d_2b=conv_norm(32, 64, 3, padding=1),                                #   64 x 147 x 147
        maxpool_3a=nn.MaxPool2d(3, stride=2),                                     #   64 x  73 x  73
        conv2d_3b=conv_norm(64, 80, 1),                                           #   80 x  73 x  73
        conv2d_4a=conv_norm(80, 192, 3),                                          #  192 x  71 x  71
        maxpool_5a=nn.MaxPool2d(3, stride=2),                                     #  192 x  35 x  35
        mixed_5b=mixed_5b(gate),                                                  #  320 x  35 x  35
        repeat=nn.Sequential(*[block35(gate) for _ in range(10)]),                #  320 x  35 x  35
        mixed_6a=mixed_6a(gate),                                                  # 1088 x  17 x  17
        repeat_1=nn.Sequential(*[block17(gate) for _ in range(20)]),              # 1088 x  17 x  17
        mixed_7a=mixed_7a(gate),                                                  # 2080 x   8 x   8
        repeat_2=nn.Sequential(*[block8(gate, 0.2, nn.ReLU) for _ in range(9)]),  # 2080 x   8 x   8
        block8=block8(gate, 1.0, nn.Identity),                                    # 2080 x   8 x   8
        conv2d_7b=conv_norm(2080, 1536, 1),                                       # 1536 x   8 x   8
        global_pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),                # 1536
        classif=nn.Linear(1536, num_classes),
    )
# fmt: on
