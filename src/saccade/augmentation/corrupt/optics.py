"""Corruptions of a camera: noise and blur; and the table of strengths.  Hendrycks 2019, section 3.

Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and
perturbations", publish two sets: CIFAR-10-C at 32 pixels, ImageNet-C at 224.  The numbers here are
those of its code unless a function says otherwise.  An image between the two sizes gets a number
between the two, by the logarithm of its shorter side; a smaller one that of 32, a larger that of
224.

Noise is few photons, a warm sensor, broken bits; blur is out of focus, moved, zoomed, or behind
frosted glass.  Departures: the disc of `defocus_blur` has its edge by area, not smoothed by a
Gaussian; in `glass_blur` every pixel is read once from a place nearby, where the original exchanges
neighbours one after the other; its rounds are one move as far as they lead on average, and at 32
pixels its strengths are ours, as theirs scatter as much at severity 1 as at 3; `motion_blur` of
severity 4 at 32 pixels is a little longer than of 3, where theirs are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.augmentation.filters import blur
from saccade.augmentation.geometry import centred
from saccade.augmentation.resample import gather
from saccade.augmentation.warp import Warp

SMALL, LARGE = 32, 224  # pixels, of the two published sets
SEVERITIES = (1, 2, 3, 4, 5)
FINER = 9  # points along the side of a pixel where an area is counted
ZOOMS = 12  # images that make a zoom


def convolve(images: Tensor, kernels: Tensor) -> Tensor:
    """Convolution with `kernels` of odd size, the image mirrored beyond its edge.

    By Fourier transforms, since kernels may have thousands of weights.
    [N,C,H,W], [1 or N,k,k] -> [N,C,H,W]
    """
    reach = kernels.shape[-1] // 2
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    size = [length + 2 * reach for length in padded.shape[2:]]
    product = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(kernels, s=size)[:, None]
    whole = torch.fft.irfft2(product, s=size)
    height, width = images.shape[2:]
    return whole[..., 2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width]


def disc_kernel(radius: float) -> Tensor:
    """The share of a disc that lies in each pixel, with sum 1.  -> [k,k]"""
    reach = max(1, round(radius + 0.5))
    length = 2 * reach + 1
    along = (torch.arange(length * FINER) + 0.5) / FINER - length / 2
    inside = (along[:, None] ** 2 + along**2 <= radius**2).float()
    kernel = F.avg_pool2d(inside[None, None], FINER)[0, 0]
    return kernel / kernel.sum()


def motion_kernels(length: int, sigma: float, degrees: Tensor) -> Tensor:
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
        index = (row * (2 * length + 1) + column).long()
        kernels.scatter_add_(1, index.clamp_(0, kernels.shape[1] - 1), share)
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    return kernels.view(len(degrees), 2 * length + 1, 2 * length + 1)


def strength(
    at_small: Sequence[float], at_large: Sequence[float], severity: int, images: Tensor
) -> float:
    """The number of this severity at the size of images [N,C,H,W]; between two sets a mean.

    The mean is weighted by the logarithm of the side, and geometric, as strengths are ratios,
    unless a number is 0.
    """
    small, large = at_small[severity - 1], at_large[severity - 1]
    side = min(max(min(images.shape[2:]), SMALL), LARGE)
    share = log(side / SMALL) / log(LARGE / SMALL)
    if small * large == 0:
        return (1 - share) * small + share * large
    return small ** (1 - share) * large**share


def randn(shape: Sequence[int], generator: torch.Generator, like: Tensor) -> Tensor:
    """Normally distributed numbers, of the device and type of `like`.  -> [*shape]"""
    return torch.randn(tuple(shape), generator=generator, device=generator.device).to(like)


def rand(shape: Sequence[int], generator: torch.Generator, like: Tensor) -> Tensor:
    """Uniform numbers from 0 to 1, of the device and type of `like`.  -> [*shape]"""
    return torch.rand(tuple(shape), generator=generator, device=generator.device).to(like)


def gaussian_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """A normal number added to every value, as in low light.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38)
    deviation = 255 * strength(small, large, severity, images)
    return (images + deviation * randn(images.shape, generator, images)).clamp_(0, 255)


def shot_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """As many photons as chance lets arrive; white is `photons` of them.  [N,C,H,W] -> [N,C,H,W]"""
    photons = strength((500, 250, 100, 75, 50), (60, 25, 12, 5, 3), severity, images)
    expected = (images * (photons / 255)).to(generator.device)
    arrived = torch.poisson(expected, generator=generator).to(images)
    return (arrived * (255 / photons)).clamp_(0, 255)


def impulse_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """A share of the values black or white, as from broken bits.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27)
    share = strength(small, large, severity, images)
    draw = rand(images.shape, generator, images)
    salted = torch.where(draw > 1 - share / 2, 255.0, images)
    return torch.where(draw < share / 2, 0.0, salted)


def speckle_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Noise in proportion to the value it is added to.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (0.06, 0.1, 0.12, 0.16, 0.2), (0.15, 0.2, 0.35, 0.45, 0.6)
    deviation = strength(small, large, severity, images)
    return (images + images * deviation * randn(images.shape, generator, images)).clamp_(0, 255)


def gaussian_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Smoothed with a Gaussian.  [N,C,H,W] -> [N,C,H,W]"""
    sigma = strength((0.4, 0.6, 0.7, 0.8, 1), (1, 2, 3, 4, 6), severity, images)  # pixels
    return blur(images, images.new_full((len(images),), sigma))


def defocus_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Every point a disc, as out of focus.  [N,C,H,W] -> [N,C,H,W]"""
    radius = strength((0.3, 0.4, 0.5, 1, 1.5), (3, 4, 6, 8, 10), severity, images)  # pixels
    return convolve(images, disc_kernel(radius + 0.5)[None].to(images)).clamp_(0, 255)


def motion_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Every point a streak, at most 45 degrees from level.  [N,C,H,W] -> [N,C,H,W]"""
    length = strength((6, 6, 6, 8, 9), (10, 15, 15, 15, 20), severity, images)  # half of it, pixels
    sigma = strength((1, 1.5, 2, 2.25, 2.5), (3, 5, 8, 12, 15), severity, images)  # pixels
    degrees = 90 * rand((len(images),), generator, images) - 45
    return convolve(images, motion_kernels(round(2 * length), sigma, degrees)).clamp_(0, 255)


def zoom_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """The mean of the image and of larger and larger ones.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (1.05, 1.10, 1.15, 1.20, 1.25), (1.10, 1.15, 1.20, 1.25, 1.30)
    most = strength(small, large, severity, images)
    size = (images.shape[2], images.shape[3])
    total = images.clone()
    for zoom in torch.linspace(1, most, ZOOMS).tolist():
        zooms = images.new_full((len(images),), zoom)
        total += Warp(centred(zooms, 0, 0, zooms, size), size, size).images(images)
    return total / (ZOOMS + 1)


def glass_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Pixels scattered between two Gaussians, as behind frosted glass.  [N,C,H,W] -> [N,C,H,W]"""
    sigma = strength((0.2, 0.25, 0.25, 0.3, 0.35), (0.7, 0.9, 1, 1.1, 1.5), severity, images)
    reach = strength(
        (0.6, 0.85, 1.1, 1.4, 1.8), (1.41, 2, 3.46, 4.24, 5.66), severity, images
    )  # pixels
    count, _, height, width = images.shape
    smooth = blur(images, images.new_full((count,), sigma))
    offsets = (2 * rand((count, 2, height, width), generator, images) - 1) * reach
    y = torch.arange(height, device=images.device)[:, None] + offsets[:, 0].round() + 0.5
    x = torch.arange(width, device=images.device) + offsets[:, 1].round() + 0.5
    scattered = gather(smooth, y, x, "reflect")
    return blur(scattered, images.new_full((count,), sigma))
