"""Pooling that PyTorch lacks: L2Pool, StochasticPool, MaxAcrossChannels.

Maximum and mean are `nn.MaxPool2d` and `nn.AvgPool2d`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class L2Pool(nn.Module):
    """Root of the sum of squares in each window.  [N,C,H,W] -> [N,C,h,w]

    Unlike `nn.LPPool2d`, the gradient of a window full of zeros is 0, not NaN.
    """

    def __init__(self, size: int, stride: int | None = None) -> None:
        super().__init__()
        self.size = size
        self.stride = stride or size

    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.vector_norm(windows(x, self.size, self.stride), dim=-1)

    def extra_repr(self) -> str:
        return f"{self.size}, stride={self.stride}"


class StochasticPool(nn.Module):
    """One value a window, drawn in proportion to itself.  Zeiler 2013.  [N,C,H,W] -> [N,C,h,w]

    Evaluation takes the expectation, the mean weighted by the same chances.  Negative values are
    never drawn; a window without positive values is drawn from evenly.  Draws come from PyTorch's
    own generator, as those of `nn.Dropout` do.
    """

    def __init__(self, size: int, stride: int | None = None) -> None:
        super().__init__()
        self.size = size
        self.stride = stride or size

    def forward(self, x: Tensor) -> Tensor:
        values = windows(x, self.size, self.stride)
        chance = chances(values)
        if not self.training:
            return (chance * values).sum(-1)
        drawn = torch.multinomial(chance.detach().flatten(0, -2), 1)
        return values.gather(-1, drawn.view(*values.shape[:-1], 1)).squeeze(-1)

    def extra_repr(self) -> str:
        return f"{self.size}, stride={self.stride}"


class MaxAcrossChannels(nn.Module):
    """Maximum over each run of `size` channels, "maxout".  [N,C,...] -> [N,C/size,...]

    The gradient goes to the winning channel alone.  Goodfellow 2013.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size  # channels

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.size)).max(2).values

    def extra_repr(self) -> str:
        return str(self.size)


def windows(x: Tensor, size: int, stride: int) -> Tensor:
    """The values under each window.  [N,C,H,W] -> [N,C,h,w,size*size]"""
    return x.unfold(2, size, stride).unfold(3, size, stride).flatten(-2)


def chances(values: Tensor) -> Tensor:
    """Share of each positive value in its window, 1/n where none is.  [...,n] -> [...,n]"""
    positive = values.clamp_min(0)
    total = positive.sum(-1, keepdim=True)
    return torch.where(total > 0, positive / total.clamp_min(1e-30), 1 / values.shape[-1])
