"""SubSampling.  LeCun 1998, section II-B, layers S2 and S4 of LeNet-5."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SubSampling(nn.Module):
    """Sum over size x size places, times a coefficient, plus a bias.  [N,C,H,W] -> [N,C,h,w]

    One coefficient and one bias a channel, both learned; the coefficient starts at the mean.
    """

    def __init__(self, channels: int, size: int = 2) -> None:
        super().__init__()
        self.size = size  # places along each side
        self.weight = nn.Parameter(torch.full((channels,), 1 / size**2))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        total = F.avg_pool2d(x, self.size, divisor_override=1)
        return total * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, size={self.size}"
