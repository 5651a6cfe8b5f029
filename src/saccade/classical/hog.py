"""HOG.  Dalal, Triggs 2005, "Histograms of Oriented Gradients for Human Detection".

Departure: a pixel votes for its own cell and its nearest direction alone, as in scikit-image; the
paper shares the vote between neighbouring cells and directions.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.layers.chain import chain

DIRECTIONS = 9  # over half a turn: a gradient and its opposite are one
CELL = 8  # pixels of a cell's side
BLOCK = 2  # cells of a block's side
HIGHEST = 0.2  # largest share of one number, before the second normalisation (L2-Hys)
FAINT = 1e-5  # added to a block's length


def hog(
    num_classes: int = 2, *, input_shape: tuple[int, int, int] = (3, 128, 128)
) -> nn.Sequential:
    """Gradients in cells, for pictures of one size.  [N,C,H,W] -> [N,num_classes]"""
    _, height, width = input_shape
    rows, columns = height // CELL - BLOCK + 1, width // CELL - BLOCK + 1
    return chain(
        hog=Hog(),
        flatten=nn.Flatten(),
        fc=nn.Linear(rows * columns * BLOCK * BLOCK * DIRECTIONS, num_classes),
    )


class Hog(nn.Module):
    """Blocks of 2 x 2 cells of 9 directions, normalised.  [N,C,H,W] -> [N,36,rows,columns]

    At each pixel the channel with the longest gradient votes.  The order of the 36 is
    scikit-image's: row of the cell, column of the cell, direction.
    """

    def forward(self, x: Tensor) -> Tensor:
        cells = F.avg_pool2d(directions(x), CELL)
        rows, columns = cells.shape[-2] - BLOCK + 1, cells.shape[-1] - BLOCK + 1
        corners = [(a, b) for a in range(BLOCK) for b in range(BLOCK)]
        blocks = [cells[..., a : a + rows, b : b + columns] for a, b in corners]
        x = unit(torch.cat(blocks, dim=1)).clamp_max(HIGHEST)
        return unit(x)


def directions(x: Tensor) -> Tensor:
    """The strongest gradient's length, in its direction's plane.  [N,C,H,W] -> [N,9,H,W]"""
    down = F.pad(x[..., 2:, :] - x[..., :-2, :], (0, 0, 1, 1))
    across = F.pad(x[..., 2:] - x[..., :-2], (1, 1))
    length = torch.hypot(down, across)
    length, strongest = length.max(1, keepdim=True)
    down, across = down.gather(1, strongest), across.gather(1, strongest)
    turn = torch.atan2(down, across) / math.pi % 1
    nearest = (turn * DIRECTIONS).long().clamp_max(DIRECTIONS - 1)
    return torch.cat([torch.zeros_like(x[:, :1])] * DIRECTIONS, 1).scatter(1, nearest, length)


def unit(x: Tensor) -> Tensor:
    """Over channels, to length 1 nearly."""
    return x / ((x * x).sum(1, keepdim=True) + FAINT**2).sqrt()
