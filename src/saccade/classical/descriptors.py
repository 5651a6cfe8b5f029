"""Descriptors of image patches: HOG, dense SIFT, colour statistics.

HOG: Dalal, Triggs 2005, "Histograms of Oriented Gradients for Human Detection".  Departure: a pixel
votes for its own cell and its nearest orientation alone, as in scikit-image; the paper interpolates
the vote between neighbouring cells and orientations.

Dense SIFT: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints", Section 6:
histograms of gradient orientations, 8 bins, in 4 x 4 cells around a point: 128 dimensions.
Departures: the points lie on a grid, at several scales and upright, as is usual for recognition
(Lazebnik 2006, Perronnin 2010), in place of detected keypoints; a patch without contrast is all 0.

Colour statistics: Perronnin, Sánchez, Mensink 2010, "Improving the Fisher Kernel", Section 4: mean
and standard deviation of each colour in 4 x 4 cells of a patch: 96 dimensions.

A window sum with separable weights is a product with two matrices, one for the height and one for
the width, which have a row for each sum and a column for each pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.models.layers.blocks import chain

HOG_ORIENTATIONS = 9  # unsigned, over 180 degrees
CELL = 8  # pixels in height and width
BLOCK = 2  # cells in height and width
HOG_CLIP = 0.2  # largest value before the second normalisation (L2-Hys)
HOG_EPSILON = 1e-5  # added to a block's L2 norm


def hog(
    num_classes: int = 2, *, input_shape: tuple[int, int, int] = (3, 128, 128)
) -> nn.Sequential:
    """HOG and a linear classifier, for images of one size.  [N,C,H,W] -> [N,num_classes]"""
    _, height, width = input_shape
    rows, columns = height // CELL - BLOCK + 1, width // CELL - BLOCK + 1
    return chain(
        hog=HOG(),
        flatten=nn.Flatten(),
        fc=nn.Linear(rows * columns * BLOCK * BLOCK * HOG_ORIENTATIONS, num_classes),
    )


class HOG(nn.Module):
    """Normalised blocks of 2 x 2 cells of 9 orientations.  [N,C,H,W] -> [N,36,rows,columns]

    At each pixel the channel with the largest gradient votes.  The order of the 36 is
    scikit-image's: row of the cell, column of the cell, orientation.
    """

    def forward(self, x: Tensor) -> Tensor:
        cells = F.avg_pool2d(hog_orientations(x), CELL)
        rows, columns = cells.shape[-2] - BLOCK + 1, cells.shape[-1] - BLOCK + 1
        corners = [(a, b) for a in range(BLOCK) for b in range(BLOCK)]
        blocks = [cells[..., a : a + rows, b : b + columns] for a, b in corners]
        x = normalise_block(torch.cat(blocks, dim=1)).clamp_max(HOG_CLIP)
        return normalise_block(x)


def hog_orientations(x: Tensor) -> Tensor:
    """The largest gradient's magnitude in its orientation's bin.  [N,C,H,W] -> [N,9,H,W]"""
    dy = F.pad(x[..., 2:, :] - x[..., :-2, :], (0, 0, 1, 1))
    dx = F.pad(x[..., 2:] - x[..., :-2], (1, 1))
    magnitude = torch.hypot(dy, dx)
    magnitude, strongest = magnitude.max(1, keepdim=True)
    dy, dx = dy.gather(1, strongest), dx.gather(1, strongest)
    orientation = torch.atan2(dy, dx) / math.pi % 1
    nearest = (orientation * HOG_ORIENTATIONS).long().clamp_max(HOG_ORIENTATIONS - 1)
    return torch.cat([torch.zeros_like(x[:, :1])] * HOG_ORIENTATIONS, 1).scatter(
        1, nearest, magnitude
    )


def normalise_block(x: Tensor) -> Tensor:
    """L2-normalise over channels: x / sqrt(|x|^2 + epsilon^2).  [N,C,H,W] -> same"""
    return x / ((x * x).sum(1, keepdim=True) + HOG_EPSILON**2).sqrt()


TRUNCATE = 4  # standard deviations after which a Gaussian ends


def grid_points(pixels: int, step: int, like: Tensor) -> Tensor:
    """Points `step` pixels apart, with equal margins to a pixel.  -> [points] int64, pixels"""
    return torch.arange((pixels - 1) % step // 2, pixels, step, device=like.device)


def window_sums(x: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    """Sums with separable weights.  [N,C,H,W], [rows,H], [columns,W] -> [N,C,rows,columns]"""
    return vertical @ x @ horizontal.mT


def cell_weights(
    pixels: int, points: Tensor, cells: int, weight: Callable[[Tensor], Tensor]
) -> Tensor:
    """The weight of each pixel in each cell around points [points].  -> [points*cells,pixels]

    `weight` takes distances [points,1,pixels] in pixels and gives [points,cells,pixels].
    """
    distance = torch.arange(pixels, device=points.device) - points[:, None]
    return weight(distance[:, None, :].float()).reshape(len(points) * cells, pixels)


def gaussian_blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of `sigma` pixels, reflected at the border ("101").  [N,C,H,W] -> same"""
    height, width = x.shape[-2:]
    return window_sums(x, _gaussian(height, sigma, x), _gaussian(width, sigma, x))


def _gaussian(pixels: int, sigma: float, like: Tensor) -> Tensor:
    """The matrix of a Gaussian blur along one axis.  -> [pixels,pixels]"""
    radius = (round(2 * TRUNCATE * sigma + 1) | 1) // 2
    offsets = torch.arange(-radius, radius + 1, device=like.device)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    columns = torch.arange(pixels, device=like.device)[:, None] + offsets
    period = max(2 * (pixels - 1), 1)
    columns = (columns % period).minimum(-columns % period)  # ... 2 1 0 1 2 ... n-2 n-1 n-2 ...
    return scatter_matrix(columns, (weights / weights.sum()).expand(columns.shape), pixels)


def scatter_matrix(columns: Tensor, weights: Tensor, pixels: int) -> Tensor:
    """The matrix with weights [rows,n] added at columns [rows,n] int64.  -> [rows,pixels]"""
    matrix = weights.new_zeros(len(columns), pixels)
    return matrix.scatter_add(1, columns, weights)


SIFT_CELLS = 4  # of a patch, in height and width
SIFT_ORIENTATIONS = 8
SIFT_CLIP = 0.2  # largest value before the second normalisation (Section 6.1)
SIFT_MIN_NORM = 1e-3  # in the units of the pixels; a smaller norm is rounding


class DenseSift(nn.Module):
    """SIFT on a grid, at several scales.  [N,1,H,W] -> [N,128,scales,rows,columns]

    The order of the 128 is OpenCV's: row of the cell, column of the cell, orientation.
    """

    def __init__(self, cells: tuple[int, ...] = (4, 6, 8, 10), step: int = 4) -> None:
        super().__init__()
        self.cells = cells  # pixels, height and width of a cell at each scale
        self.step = step  # pixels between two grid points

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self._at(x, cell) for cell in self.cells], dim=2)

    def _at(self, x: Tensor, cell: int) -> Tensor:
        """One scale.  [N,1,H,W] -> [N,128,rows,columns]"""
        votes = sift_orientations(gaussian_blur(x, blur_sigma(cell)))
        rows, columns = (
            cell_weights(
                n, grid_points(n, self.step, x), SIFT_CELLS, partial(spatial_weights, cell=cell)
            )
            for n in x.shape[-2:]
        )
        sums = window_sums(votes, rows, columns)
        sums = sums.unflatten(3, (-1, SIFT_CELLS)).unflatten(2, (-1, SIFT_CELLS))
        return normalise_descriptor(sums.permute(0, 3, 5, 1, 2, 4).flatten(1, 3))

    def extra_repr(self) -> str:
        return f"cells={self.cells}, step={self.step}"


def blur_sigma(cell: float) -> float:
    """The sigma in pixels that blurs an image to a total of a sixth of a cell.

    The image's own blur is taken to be 0.5 (Lowe 2004, Section 3.3).
    """
    return math.sqrt(max((cell / 6) ** 2 - 0.25, 0.01))


def sift_orientations(x: Tensor) -> Tensor:
    """Gradient magnitudes, interpolated between two orientations.  [N,1,H,W] -> [N,8,H,W]

    Pixels of the border have none.
    """
    dx, dy = torch.zeros_like(x), torch.zeros_like(x)
    dx[..., 1:-1, 1:-1] = x[..., 1:-1, 2:] - x[..., 1:-1, :-2]
    dy[..., 1:-1, 1:-1] = x[..., :-2, 1:-1] - x[..., 2:, 1:-1]
    orientation = torch.atan2(dy, dx) * (SIFT_ORIENTATIONS / (2 * math.pi))
    bins = torch.arange(SIFT_ORIENTATIONS, device=x.device).view(1, -1, 1, 1)
    difference = (
        orientation - bins + SIFT_ORIENTATIONS / 2
    ) % SIFT_ORIENTATIONS - SIFT_ORIENTATIONS / 2
    return torch.hypot(dx, dy) * (1 - difference.abs()).clamp_min(0)


def spatial_weights(distance: Tensor, cell: float) -> Tensor:
    """A pixel's weight in each of the four cells of a row: a triangle times a Gaussian.

    [points,1,pixels] -> [points,4,pixels]
    """
    position = distance / cell
    centres = torch.arange(SIFT_CELLS, device=distance.device) - (SIFT_CELLS - 1) / 2
    triangle = (1 - (position - centres[:, None]).abs()).clamp_min(0)
    return triangle * torch.exp(-((position / (SIFT_CELLS / 2)) ** 2) / 2)


def normalise_descriptor(x: Tensor) -> Tensor:
    """L2-normalise, clip at 0.2 and L2-normalise again.  [N,128,rows,columns] -> same

    A descriptor with a norm below `SIFT_MIN_NORM` stays small.
    """
    x = x / l2_norm(x).clamp_min(SIFT_MIN_NORM)
    clipped = x.clamp_max(SIFT_CLIP)
    return clipped * (l2_norm(x) / l2_norm(clipped).clamp_min(torch.finfo(x.dtype).tiny))


def l2_norm(x: Tensor) -> Tensor:
    """The L2 norm over channels.  [N,128,rows,columns] -> [N,1,rows,columns]"""
    return (x * x).sum(1, keepdim=True).sqrt()


COLOUR_CELLS = 4  # of a patch, in height and width


class ColourStatistics(nn.Module):
    """Means and standard deviations of colours, on the grid and scales of `DenseSift`.

    [N,3,H,W] -> [N,96,scales,rows,columns], in the order row of the cell, column of the cell,
    means, deviations.  The border is padded by replication.
    """

    def __init__(self, cells: tuple[int, ...] = (4, 6, 8, 10), step: int = 4) -> None:
        super().__init__()
        self.cells = cells  # pixels, height and width of a cell at each scale
        self.step = step  # pixels between two grid points

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self._at(x, cell) for cell in self.cells], dim=2)

    def _at(self, x: Tensor, cell: int) -> Tensor:
        """One scale.  [N,3,H,W] -> [N,96,rows,columns]"""
        height, width = (averaging_matrix(n, self.step, cell, x) for n in x.shape[-2:])
        mean = window_sums(x, height, width)
        square = window_sums(x * x, height, width)
        statistics = torch.cat([mean, (square - mean * mean).clamp_min(0).sqrt()], dim=1)
        statistics = statistics.unflatten(3, (-1, COLOUR_CELLS)).unflatten(2, (-1, COLOUR_CELLS))
        return statistics.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)

    def extra_repr(self) -> str:
        return f"cells={self.cells}, step={self.step}"


def averaging_matrix(pixels: int, step: int, cell: int, like: Tensor) -> Tensor:
    """The matrix that averages over the four cells of each grid point.  -> [points*4,pixels]"""
    starts = grid_points(pixels, step, like)[:, None] + torch.arange(
        -2 * cell, 2 * cell, cell, device=like.device
    )
    offsets = torch.arange(cell, device=like.device)
    columns = (starts.reshape(-1, 1) + offsets).clamp(0, pixels - 1)
    return scatter_matrix(columns, like.new_full(columns.shape, 1 / cell), pixels)


LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


class Grey(nn.Module):
    """Luma of an RGB image.  [N,3,H,W] -> [N,1,H,W]

    Departure: the channels come normalised, each by its own mean and standard deviation, so that
    their weights are not quite those of luma.
    """

    luma: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.luma).sum(1, keepdim=True)
