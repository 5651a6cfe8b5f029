"""Colour matrices: brightness, contrast, saturation, hue, lighting, grey; and tone curves.

A colour is a 3 x 4 matrix per image, from (red, green, blue, 1) to the new colours, so that any
number of neighbours are one pass over the pixels and values are cut to 0 to 255 once, at the end.
An image of one channel is taken for one whose three are alike.  Posterize, Solarize, AutoContrast
and Equalize are curves, as in Pillow's ImageOps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation, Photometric, check_range, uniform
from saccade.errors import DataError

LUMA = (0.299, 0.587, 0.114)  # what red, green and blue give to brightness: ITU-R BT.601


# Principal components of ImageNet's colours on the scale 0 to 1, as in fb.resnet.torch; a column
# each, with its standard deviation below.
COMPONENTS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
DEVIATIONS = (0.2175, 0.0188, 0.0045)


@runtime_checkable
class Colour(Photometric, Protocol):
    """An augmentation that multiplies colours by a matrix."""

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        """Random matrices for images of these mean colours.  [N,3] -> [N,3,4]"""
        ...

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """[N,1|3,H,W] -> the same; raises `DataError` for another number of channels."""
        if images.shape[1] not in (1, 3):
            raise DataError(
                f"images of {images.shape[1]} channels have no colours to change",
                "leave out the colour augmentations, or give images of 1 or 3 channels",
            )
        mean = images.flatten(2).mean(2).float().expand(-1, 3)
        return recolour(images, self.matrix(mean, generator))

    def join(self, later: Augmentation) -> Augmentation | None:
        return ComposedColour(self, later) if isinstance(later, Colour) else None


@dataclass(frozen=True)
class ComposedColour(Colour):
    """Two colour matrices as their product."""

    first: Colour
    second: Colour

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        first = self.first.matrix(mean, generator)
        mean_after = (first[:, :, :3] * mean[:, None]).sum(2) + first[:, :, 3]
        second = self.second.matrix(mean_after, generator)
        product = (second[:, :, :3, None] * first[:, None]).sum(2)
        product[:, :, 3] += second[:, :, 3]
        return product


@dataclass(frozen=True)
class Brightness(Colour):
    """All values times one factor an image."""

    share: float = 0.4  # at the most: 0.4 is from 0.6 to 1.4 times

    def __post_init__(self) -> None:
        check_range(self, "share", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        return blend(_factor(self.share, mean, generator), torch.zeros_like(mean))


@dataclass(frozen=True)
class Contrast(Colour):
    """All values towards, or away from, the image's mean brightness."""

    share: float = 0.4  # at the most: 0.4 is from 0.6 to 1.4 times the distance

    def __post_init__(self) -> None:
        check_range(self, "share", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        grey = (mean * mean.new_tensor(LUMA)).sum(1, keepdim=True).expand(-1, 3)
        return blend(_factor(self.share, mean, generator), grey)


@dataclass(frozen=True)
class Saturation(Colour):
    """Every pixel towards, or away from, its own brightness."""

    share: float = 0.4  # at the most: 0.4 is from 0.6 to 1.4 times the distance

    def __post_init__(self) -> None:
        check_range(self, "share", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        return saturate(_factor(self.share, mean, generator))


@dataclass(frozen=True)
class Hue(Colour):
    """Colours turned about the axis of greys.

    The hue moves as in HSV, to 3 degrees; the mean of the three channels stays, where HSV keeps
    the largest and the smallest of them, which no matrix can.  Strong colours may leave 0 to 255:
    cut off there they are paler or darker, and their hue is right to 9 degrees.
    """

    turn: float = 0.1  # of the whole circle, at the most, either way

    def __post_init__(self) -> None:
        check_range(self, "turn", 0, 0.5)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        return adjust_hue(uniform(len(mean), -self.turn, self.turn, generator).to(mean))


@dataclass(frozen=True)
class Grey(Colour):
    """Some images without their colours."""

    probability: float = 0.1  # of each image

    def __post_init__(self) -> None:
        check_range(self, "probability", 0, 1)

    def matrix(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        coloured = uniform(len(mean), 0, 1, generator) >= self.probability
        return saturate(coloured.to(mean))


@dataclass(frozen=True)
class Lighting(Colour):
    """A colour cast along the principal components of colours: PCA lighting noise of AlexNet.

    Krizhevsky 2012, section 4.1: a multiple of each principal component of the colours is added.
    """

    deviation: float = 0.1  # of each multiple

    def __post_init__(self) -> None:
        check_range(self, "deviation", 0, 10)

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


def adjust_hue(turn: Tensor) -> Tensor:
    """Rotations of colours about (1, 1, 1), red to green.  [N], shares of the circle -> [N,3,4]"""
    angle = 2 * math.pi * turn
    near, far = (angle.cos() * 2 + 1) / 3, (1 - angle.cos()) / 3
    skew = angle.sin() / math.sqrt(3)
    zero = torch.zeros_like(turn)
    red = (near, far - skew, far + skew, zero)
    green = (far + skew, near, far - skew, zero)
    blue = (far - skew, far + skew, near, zero)
    return torch.stack([torch.stack(row, dim=1) for row in (red, green, blue)], dim=1)


def _factor(share: float, mean: Tensor, generator: torch.Generator) -> Tensor:
    return uniform(len(mean), 1 - share, 1 + share, generator).to(mean)


@dataclass(frozen=True)
class Posterize(Photometric):
    """Only the most significant bits of every value."""

    bits: int = 4  # at the least; each image draws from these to 8

    def __post_init__(self) -> None:
        check_range(self, "bits", 1, 8)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        shape, device = (len(images),), generator.device
        bits = torch.randint(self.bits, 9, shape, generator=generator, device=device)
        return posterize(images, bits.to(images))


@dataclass(frozen=True)
class Solarize(Photometric):
    """Bright values inverted, as in an overexposed film."""

    threshold: float = 128.0  # of 255, at the least; each image draws from it to 256

    def __post_init__(self) -> None:
        check_range(self, "threshold", 0, 256)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        threshold = uniform(len(images), self.threshold, 256, generator).to(images)
        return torch.where(images >= threshold[:, None, None, None], 255 - images, images)


@dataclass(frozen=True)
class AutoContrast(Photometric):
    """Every channel stretched to 0 to 255."""

    probability: float = 0.5  # of each image

    def __post_init__(self) -> None:
        check_range(self, "probability", 0, 1)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return _random_apply(images, autocontrast, self.probability, generator)


@dataclass(frozen=True)
class Equalize(Photometric):
    """Histogram equalization of every channel."""

    probability: float = 0.5  # of each image

    def __post_init__(self) -> None:
        check_range(self, "probability", 0, 1)

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return _random_apply(images, equalize, self.probability, generator)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Only the most significant `bits` of every value.  [N,C,H,W], [N] -> [N,C,H,W]"""
    step = torch.exp2(8 - bits)[:, None, None, None]
    return torch.floor(images / step) * step


def autocontrast(images: Tensor) -> Tensor:
    """Every channel stretched to 0 to 255; one of a single value stays.  [N,C,H,W] -> [N,C,H,W]"""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    stretch = torch.where(high > low, 255 / (high - low).clamp(min=1e-6), 1)
    return (images - low.where(high > low, 0)).mul_(stretch)


def equalize(images: Tensor) -> Tensor:
    """Histogram equalization: values by their cumulative histogram.  [N,C,H,W] -> [N,C,H,W]

    As Pillow: the curve leaves out the share of the brightest value, and a channel whose step
    would be 0 stays as it is.
    """
    values = images.round().clamp_(0, 255).long().flatten(2)
    counts = torch.zeros((*values.shape[:2], 256), dtype=torch.long, device=images.device)
    counts.scatter_add_(2, values, torch.ones_like(values))
    brightest = values.amax(2, keepdim=True)
    step = (values.shape[2] - counts.gather(2, brightest)) // 255
    before = counts.cumsum(2) - counts
    curve = ((before + step // 2) // step.clamp(min=1)).clamp_(0, 255)
    changed = curve.gather(2, values).to(images.dtype).view_as(images)
    return torch.where(step[..., None] > 0, changed, images)


def _random_apply(
    images: Tensor,
    change: Callable[[Tensor], Tensor],
    probability: float,
    generator: torch.Generator,
) -> Tensor:
    """The change applied to each image with this probability.  [N,C,H,W] -> [N,C,H,W]"""
    mask = uniform(len(images), 0, 1, generator).to(images.device) < probability
    return torch.where(mask[:, None, None, None], change(images), images)
