"""The grid on which pictures are described, and sums over windows around its points.

A sum over a window with weights that are a product, of one along the height and one along the
width, is two products with matrices.  These are made for each size of picture: a row a sum, a
column a pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

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
