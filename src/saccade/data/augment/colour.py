"""Colour: brightness, contrast, saturation, hue, lighting, grey; neighbours are one matrix.

Each is a 3 x 4 matrix a picture, from (red, green, blue, 1) to the new colours, so that any number
of them is one pass over the pixels and values are cut to 0 to 255 once, at the end.  A picture of
one channel is taken for one whose three are alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation, as_float, limit, uniform
from saccade.errors import DataError

LUMA = (0.299, 0.587, 0.114)  # what red, green and blue give to brightness: ITU-R BT.601

# Principal components of ImageNet's colours on the scale 0 to 1, as in fb.resnet.torch; a column
# each, with its standard deviation below.
COMPONENTS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
DEVIATIONS = (0.2175, 0.0188, 0.0045)


@runtime_checkable
class Colour(Augmentation, Protocol):
    """An augmentation that is a matrix of colours."""

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        """The matrices for pictures of these mean colours, drawn.  [N,3] -> [N,3,4]"""
        ...

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        if images.shape[1] not in (1, 3):
            raise DataError(
                f"pictures of {images.shape[1]} channels have no colours to change",
                "leave out the colour augmentations, or give pictures of 1 or 3 channels",
            )
        mean = images.flatten(2).mean(2).float().expand(-1, 3)
        return replace(batch, images=recolour(images, self.matrix(mean, generator)))

    def join(self, later: Augmentation) -> Augmentation | None:
        return Blended(self, later) if isinstance(later, Colour) else None


@dataclass(frozen=True)
class Blended(Colour):
    """Two matrices as one."""

    first: Colour
    second: Colour

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        first = self.first.matrix(mean, generator)
        moved = (first[:, :, :3] * mean[:, None]).sum(2) + first[:, :, 3]
        second = self.second.matrix(moved, generator)
        both = (second[:, :, :3, None] * first[:, None]).sum(2)
        both[:, :, 3] += second[:, :, 3]
        return both


@dataclass(frozen=True)
class Brightness(Colour):
    """All values times one number."""

    share: float = 0.4  # at the most: 0.4 is from 0.6 to 1.4 times

    def __post_init__(self) -> None:
        limit(self, "share", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        return blend(_factor(self.share, mean, generator), torch.zeros_like(mean))


@dataclass(frozen=True)
class Contrast(Colour):
    """All values towards, or away from, the picture's mean brightness."""

    share: float = 0.4  # at the most: 0.4 is from 0.6 to 1.4 times the distance

    def __post_init__(self) -> None:
        limit(self, "share", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        grey = (mean * mean.new_tensor(LUMA)).sum(1, keepdim=True).expand(-1, 3)
        return blend(_factor(self.share, mean, generator), grey)


@dataclass(frozen=True)
class Saturation(Colour):
    """Every pixel towards, or away from, its own brightness."""

    share: float = 0.4  # at the most: 0.4 is from 0.6 to 1.4 times the distance

    def __post_init__(self) -> None:
        limit(self, "share", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        return saturate(_factor(self.share, mean, generator))


@dataclass(frozen=True)
class Hue(Colour):
    """Colours turned about the axis of greys.

    The hue moves as in HSV, to 3 degrees; the mean of the three channels stays, where HSV keeps
    the largest and the smallest of them, which no matrix can.
    """

    turn: float = 0.1  # of the whole circle, at the most, either way

    def __post_init__(self) -> None:
        limit(self, "turn", 0, 0.5)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        return turn_hue(uniform(len(mean), -self.turn, self.turn, generator).to(mean))


@dataclass(frozen=True)
class Grey(Colour):
    """Some pictures without their colours."""

    probability: float = 0.1  # of each picture

    def __post_init__(self) -> None:
        limit(self, "probability", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        coloured = uniform(len(mean), 0, 1, generator) >= self.probability
        return saturate(coloured.to(mean))


@dataclass(frozen=True)
class Lighting(Colour):
    """A cast along the ways that daylight differs: AlexNet's second form of augmentation.

    Krizhevsky 2012, section 4.1: a multiple of each principal component of the colours is added.
    """

    deviation: float = 0.1  # of each multiple

    def __post_init__(self) -> None:
        limit(self, "deviation", 0, 10)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        draws = torch.randn(len(mean), 3, generator=generator, device=generator.device).to(mean)
        steps = 255 * self.deviation * mean.new_tensor(COMPONENTS) * mean.new_tensor(DEVIATIONS)
        offset = (draws[:, None] * steps).sum(2, keepdim=True)
        return torch.cat((torch.eye(3).to(mean).expand(len(mean), 3, 3), offset), dim=2)


def recolour(images: Tensor, matrix: Tensor) -> Tensor:
    """The matrix times every pixel, cut to 0 to 255.  [N,1|3,H,W], [N,3,4] -> [N,1|3,H,W]"""
    matrix = matrix.to(images)
    if images.shape[1] == 1:
        grey = torch.stack((matrix[:, :, :3].sum(2), matrix[:, :, 3]), dim=2)
        matrix = (matrix.new_tensor(LUMA)[:, None] * grey).sum(1, keepdim=True)
    mixed = torch.baddbmm(matrix[:, :, -1:], matrix[:, :, :-1], images.flatten(2))
    return mixed.clamp_(0, 255).view_as(images)


def blend(factor: Tensor, towards: Tensor) -> Tensor:
    """`factor` of the pixel, the rest of a colour.  [N], [N,3] -> [N,3,4]"""
    pixel = factor[:, None, None] * torch.eye(3).to(factor)
    return torch.cat((pixel, ((1 - factor[:, None]) * towards)[:, :, None]), dim=2)


def saturate(factor: Tensor) -> Tensor:
    """`factor` of the pixel, the rest of its brightness as a grey.  [N] -> [N,3,4]"""
    matrix = blend(factor, factor.new_zeros(len(factor), 3))
    matrix[:, :, :3] += (1 - factor)[:, None, None] * factor.new_tensor(LUMA)
    return matrix


def turn_hue(turn: Tensor) -> Tensor:
    """Turns colours about (1, 1, 1), red towards green.  [N], shares of the circle -> [N,3,4]"""
    angle = 2 * math.pi * turn
    near, far = (angle.cos() * 2 + 1) / 3, (1 - angle.cos()) / 3
    side = angle.sin() / math.sqrt(3)
    none = torch.zeros_like(turn)
    red = (near, far - side, far + side, none)
    green = (far + side, near, far - side, none)
    blue = (far - side, far + side, near, none)
    return torch.stack([torch.stack(row, dim=1) for row in (red, green, blue)], dim=1)


def _factor(share: float, mean: Tensor, generator: torch.Generator) -> Tensor:
    return uniform(len(mean), 1 - share, 1 + share, generator).to(mean)
