"""LocallyConnected: a convolution whose places share nothing.  LeCun 1989, Net-3."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LocallyConnected(nn.Module):
    """Every place of the output has filters and biases of its own.  [N,cin,H,W] -> [N,cout,h,w]

    `size` is the side of the square input; h and w follow from it as for a convolution.
    """

    def __init__(
        self, cin: int, cout: int, kernel_size: int, *, size: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.side = (size + 2 * padding - kernel_size) // stride + 1  # places along each side
        fan_in = cin * kernel_size**2
        bound = fan_in**-0.5  # as `nn.Conv2d`
        self.weight = nn.Parameter(torch.empty(self.side**2, fan_in, cout).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(self.side**2, cout).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, self.kernel_size, padding=self.padding, stride=self.stride)
        y = torch.baddbmm(self.bias.unsqueeze(1), patches.permute(2, 0, 1), self.weight)
        return y.permute(1, 2, 0).unflatten(2, (self.side, self.side))

    def filters(self) -> Tensor:
        """The filters as pictures, a place a row of them.  [places,cout,cin,kernel,kernel]"""
        shape = (-1, self.kernel_size, self.kernel_size)
        return self.weight.transpose(1, 2).unflatten(2, shape)

    def extra_repr(self) -> str:
        places, fan_in, cout = self.weight.shape
        cin = fan_in // self.kernel_size**2
        return (
            f"{cin}, {cout}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, places={places}"
        )
