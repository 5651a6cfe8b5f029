"""Descriptors of image patches: HOG, dense SIFT, colour statistics.

HOG: Dalal, Triggs 2005, "Histograms of Oriented Gradients for Human Detection".  Departure: a pixel
votes for its own cell and its nearest direction alone, as in scikit-image; the paper shares the
vote between neighbouring cells and directions.

Dense SIFT: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints", Section 6:
histograms of the gradient's direction, 8 bins, in 4 x 4 cells around a point: 128 numbers.
Departures: the points lie on a grid, at several scales and upright, as is usual for recognition
(Lazebnik 2006, Perronnin 2010), in place of those that a detector finds; a patch in which nothing
changes is all 0.

Colour statistics: Perronnin, Sánchez, Mensink 2010, "Improving the Fisher Kernel", Section 4: mean
and standard deviation of each colour in 4 x 4 cells of a patch: 96 numbers beside SIFT's 128.

A sum over a window whose weights are a product, of one along the height and one along the width, is
two products with matrices.  These are made for each size of image: a row a sum, a column a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.models.layers.blocks import chain

HOG_DIRECTIONS = 9  # over half a turn: a gradient and its opposite are one
CELL = 8  # pixels of a cell's side
BLOCK = 2  # cells of a block's side
HOG_HIGHEST = 0.2  # largest share of one number, before the second normalisation (L2-Hys)
HOG_FAINT = 1e-5  # added to a block's length


def hog(
    num_classes: int = 2, *, input_shape: tuple[int, int, int] = (3, 128, 128)
) -> nn.Sequential:
    """Gradients in cells, for images of one size.  [N,C,H,W] -> [N,num_classes]"""
    _, height, width = input_shape
    rows, columns = height // CELL - BLOCK + 1, width // CELL - BLOCK + 1
    return chain(
        hog=HOG(),
        flatten=nn.Flatten(),
        fc=nn.Linear(rows * columns * BLOCK * BLOCK * HOG_DIRECTIONS, num_classes),
    )


class HOG(nn.Module):
    """Blocks of 2 x 2 cells of 9 directions, normalised.  [N,C,H,W] -> [N,36,rows,columns]

    At each pixel the channel with the longest gradient votes.  The order of the 36 is
    scikit-image's: row of the cell, column of the cell, direction.
    """

    def forward(self, x: Tensor) -> Tensor:
        cells = F.avg_pool2d(hog_directions(x), CELL)
        rows, columns = cells.shape[-2] - BLOCK + 1, cells.shape[-1] - BLOCK + 1
        corners = [(a, b) for a in range(BLOCK) for b in range(BLOCK)]
        blocks = [cells[..., a : a + rows, b : b + columns] for a, b in corners]
        x = unit(torch.cat(blocks, dim=1)).clamp_max(HOG_HIGHEST)
        return unit(x)


def hog_directions(x: Tensor) -> Tensor:
    """The strongest gradient's length, in its direction's plane.  [N,C,H,W] -> [N,9,H,W]"""
    down = F.pad(x[..., 2:, :] - x[..., :-2, :], (0, 0, 1, 1))
    across = F.pad(x[..., 2:] - x[..., :-2], (1, 1))
    length = torch.hypot(down, across)
    length, strongest = length.max(1, keepdim=True)
    down, across = down.gather(1, strongest), across.gather(1, strongest)
    turn = torch.atan2(down, across) / math.pi % 1
    nearest = (turn * HOG_DIRECTIONS).long().clamp_max(HOG_DIRECTIONS - 1)
    return torch.cat([torch.zeros_like(x[:, :1])] * HOG_DIRECTIONS, 1).scatter(1, nearest, length)


def unit(x: Tensor) -> Tensor:
    """Over channels, to length 1 nearly."""
    return x / ((x * x).sum(1, keepdim=True) + HOG_FAINT**2).sqrt()


BORDER_FACTOR = 4  # deviations after which a Gaussian ends


def centres(pixels: int, step: int, like: Tensor) -> Tensor:
    """Points `step` pixels apart that leave the same margin, to a pixel, at both ends.  [points]"""
    return torch.arange((pixels - 1) % step // 2, pixels, step, device=like.device)


def window_sums(x: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    """[N,C,H,W], [rows,H], [columns,W] -> [N,C,rows,columns]"""
    return vertical @ x @ horizontal.mT


def bins(pixels: int, points: Tensor, cells: int, weight: Callable[[Tensor], Tensor]) -> Tensor:
    """The weight of each pixel for each of `cells` cells around each point.  [points*cells,pixels]

    `weight` takes distances [points,1,pixels] in pixels and gives [points,cells,pixels].
    """
    distance = torch.arange(pixels, device=points.device) - points[:, None]
    return weight(distance[:, None, :].float()).reshape(len(points) * cells, pixels)


def blur(x: Tensor, deviation: float) -> Tensor:
    """Gaussian smoothing, pixels mirrored at the border without it twice.  [N,C,H,W] -> same"""
    height, width = x.shape[-2:]
    return window_sums(x, _gaussian(height, deviation, x), _gaussian(width, deviation, x))


def _gaussian(pixels: int, deviation: float, like: Tensor) -> Tensor:
    """The matrix of a Gaussian that ends after four deviations.  [pixels,pixels]"""
    radius = (round(2 * BORDER_FACTOR * deviation + 1) | 1) // 2
    offsets = torch.arange(-radius, radius + 1, device=like.device)
    weights = torch.exp(-0.5 * (offsets / deviation) ** 2)
    places = torch.arange(pixels, device=like.device)[:, None] + offsets
    period = max(2 * (pixels - 1), 1)
    places = (places % period).minimum(-places % period)  # ... 2 1 0 1 2 ... n-2 n-1 n-2 ...
    return gathered(places, (weights / weights.sum()).expand(places.shape), pixels)


def gathered(places: Tensor, weights: Tensor, pixels: int) -> Tensor:
    """The matrix with `weights` at the columns `places`, added where they meet.  [rows,pixels]"""
    matrix = weights.new_zeros(len(places), pixels)
    return matrix.scatter_add(1, places, weights)


SIFT_CELLS = 4  # along each side of a patch
SIFT_DIRECTIONS = 8
SIFT_HIGHEST = 0.2  # largest share of one number, before the second normalisation (Section 6.1)
SIFT_FAINT = 1e-3  # length of a descriptor, in the units of the pixels, below which it is rounding


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
        votes = sift_directions(blur(x, smoothing(cell)))
        rows, columns = (
            bins(n, centres(n, self.step, x), SIFT_CELLS, partial(vote, cell=cell))
            for n in x.shape[-2:]
        )
        sums = window_sums(votes, rows, columns)
        sums = sums.unflatten(3, (-1, SIFT_CELLS)).unflatten(2, (-1, SIFT_CELLS))
        return clipped(sums.permute(0, 3, 5, 1, 2, 4).flatten(1, 3))

    def extra_repr(self) -> str:
        return f"cells={self.cells}, step={self.step}"


def smoothing(cell: float) -> float:
    """Deviation of the blur, in pixels, that gives a sixth of a cell in all.

    A camera's own is taken to be 0.5 (Lowe 2004, Section 3.3).
    """
    return math.sqrt(max((cell / 6) ** 2 - 0.25, 0.01))


def sift_directions(x: Tensor) -> Tensor:
    """The length of the gradient, shared by the two nearest directions.  [N,1,H,W] -> [N,8,H,W]

    Pixels of the border have none.
    """
    across, up = torch.zeros_like(x), torch.zeros_like(x)
    across[..., 1:-1, 1:-1] = x[..., 1:-1, 2:] - x[..., 1:-1, :-2]
    up[..., 1:-1, 1:-1] = x[..., :-2, 1:-1] - x[..., 2:, 1:-1]
    turn = torch.atan2(up, across) * (SIFT_DIRECTIONS / (2 * math.pi))
    every = torch.arange(SIFT_DIRECTIONS, device=x.device).view(1, -1, 1, 1)
    apart = (turn - every + SIFT_DIRECTIONS / 2) % SIFT_DIRECTIONS - SIFT_DIRECTIONS / 2
    return torch.hypot(across, up) * (1 - apart.abs()).clamp_min(0)


def vote(distance: Tensor, cell: float) -> Tensor:
    """A pixel's weight in each of the four cells of a line: a triangle times a Gaussian.

    [points,1,pixels] -> [points,4,pixels]
    """
    place = distance / cell
    middles = torch.arange(SIFT_CELLS, device=distance.device) - (SIFT_CELLS - 1) / 2
    near = (1 - (place - middles[:, None]).abs()).clamp_min(0)
    return near * torch.exp(-((place / (SIFT_CELLS / 2)) ** 2) / 2)


def clipped(x: Tensor) -> Tensor:
    """To length 1, no number above 0.2, to length 1 again; what is faint stays so.  Same shape"""
    x = x / length(x).clamp_min(SIFT_FAINT)
    low = x.clamp_max(SIFT_HIGHEST)
    return low * (length(x) / length(low).clamp_min(torch.finfo(x.dtype).tiny))


def length(x: Tensor) -> Tensor:
    """Over channels.  [N,128,rows,columns] -> [N,1,rows,columns]"""
    return (x * x).sum(1, keepdim=True).sqrt()


CELLS = 4  # along each side of a patch


class ColourStatistics(nn.Module):
    """Each grid point's colours at each scale, on the grid of `DenseSift`.

    [N,3,H,W] -> [N,96,scales,rows,columns], in the order row of the cell, column of the cell,
    means, deviations.  Beyond the border an image goes on as its last pixel.
    """

    def __init__(self, cells: tuple[int, ...] = (4, 6, 8, 10), step: int = 4) -> None:
        super().__init__()
        self.cells = cells  # pixels of a cell's side, one a scale
        self.step = step  # pixels between two grid points

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self._at(x, cell) for cell in self.cells], dim=2)

    def _at(self, x: Tensor, cell: int) -> Tensor:
        """One scale.  [N,3,H,W] -> [N,96,rows,columns]"""
        height, width = (averages(n, self.step, cell, x) for n in x.shape[-2:])
        mean = window_sums(x, height, width)
        square = window_sums(x * x, height, width)
        both = torch.cat([mean, (square - mean * mean).clamp_min(0).sqrt()], dim=1)
        both = both.unflatten(3, (-1, CELLS)).unflatten(2, (-1, CELLS))
        return both.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)

    def extra_repr(self) -> str:
        return f"cells={self.cells}, step={self.step}"


def averages(pixels: int, step: int, cell: int, like: Tensor) -> Tensor:
    """The matrix that averages over the four cells of each grid point.  [points*4,pixels]"""
    starts = centres(pixels, step, like)[:, None] + torch.arange(
        -2 * cell, 2 * cell, cell, device=like.device
    )
    inside = torch.arange(cell, device=like.device)
    places = (starts.reshape(-1, 1) + inside).clamp(0, pixels - 1)
    return gathered(places, like.new_full(places.shape, 1 / cell), pixels)


LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


class Grey(nn.Module):
    """[N,3,H,W] -> [N,1,H,W]

    Departure: the channels come normalised, each by its own mean and deviation, so that the shares
    are not quite those of luma.
    """

    luma: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.luma).sum(1, keepdim=True)
