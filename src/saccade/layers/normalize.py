"""Normalize: row 0 of every trained network, the only place that knows means and deviations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saccade.layers.chain import chain


class Normalize(nn.Module):
    """Pixel values, 0 to 255, to `(x / 255 - mean) / std` per channel.  [N,C,H,W] -> [N,C,H,W]

    `mean` and `std` have one number a channel, on the scale 0 to 1 as papers and libraries quote
    them.  Takes uint8 and floating point alike and gives floating point.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        shape = (1, len(mean), 1, 1)
        self.register_buffer("mean", 255 * torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(shape), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def normalized(
    network: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]
) -> nn.Sequential:
    """`network` with `Normalize` as row 0; the weights of a chain keep their names."""
    rows = network.named_children() if type(network) is nn.Sequential else [("network", network)]
    return chain(normalize=Normalize(mean, std), **dict(rows))
