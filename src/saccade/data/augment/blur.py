"""Blur, Sharpen: neighbours mixed, or told apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation, as_float, limit, uniform
from saccade.data.augment.resample import inside


@dataclass(frozen=True)
class Blur(Augmentation):
    """Smoothed with a Gaussian; the picture is mirrored at its edge."""

    sigma: float = 1.0  # pixels, at the most; each picture draws from a tenth of it upwards

    def __post_init__(self) -> None:
        limit(self, "sigma", 0.01, 100)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        sigma = uniform(len(images), self.sigma / 10, self.sigma, generator).to(images.device)
        return replace(batch, images=blur(images, sigma))


@dataclass(frozen=True)
class Sharpen(Augmentation):
    """Between smoothed and sharp: each picture's difference from its 3 x 3 mean made stronger or
    weaker; the outermost pixels are kept, as in Pillow."""

    share: float = 0.9  # at the most: 0.9 is from 0.1 to 1.9 times the difference

    def __post_init__(self) -> None:
        limit(self, "share", 0, 10)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        factor = uniform(len(images), 1 - self.share, 1 + self.share, generator)
        return replace(batch, images=sharpen(images, factor.to(images.device)))


def blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Two products of matrices, one along each axis.  [N,C,H,W], [N] pixels -> [N,C,H,W]"""
    down, across = (_smoothing(length, sigma).to(images.dtype) for length in images.shape[2:])
    return down[:, None] @ images @ across[:, None].transpose(2, 3)


def sharpen(images: Tensor, factor: Tensor) -> Tensor:
    """0 smooth, 1 as it was, 2 sharp.  [N,C,H,W], [N] -> [N,C,H,W]"""
    if min(images.shape[2:]) < 3:
        return images
    middle = images[:, :, 1:-1, 1:-1]
    down = images[:, :, :-2] + images[:, :, 1:-1] + images[:, :, 2:]
    around = down[..., :-2] + down[..., 1:-1] + down[..., 2:]
    smooth = around.add_(middle, alpha=4).div_(13)  # Pillow's SMOOTH: 1 1 1, 1 5 1, 1 1 1, over 13
    sharp = images.clone()
    weight = factor[:, None, None, None].to(images.dtype)
    sharp[:, :, 1:-1, 1:-1] = smooth.lerp_(middle, weight).clamp_(0, 255)
    return sharp


def gaussian(distance: Tensor, sigma: Tensor) -> Tensor:
    """Weights by distance, with sum 1 in each row."""
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum(-1, keepdim=True)


def _smoothing(length: int, sigma: Tensor) -> Tensor:
    """The weight of each old pixel in each new one.  [N] -> [N,length,length]"""
    reach = length - 1
    offsets = torch.arange(-reach, reach + 1, device=sigma.device)
    weights = gaussian(offsets, sigma[:, None])[:, None].expand(-1, length, -1)
    old, _ = inside(torch.arange(length, device=sigma.device)[:, None] + offsets, length, "reflect")
    matrix = sigma.new_zeros(len(sigma), length, length)
    return matrix.scatter_add_(2, old.expand_as(weights), weights)
