"""Shortcuts of residual networks, decided by shape.  He 2015, "Deep residual learning", 3.3.

Where input and output agree in shape, both kinds are the identity.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

Shortcut = Callable[[int, int, int], nn.Module]  # cin, cout, stride


class PadChannels(nn.Module):
    """Every `stride`-th place, zero channels before and after.  [N,cin,H,W] -> [N,cout,H',W']"""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.before, self.stride = (cout - cin) // 2, stride
        self.after = cout - cin - self.before

    def forward(self, x: Tensor) -> Tensor:
        places = x[:, :, :: self.stride, :: self.stride]
        return F.pad(places, (0, 0, 0, 0, self.before, self.after))


def projection(cin: int, cout: int, stride: int) -> nn.Module:
    """Option B: a 1x1 convolution where the shape changes.  [N,cin,H,W] -> [N,cout,H',W']"""
    if cin == cout and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(cin, cout, 1, stride=stride, bias=False), nn.BatchNorm2d(cout))


def padding(cin: int, cout: int, stride: int) -> nn.Module:
    """Option A: zeros where the shape changes, no weights.  [N,cin,H,W] -> [N,cout,H',W']"""
    if cin == cout and stride == 1:
        return nn.Identity()
    return PadChannels(cin, cout, stride)
