"""DenseSift: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints", Section 6.

Histograms of the gradient's direction, 8 bins, in 4 x 4 cells around a point: 128 numbers.
Departures: the points lie on a grid, at several scales and upright, as is usual for recognition
(Lazebnik 2006, Perronnin 2010), in place of those that a detector finds; a patch in which nothing
changes is all 0.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

from saccade.classical.grid import bins, blur, centres, window_sums

CELLS = 4  # along each side of a patch
DIRECTIONS = 8
HIGHEST = 0.2  # largest share of one number, before the second normalisation (Section 6.1)
FAINT = 1e-3  # length of a descriptor, in the units of the pixels, below which it is rounding


class DenseSift(nn.Module):
    """Each grid point's surroundings at each scale.  [N,1,H,W] -> [N,128,scales,rows,columns]

    The order of the 128 is OpenCV's: row of the cell, column of the cell, direction.
    """

    def __init__(self, cells: tuple[int, ...] = (4, 6, 8, 10), step: int = 4) -> None:
        super().__init__()
        self.cells = cells  # pixels of a cell's side, one a scale
        self.step = step  # pixels between two grid points

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self._at(x, cell) for cell in self.cells], dim=2)

    def _at(self, x: Tensor, cell: int) -> Tensor:
        """One scale.  [N,1,H,W] -> [N,128,rows,columns]"""
        votes = directions(blur(x, smoothing(cell)))
        rows, columns = (
            bins(n, centres(n, self.step, x), CELLS, partial(vote, cell=cell)) for n in x.shape[-2:]
        )
        sums = window_sums(votes, rows, columns)
        sums = sums.unflatten(3, (-1, CELLS)).unflatten(2, (-1, CELLS))
        return clipped(sums.permute(0, 3, 5, 1, 2, 4).flatten(1, 3))

    def extra_repr(self) -> str:
        return f"cells={self.cells}, step={self.step}"


def smoothing(cell: float) -> float:
    """Deviation of the blur, in pixels, that gives a sixth of a cell in all.

    A camera's own is taken to be 0.5 (Lowe 2004, Section 3.3).
    """
    return math.sqrt(max((cell / 6) ** 2 - 0.25, 0.01))


def directions(x: Tensor) -> Tensor:
    """The length of the gradient, shared by the two nearest directions.  [N,1,H,W] -> [N,8,H,W]

    Pixels of the border have none.
    """
    across, up = torch.zeros_like(x), torch.zeros_like(x)
    across[..., 1:-1, 1:-1] = x[..., 1:-1, 2:] - x[..., 1:-1, :-2]
    up[..., 1:-1, 1:-1] = x[..., :-2, 1:-1] - x[..., 2:, 1:-1]
    turn = torch.atan2(up, across) * (DIRECTIONS / (2 * math.pi))
    every = torch.arange(DIRECTIONS, device=x.device).view(1, -1, 1, 1)
    apart = (turn - every + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2
    return torch.hypot(across, up) * (1 - apart.abs()).clamp_min(0)


def vote(distance: Tensor, cell: float) -> Tensor:
    """A pixel's weight in each of the four cells of a line: a triangle times a Gaussian.

    [points,1,pixels] -> [points,4,pixels]
    """
    place = distance / cell
    middles = torch.arange(CELLS, device=distance.device) - (CELLS - 1) / 2
    near = (1 - (place - middles[:, None]).abs()).clamp_min(0)
    return near * torch.exp(-((place / (CELLS / 2)) ** 2) / 2)


def clipped(x: Tensor) -> Tensor:
    """To length 1, no number above 0.2, to length 1 again; what is faint stays so.  Same shape"""
    x = x / length(x).clamp_min(FAINT)
    low = x.clamp_max(HIGHEST)
    return low * (length(x) / length(low).clamp_min(torch.finfo(x.dtype).tiny))


def length(x: Tensor) -> Tensor:
    """Over channels.  [N,128,rows,columns] -> [N,1,rows,columns]"""
    return (x * x).sum(1, keepdim=True).sqrt()
