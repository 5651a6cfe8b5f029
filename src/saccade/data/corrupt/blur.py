"""Blur: out of focus, moved, zoomed, behind frosted glass.  Hendrycks 2019, section 3.

Departures: the disc of `defocus_blur` has its edge by area, not smoothed by a Gaussian; in
`glass_blur` every pixel is read once from a place nearby, where the original exchanges neighbours
one after the other; its rounds are one move as far as they lead on average, and at 32 pixels its
strengths are ours, as theirs scatter as much at severity 1 as at 3; `motion_blur` of severity 4 at
32 pixels is a little longer than of 3, where theirs are alike.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.data.augment.blur import blur
from saccade.data.augment.geometry import centred
from saccade.data.augment.resample import gather
from saccade.data.augment.warp import Warp
from saccade.data.corrupt.filtering import disc, filtered, streaks
from saccade.data.corrupt.strength import even, strength

ZOOMS = 12  # pictures that make a zoom


def gaussian_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Smoothed with a Gaussian.  [N,C,H,W] -> [N,C,H,W]"""
    sigma = strength((0.4, 0.6, 0.7, 0.8, 1), (1, 2, 3, 4, 6), severity, images)  # pixels
    return blur(images, images.new_full((len(images),), sigma))


def defocus_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Every point a disc, as out of focus.  [N,C,H,W] -> [N,C,H,W]"""
    radius = strength((0.3, 0.4, 0.5, 1, 1.5), (3, 4, 6, 8, 10), severity, images)  # pixels
    return filtered(images, disc(radius + 0.5)[None].to(images)).clamp_(0, 255)


def motion_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Every point a streak, at most 45 degrees from level.  [N,C,H,W] -> [N,C,H,W]"""
    length = strength((6, 6, 6, 8, 9), (10, 15, 15, 15, 20), severity, images)  # half of it, pixels
    sigma = strength((1, 1.5, 2, 2.25, 2.5), (3, 5, 8, 12, 15), severity, images)  # pixels
    degrees = 90 * even((len(images),), generator, images) - 45
    return filtered(images, streaks(round(2 * length), sigma, degrees)).clamp_(0, 255)


def zoom_blur(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """The mean of the picture and of larger and larger ones.  [N,C,H,W] -> [N,C,H,W]"""
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
    moves = (2 * even((count, 2, height, width), generator, images) - 1) * reach
    y = torch.arange(height, device=images.device)[:, None] + moves[:, 0].round() + 0.5
    x = torch.arange(width, device=images.device) + moves[:, 1].round() + 0.5
    scattered = gather(smooth, y, x, "reflect")
    return blur(scattered, images.new_full((count,), sigma))
