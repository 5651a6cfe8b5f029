"""Filters by hand, and pyramids made with them: edges, smoothing, sharpening.

Burt 1983, "The Laplacian pyramid as a compact image code".
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor


def vertical_edge() -> Tensor:
    """The difference of neighbours: positive where it grows brighter to the right.  [1,2]"""
    return torch.tensor([[-1.0, 1.0]])


def box(size: int) -> Tensor:
    """The mean of size x size pixels.  [size,size]"""
    return torch.full((size, size), 1 / size**2)


def gaussian(size: int, sigma: float) -> Tensor:
    """Weights that fall off with the distance, of sum 1; sigma in pixels.  [size,size]"""
    place = torch.arange(size) - (size - 1) / 2
    line = torch.exp(-(place**2) / (2 * sigma**2))
    return torch.outer(line, line) / line.sum() ** 2


def sharpening(size: int, sigma: float, amount: float = 1.0) -> Tensor:
    """The image plus `amount` times what smoothing takes from it; size is odd.  [size,size]"""
    pulse = torch.zeros(size, size)
    pulse[size // 2, size // 2] = 1
    return pulse + amount * (pulse - gaussian(size, sigma))


def burt() -> Tensor:
    """The pyramids' own smoothing, near a Gaussian; Burt 1983, section 2 with a = 0.4.  [5,5]"""
    line = torch.tensor([0.05, 0.25, 0.4, 0.25, 0.05])
    return torch.outer(line, line)


def filtered(images: Tensor, kernel: Tensor) -> Tensor:
    """Each channel under the kernel, unflipped, edges repeated.  [N,C,H,W] -> [N,C,H,W]"""
    height, width = kernel.shape
    margin = ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2)
    padded = F.pad(images, margin, mode="replicate")
    kernels = kernel.to(images).expand(images.shape[1], 1, height, width)
    return F.conv2d(padded, kernels, groups=images.shape[1])


def gaussian_pyramid(images: Tensor, levels: int) -> list[Tensor]:
    """The images, smoothed and halved again and again.  [N,C,H,W] -> [N,C,H/2^i,W/2^i] each"""
    pyramid = [images]
    for _ in range(levels - 1):
        pyramid.append(filtered(pyramid[-1], burt())[:, :, ::2, ::2])
    return pyramid


def laplacian_pyramid(images: Tensor, levels: int) -> list[Tensor]:
    """What each halving loses, then the smallest.  [N,C,H,W] -> [N,C,H/2^i,W/2^i] each"""
    smoothed = gaussian_pyramid(images, levels)
    lost = [fine - _enlarged(coarse, fine) for fine, coarse in pairwise(smoothed)]
    return [*lost, smoothed[-1]]


def restored(pyramid: list[Tensor]) -> Tensor:
    """The images of which this is the Laplacian pyramid.  [N,C,H/2^i,W/2^i] each -> [N,C,H,W]"""
    *lost, images = pyramid
    for detail in reversed(lost):
        images = detail + _enlarged(images, detail)
    return images


def _enlarged(images: Tensor, like: Tensor) -> Tensor:
    """Twice the size, new pixels between the old as weighted means of them."""
    spread, weight = torch.zeros_like(like), torch.zeros_like(like)
    spread[:, :, ::2, ::2] = images
    weight[:, :, ::2, ::2] = 1
    return filtered(spread, burt()) / filtered(weight, burt())
