"""Erase, Cutout: a part of the picture taken away, so that no one part decides."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation, as_float, limit, one_of, uniform

FILLS = ("zeros", "mean", "noise")


@dataclass(frozen=True)
class Erase(Augmentation):
    """A rectangle of random area, proportions and place.  Zhong 2017, Random Erasing, section 3.

    Departures: proportions are drawn evenly in their logarithm, so that flat and tall ones are
    alike; sides that would not fit are cut to the picture's, not drawn again.
    """

    probability: float = 0.5  # of each picture
    area: float = 0.33  # share of the picture, at the most
    fill: str = "mean"  # the picture's mean colour; or zeros, noise: every value by itself

    def __post_init__(self) -> None:
        limit(self, "probability", 0, 1)
        limit(self, "area", 0.02, 1)
        one_of(self, "fill", FILLS)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        count, _, height, width = images.shape
        area = uniform(count, 0.02, self.area, generator) * height * width
        bound = -math.log(0.3)  # proportions of 0.3 to 1 / 0.3, as in the paper
        ratio = uniform(count, -bound, bound, generator).exp()
        h = (area * ratio).sqrt().round().clamp(1, height)
        w = (area / ratio).sqrt().round().clamp(1, width)
        y = (uniform(count, 0, 1, generator) * (height - h + 1)).floor()
        x = (uniform(count, 0, 1, generator) * (width - w + 1)).floor()
        h = h * (uniform(count, 0, 1, generator) < self.probability)
        gone = rectangles(torch.stack((x, y, x + w, y + h), dim=1), (height, width))
        return replace(batch, images=_fill(images, gone, self.fill, generator))


@dataclass(frozen=True)
class Cutout(Augmentation):
    """A square whose middle may be any pixel, so that some reach beyond the edge.  DeVries 2017."""

    pixels: int = 16  # side; 16 of 32 for CIFAR-10 in the paper
    fill: str = "mean"  # the picture's mean colour; or zeros, noise: every value by itself

    def __post_init__(self) -> None:
        limit(self, "pixels", 1, 65536)
        one_of(self, "fill", FILLS)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        count, _, height, width = images.shape
        y = (uniform(count, 0, height, generator)).floor() - self.pixels // 2
        x = (uniform(count, 0, width, generator)).floor() - self.pixels // 2
        gone = rectangles(torch.stack((x, y, x + self.pixels, y + self.pixels), 1), (height, width))
        return replace(batch, images=_fill(images, gone, self.fill, generator))


def rectangles(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Which pixels have their middle inside x0, y0, x1, y1.  [N,4] -> [N,h,w] bool"""
    x0, y0, x1, y1 = boxes[:, :, None].unbind(1)
    y = torch.arange(size[0], device=boxes.device) + 0.5
    x = torch.arange(size[1], device=boxes.device) + 0.5
    rows, columns = (y0 < y) & (y < y1), (x0 < x) & (x < x1)
    return rows[:, :, None] & columns[:, None]


def _fill(images: Tensor, gone: Tensor, fill: str, generator: torch.Generator) -> Tensor:
    gone = gone.to(images.device)[:, None]
    if fill == "zeros":
        return images.masked_fill(gone, 0)
    if fill == "mean":
        return torch.where(gone, images.mean((2, 3), keepdim=True), images)
    noise = torch.rand(images.shape, generator=generator, device=generator.device)
    return torch.where(gone, 255 * noise.to(images), images)
