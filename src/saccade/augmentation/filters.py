"""Blur, Sharpen, Noise; RandomErasing and Cutout, which erase a part of the image.

Erasing changes the images only, so that no one part of them decides: a mask or a box still says
what was there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Photometric, check_choice, check_range, uniform
from saccade.augmentation.resample import inside

FILLS = ("zeros", "mean", "noise")  # of an erased rectangle


@dataclass(frozen=True)
class Blur(Photometric):
    """Smoothed with a Gaussian; the image is mirrored at its edge."""

    sigma: float = 1.0  # pixels, at the most; each image draws from a tenth of it upwards

    def __post_init__(self) -> None:
        check_range(self, "sigma", 0.01, 100)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        sigma = uniform(len(images), self.sigma / 10, self.sigma, generator).to(images.device)
        return blur(images, sigma)


@dataclass(frozen=True)
class Sharpen(Photometric):
    """Between smoothed and sharp: each image's difference from its 3 x 3 mean made stronger or
    weaker; the outermost pixels are kept, as in Pillow."""

    share: float = 0.9  # at the most: 0.9 is from 0.1 to 1.9 times the difference

    def __post_init__(self) -> None:
        check_range(self, "share", 0, 10)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        factor = uniform(len(images), 1 - self.share, 1 + self.share, generator)
        return sharpen(images, factor.to(images.device))


@dataclass(frozen=True)
class Noise(Photometric):
    """Gaussian noise of each pixel and channel by itself; each image draws how much."""

    deviation: float = 10.0  # of 255, at the most

    def __post_init__(self) -> None:
        check_range(self, "deviation", 0, 255)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        deviation = uniform(len(images), 0, self.deviation, generator).to(images)
        noise = torch.randn(images.shape, generator=generator, device=generator.device).to(images)
        noisy = torch.addcmul(images, noise, deviation[:, None, None, None])
        return noisy.clamp_(0, 255)


@dataclass(frozen=True)
class RandomErasing(Photometric):
    """A rectangle of random area, aspect ratio and position.  Zhong 2017, section 3.

    Departures: the aspect ratio is drawn uniformly in its logarithm, so that flat and tall ones are
    alike; sides that would not fit are cut to the image's, not drawn again.
    """

    probability: float = 0.5  # of each image
    area: float = 0.33  # share of the image, at the most
    fill: str = "mean"  # the image's mean colour; or zeros, noise: every value by itself

    def __post_init__(self) -> None:
        check_range(self, "probability", 0, 1)
        check_range(self, "area", 0.02, 1)
        check_choice(self, "fill", FILLS)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        count, _, height, width = images.shape
        area = uniform(count, 0.02, self.area, generator) * height * width
        bound = -math.log(0.3)  # proportions of 0.3 to 1 / 0.3, as in the paper
        ratio = uniform(count, -bound, bound, generator).exp()
        h = (area * ratio).sqrt().round().clamp(1, height)
        w = (area / ratio).sqrt().round().clamp(1, width)
        y = (uniform(count, 0, 1, generator) * (height - h + 1)).floor()
        x = (uniform(count, 0, 1, generator) * (width - w + 1)).floor()
        h = h * (uniform(count, 0, 1, generator) < self.probability)
        mask = rectangles(torch.stack((x, y, x + w, y + h), dim=1), (height, width))
        return _fill(images, mask, self.fill, generator)


@dataclass(frozen=True)
class Cutout(Photometric):
    """A square whose middle may be any pixel, so that some reach beyond the edge.  DeVries 2017."""

    pixels: int = 16  # side; 16 of 32 for CIFAR-10 in the paper
    fill: str = "mean"  # the image's mean colour; or zeros, noise: every value by itself

    def __post_init__(self) -> None:
        check_range(self, "pixels", 1, 65536)
        check_choice(self, "fill", FILLS)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        count, _, height, width = images.shape
        y = (uniform(count, 0, height, generator)).floor() - self.pixels // 2
        x = (uniform(count, 0, width, generator)).floor() - self.pixels // 2
        mask = rectangles(torch.stack((x, y, x + self.pixels, y + self.pixels), 1), (height, width))
        return _fill(images, mask, self.fill, generator)


def blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur, as a matrix product along each axis.  [N,C,H,W], [N] pixels -> [N,C,H,W]"""
    down, across = (_smoothing(length, sigma).to(images.dtype) for length in images.shape[2:])
    return down[:, None] @ images @ across[:, None].transpose(2, 3)


def sharpen(images: Tensor, factor: Tensor) -> Tensor:
    """Blended with its smoothed self: factor 0 smooth, 1 as it was, 2 sharp, as in Pillow.

    [N,C,H,W], [N] -> [N,C,H,W]
    """
    if min(images.shape[2:]) < 3:
        return images
    centre = images[:, :, 1:-1, 1:-1]
    rows = images[:, :, :-2] + images[:, :, 1:-1] + images[:, :, 2:]
    total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    smooth = total.add_(centre, alpha=4).div_(13)  # Pillow's SMOOTH: 1 1 1, 1 5 1, 1 1 1, over 13
    sharp = images.clone()
    weight = factor[:, None, None, None].to(images.dtype)
    sharp[:, :, 1:-1, 1:-1] = smooth.lerp_(centre, weight).clamp_(0, 255)
    return sharp


def gaussian(distance: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian weights at these distances, with sum 1 along the last axis.  [...,n] -> [...,n]"""
    weights = torch.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum(-1, keepdim=True)


def _smoothing(length: int, sigma: Tensor) -> Tensor:
    """The matrix of a Gaussian filter: the weight of each pixel in each new one.

    [N] pixels -> [N,length,length]
    """
    reach = length - 1
    offsets = torch.arange(-reach, reach + 1, device=sigma.device)
    weights = gaussian(offsets, sigma[:, None])[:, None].expand(-1, length, -1)
    source, _ = inside(
        torch.arange(length, device=sigma.device)[:, None] + offsets, length, "reflect"
    )
    matrix = sigma.new_zeros(len(sigma), length, length)
    return matrix.scatter_add_(2, source.expand_as(weights), weights)


def rectangles(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks of the pixels with their centre inside x0, y0, x1, y1.  [N,4] -> [N,h,w] bool"""
    x0, y0, x1, y1 = boxes[:, :, None].unbind(1)
    y = torch.arange(size[0], device=boxes.device) + 0.5
    x = torch.arange(size[1], device=boxes.device) + 0.5
    rows, columns = (y0 < y) & (y < y1), (x0 < x) & (x < x1)
    return rows[:, :, None] & columns[:, None]


def _fill(images: Tensor, mask: Tensor, fill: str, generator: torch.Generator) -> Tensor:
    mask = mask.to(images.device)[:, None]
    if fill == "zeros":
        return images.masked_fill(mask, 0)
    if fill == "mean":
        return torch.where(mask, images.mean((2, 3), keepdim=True), images)
    noise = torch.rand(images.shape, generator=generator, device=generator.device)
    return torch.where(mask, 255 * noise.to(images), images)
