"""Convolution of pictures with large kernels, one for all or one a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FINER = 9  # points along the side of a pixel where an area is counted


def filtered(images: Tensor, kernels: Tensor) -> Tensor:
    """Smoothed with `kernels` of odd size, the picture mirrored beyond its edge.

    By Fourier transforms, since kernels may have thousands of numbers.
    [N,C,H,W], [1 or N,k,k] -> [N,C,H,W]
    """
    reach = kernels.shape[-1] // 2
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    size = [length + 2 * reach for length in padded.shape[2:]]
    product = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(kernels, s=size)[:, None]
    whole = torch.fft.irfft2(product, s=size)
    height, width = images.shape[2:]
    return whole[..., 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]


def disc(radius: float) -> Tensor:
    """The share of a disc that lies in each pixel, with sum 1.  -> [k,k]"""
    reach = max(1, round(radius + 0.5))
    length = 2 * reach + 1
    along = (torch.arange(length * FINER) + 0.5) / FINER - length / 2
    inside = (along[:, None] ** 2 + along**2 <= radius**2).float()
    kernel = F.avg_pool2d(inside[None, None], FINER)[0, 0]
    return kernel / kernel.sum()


def streaks(length: int, sigma: float, degrees: Tensor) -> Tensor:
    """Half a Gaussian along `length` pixels from the middle, as ImageMagick's motion blur.

    [N] degrees against the clock -> [N,2*length+1,2*length+1]
    """
    steps = torch.arange(length + 1, device=degrees.device)
    weights = torch.exp(-0.5 * (steps / sigma) ** 2)
    x = length + degrees.deg2rad().cos()[:, None] * steps
    y = length - degrees.deg2rad().sin()[:, None] * steps
    kernels = degrees.new_zeros(len(degrees), (2 * length + 1) ** 2)
    for low_y, low_x in ((0, 0), (0, 1), (1, 0), (1, 1)):  # shared out among four pixels
        row, column = y.floor() + low_y, x.floor() + low_x
        share = (1 - (y - row).abs()) * (1 - (x - column).abs()) * weights
        place = (row * (2 * length + 1) + column).long()
        kernels.scatter_add_(1, place.clamp_(0, kernels.shape[1] - 1), share)
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    return kernels.view(len(degrees), 2 * length + 1, 2 * length + 1)
