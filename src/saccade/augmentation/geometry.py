"""Geometric augmentations; neighbours are multiplied into one map and pixels sampled once.

Flip, VerticalFlip, Translate, Rotate, Scale, Shear, Perspective and Elastic.  Rotating, then
moving, then scaling an image would blur it three times and cut its corners three times; as one
product of matrices it is sampled once, from the whole of the original.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation, check_choice, check_range, uniform
from saccade.augmentation.filters import gaussian
from saccade.augmentation.resample import BORDERS
from saccade.augmentation.warp import Warp, WarpKind, warped
from saccade.data.batch import Batch

Number = float | Tensor


@runtime_checkable
class Geometry(Augmentation, Protocol):
    """An augmentation that is a map of points: it draws a warp, and targets move with the images.

    `border` says what is seen beyond the image; "" where nothing beyond it is ever read.
    """

    border: str

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        """Random maps for `count` images of `source` = (height, width) pixels."""
        ...

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        count, _, height, width = batch.images.shape
        return warped(batch, self.warp(count, (height, width), generator))

    def join(self, later: Augmentation) -> Augmentation | None:
        if not isinstance(later, Geometry):
            return None
        if self.border and later.border and self.border != later.border:
            return None
        return ComposedGeometry(self, later, self.border or later.border)


@dataclass(frozen=True)
class ComposedGeometry(Geometry):
    """Two geometric augmentations as the product of their maps."""

    first: Geometry
    second: Geometry
    border: str

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        first = self.first.warp(count, source, generator)
        return first.then(self.second.warp(count, first.size, generator))


@dataclass(frozen=True)
class Flip(Geometry):
    """Mirrored from left to right."""

    probability: float = 0.5  # of each image
    border = ""

    def __post_init__(self) -> None:
        check_range(self, "probability", 0, 1)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        mirror = centred(_signs(count, self.probability, generator), 0, 0, 1, source)
        return Warp(mirror, source, source, self.border, WarpKind.MIRROR)


@dataclass(frozen=True)
class VerticalFlip(Geometry):
    """Mirrored from top to bottom: for images without an up, such as from a microscope."""

    probability: float = 0.5  # of each image
    border = ""

    def __post_init__(self) -> None:
        check_range(self, "probability", 0, 1)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        mirror = centred(1, 0, 0, _signs(count, self.probability, generator), source)
        return Warp(mirror, source, source, self.border, WarpKind.MIRROR)


@dataclass(frozen=True)
class Translate(Geometry):
    """Translated along x and y."""

    pixels: float = 4.0  # at the most, each way
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "pixels", 0, 65536)
        check_choice(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        x, y = (uniform(count, -self.pixels, self.pixels, generator) for _ in range(2))
        return Warp(translation(x, y), source, source, self.border)


@dataclass(frozen=True)
class Rotate(Geometry):
    """Rotated about the centre."""

    degrees: float = 10.0  # at the most, either way
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "degrees", 0, 180)
        check_choice(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        degrees = uniform(count, -self.degrees, self.degrees, generator)
        return Warp(rotation(degrees, source), source, source, self.border)


@dataclass(frozen=True)
class Scale(Geometry):
    """Scaled about the centre, alike in height and width."""

    share: float = 0.1  # at the most: 0.1 is from 0.9 to 1.1 times the size
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "share", 0, 0.5)
        check_choice(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        factor = uniform(count, 1 - self.share, 1 + self.share, generator)
        return Warp(centred(factor, 0, 0, factor, source), source, source, self.border)


@dataclass(frozen=True)
class Shear(Geometry):
    """Sheared along x and along y."""

    degrees: float = 10.0  # at the most, either way
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "degrees", 0, 40)  # at 45 both together fold the image to a line
        check_choice(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        x, y = (uniform(count, -self.degrees, self.degrees, generator) for _ in range(2))
        shear = centred(1, torch.tan(x.deg2rad()), torch.tan(y.deg2rad()), 1, source)
        return Warp(shear, source, source, self.border)


@dataclass(frozen=True)
class Perspective(Geometry):
    """A perspective map that moves every corner by itself."""

    share: float = 0.1  # of the side, at the most, each way
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "share", 0, 0.2)  # at 0.25 three corners can lie on one line
        check_choice(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        offsets = uniform(count * 8, -self.share, self.share, generator).view(count, 4, 2)
        corners = offsets + offsets.new_tensor(((0, 0), (1, 0), (1, 1), (0, 1)))
        return Warp(perspective(corners, source), source, source, self.border, WarpKind.PROJECTIVE)


@dataclass(frozen=True)
class Elastic(Geometry):
    """Elastic deformation: a smooth random displacement field, as of uneven handwriting.

    Simard, Steinkraus and Platt 2003, section 2, draw numbers of -1 to 1 at every pixel, smooth
    them with a Gaussian of `sigma` and multiply by alpha; `pixels` is what comes of it,
    alpha / (2 sigma sqrt(3 pi)).  Their sigma 4 with alpha 34, on digits of 29 pixels, is 1.4
    pixels.
    """

    pixels: float = 1.4  # standard deviation of the displacement, in x and in y
    sigma: float = 4.0  # pixels; how far neighbours move together
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "pixels", 0, 100)
        check_range(self, "sigma", 1, 100)
        check_choice(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        margin = math.ceil(3 * self.sigma)
        height, width = (length + 2 * margin for length in source)
        shape = (count, 2, height, width)
        noise = 2 * torch.rand(shape, generator=generator, device=generator.device) - 1
        down = _smoothing(source[0], margin, self.sigma, noise)
        across = _smoothing(source[1], margin, self.sigma, noise)
        alpha = self.pixels * 2 * self.sigma * math.sqrt(3 * math.pi)
        field = alpha * (down @ noise @ across.T)
        identity = torch.eye(3, device=noise.device).expand(count, 3, 3)
        return Warp(identity, source, source, self.border, field=field)


def affine(a: Number, b: Number, c: Number, d: Number, x: Number, y: Number) -> Tensor:
    """The maps (p, q) -> (a p + b q + x, c p + d q + y).  [N] or numbers, not all -> [N,3,3]"""
    like = next(value for value in (a, b, c, d, x, y) if isinstance(value, Tensor))
    rows = [torch.as_tensor(value).to(like) for value in (a, b, x, c, d, y, 0.0, 0.0, 1.0)]
    return torch.stack(torch.broadcast_tensors(*rows), dim=-1).unflatten(-1, (3, 3))


def translation(x: Tensor, y: Tensor) -> Tensor:
    """Translations to the right by `x` and down by `y` pixels.  [N], [N] -> [N,3,3]"""
    return affine(1, 0, 0, 1, x, y)


def rotation(degrees: Tensor, source: tuple[int, int]) -> Tensor:
    """Counter-clockwise rotations about the centre.  [N] degrees -> [N,3,3]"""
    sine, cosine = degrees.deg2rad().sin(), degrees.deg2rad().cos()
    return centred(cosine, sine, -sine, cosine, source)


def centred(a: Number, b: Number, c: Number, d: Number, source: tuple[int, int]) -> Tensor:
    """The linear maps (a b; c d) about the centre of the image.  [N] or numbers -> [N,3,3]"""
    y, x = source[0] / 2, source[1] / 2
    return affine(a, b, c, d, x - a * x - b * y, y - c * x - d * y)


def perspective(corners: Tensor, source: tuple[int, int]) -> Tensor:
    """Sends the image's corners, clockwise from the upper left, to `corners`.  [N,4,2] -> [N,3,3]

    `corners` are shares of width and height.  The unit square to a quadrilateral: Heckbert 1989,
    Fundamentals of Texture Mapping and Image Warping, section 2.2.3.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (corner.unbind(1) for corner in corners.unbind(1))
    x, y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    area = (x1 - x2) * (y3 - y2) - (x3 - x2) * (y1 - y2)
    g = (x * (y3 - y2) - y * (x3 - x2)) / area
    h = ((x1 - x2) * y - (y1 - y2) * x) / area
    first = (x1 - x0 + g * x1, x3 - x0 + h * x3, x0)
    second = (y1 - y0 + g * y1, y3 - y0 + h * y3, y0)
    square = torch.stack((*first, *second, g, h, torch.ones_like(g)), dim=1).view(-1, 3, 3)
    height, width = source
    before = square.new_tensor((1 / width, 1 / height, 1))
    after = square.new_tensor((width, height, 1))
    return after[:, None] * square * before


def _signs(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """-1 where an image is mirrored, else 1.  -> [N]"""
    return 1 - 2 * (uniform(count, 0, 1, generator) < probability).float()


def _smoothing(length: int, margin: int, sigma: float, like: Tensor) -> Tensor:
    """The matrix of a Gaussian filter, without the margins.  -> [length,length+2*margin]"""
    distance = torch.arange(length + 2 * margin) - torch.arange(length)[:, None] - margin
    return gaussian(distance, torch.tensor(sigma)).to(like)
