"""Elastic: handwriting's uneven shake.  Simard, Steinkraus, Platt 2003, section 2."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.data.augment.augmentation import limit, one_of
from saccade.data.augment.blur import gaussian
from saccade.data.augment.geometry import Geometry
from saccade.data.augment.resample import BORDERS
from saccade.data.augment.warp import Warp


@dataclass(frozen=True)
class Elastic(Geometry):
    """Every point moved by itself, neighbours alike.

    The paper draws numbers of -1 to 1 at every pixel, smooths them with a Gaussian of `sigma` and
    multiplies by alpha; `pixels` is what comes of it, alpha / (2 sigma sqrt(3 pi)).  Its sigma 4
    with alpha 34, on digits of 29 pixels, is 1.4 pixels.
    """

    pixels: float = 1.4  # standard deviation of the displacement, in x and in y
    sigma: float = 4.0  # pixels; how far neighbours move together
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        limit(self, "pixels", 0, 100)
        limit(self, "sigma", 1, 100)
        one_of(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        margin = math.ceil(3 * self.sigma)
        height, width = (length + 2 * margin for length in source)
        shape = (count, 2, height, width)
        noise = 2 * torch.rand(shape, generator=generator, device=generator.device) - 1
        down = _smoothing(source[0], margin, self.sigma, noise)
        across = _smoothing(source[1], margin, self.sigma, noise)
        alpha = self.pixels * 2 * self.sigma * math.sqrt(3 * math.pi)
        field = alpha * (down @ noise @ across.T)
        still = torch.eye(3, device=noise.device).expand(count, 3, 3)
        return Warp(still, source, source, self.border, field=field)


def _smoothing(length: int, margin: int, sigma: float, like: Tensor) -> Tensor:
    """A row of weights for each of the pixels between the margins.  -> [length,length+2*margin]"""
    distance = torch.arange(length + 2 * margin) - torch.arange(length)[:, None] - margin
    return gaussian(distance, torch.tensor(sigma)).to(like)
