"""Plain networks of ResNet's depths.  He et al. 2015, "Deep residual learning for image
recognition", Figure 3 middle and Table 2.

Departure: depths 50 to 152, with bottlenecks, are not in the paper; they are there to be compared.
"""

from __future__ import annotations

from torch import nn

from saccade.layers.chain import chain
from saccade.models.resnet import conv


# fmt: off
def plain_basic(cin: int, cout: int, stride: int) -> nn.Sequential:
    """ResNet's basic block without its shortcut.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    return chain(
        conv1=conv(cin, cout, 3, stride), bn1=nn.BatchNorm2d(cout), relu1=nn.ReLU(),
        conv2=conv(cout, cout, 3),        bn2=nn.BatchNorm2d(cout), relu2=nn.ReLU(),
    )


def plain_bottleneck(cin: int, cout: int, stride: int) -> nn.Sequential:
    """ResNet's bottleneck without its shortcut.  [N,cin,H,W] -> [N,cout,H/stride,W/stride]"""
    width = cout // 4
    return chain(
        conv1=conv(cin, width, 1),           bn1=nn.BatchNorm2d(width), relu1=nn.ReLU(),
        conv2=conv(width, width, 3, stride), bn2=nn.BatchNorm2d(width), relu2=nn.ReLU(),
        conv3=conv(width, cout, 1),          bn3=nn.BatchNorm2d(cout),  relu3=nn.ReLU(),
    )
# fmt: on
