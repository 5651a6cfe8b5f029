"""decode: one picture to pixels at the network's size.  The only decoder and the only resize.

The resize is torch's antialiased one for bytes: whole-number arithmetic, the same bytes on every
processor, within 1 of Pillow's and twice as fast (benchmarks/data.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from saccade.data.formats import Opening, opened
from saccade.errors import DataError, RecipeError, unknown

RESIZES = ("squash", "crop", "pad")
INTERPOLATIONS = ("bilinear", "bicubic")
COLOURS = ("rgb", "grey")
DRAFT = 1.25  # a JPEG is opened at no less than this times the size that the resize gives
LONGEST = 8  # times the short side; with "crop" the ends of longer pictures are cut off first


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the network's input; it travels with the weights."""

    size: int = 224  # pixels, height and width
    resize: str = "squash"  # squash: to the square; crop: short side, then centre; pad: long side
    crop: float = 1.0  # with resize="crop": size / short side after resizing
    interpolation: str = "bilinear"
    colour: str = "rgb"  # or grey
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # per channel, of values 0 to 1
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if self.resize not in RESIZES:
            raise unknown("resize", self.resize, RESIZES, RecipeError)
        if self.interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", self.interpolation, INTERPOLATIONS, RecipeError)
        if self.colour not in COLOURS:
            raise unknown("colour", self.colour, COLOURS, RecipeError)
        if self.size < 1:
            raise RecipeError(f"the size is {self.size} pixels", "give 1 or more")
        if not 0 < self.crop <= 1:
            raise RecipeError(f"the crop is {self.crop}", "give a share above 0 and up to 1")

    @property
    def channels(self) -> int:
        return 1 if self.colour == "grey" else 3

    @property
    def opening(self) -> Opening:
        """What the resize needs of an image file."""
        size = int(self.size / self.crop) if self.resize == "crop" else self.size
        return Opening(self.colour == "grey", ceil(DRAFT * size), longer=self.resize == "pad")


def decode(raw: bytes | NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
    """The picture as uint8 [C,size,size]; raises `DataError` saying why when it cannot be read."""
    if isinstance(raw, bytes):
        return resized(opened(raw, preprocessing.opening), preprocessing)
    if raw.dtype != np.uint8 or raw.ndim not in (2, 3) or (*raw.shape, 1)[2] not in (1, 3):
        raise DataError(
            f"pixels are {raw.dtype} {list(raw.shape)}; they have to be uint8 [H,W] or [H,W,3]"
        )
    return resized(np.atleast_3d(raw), preprocessing)


def resized(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
    """Upright pixels at the network's size and in its colours.  [H,W,1, 3 or 4] -> [C,size,size]

    A fourth channel means nothing.
    """
    height, width, channels = pixels.shape
    if height == 0 or width == 0:
        raise DataError(f"the picture has {width} x {height} pixels")
    if channels > 1 and preprocessing.colour == "grey":
        pixels = _luma(pixels[..., :3])
    image = torch.from_numpy(np.require(pixels, requirements="W")).permute(2, 0, 1)
    fitted = {"squash": _squashed, "crop": _cropped, "pad": _padded}[preprocessing.resize]
    result = torch.empty(preprocessing.channels, *2 * [preprocessing.size], dtype=torch.uint8)
    return result.copy_(fitted(image, preprocessing)[: preprocessing.channels])


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R BT.601 luma in Pillow's whole numbers, 19595 R + 38470 G + 7471 B.  [H,W,1]"""
    weights = np.array([19595, 38470, 7471], np.uint32)
    return ((pixels @ weights + 0x8000) >> 16).astype(np.uint8)[..., None]


def _squashed(image: Tensor, to: Preprocessing) -> Tensor:
    return _scaled(image, to.size, to.size, to.interpolation)


def _cropped(image: Tensor, to: Preprocessing) -> Tensor:
    """The short side to size / crop, then the middle; as torchvision's Resize and CenterCrop."""
    short = min(image.shape[1:])
    image = _middle(image, LONGEST * short, LONGEST * short)
    target = int(to.size / to.crop)
    height, width = (target * side // short for side in image.shape[1:])
    return _middle(_scaled(image, height, width, to.interpolation), to.size, to.size)


def _padded(image: Tensor, to: Preprocessing) -> Tensor:
    """The long side to size, in the middle of black."""
    long = max(image.shape[1:])
    height, width = (max(1, round(to.size * side / long)) for side in image.shape[1:])
    square = image.new_zeros(image.shape[0], to.size, to.size)
    _middle(square, height, width)[:] = _scaled(image, height, width, to.interpolation)
    return square


def _middle(image: Tensor, height: int, width: int) -> Tensor:
    """The middle of a picture, where it is larger; a view."""
    top = max(0, round((image.shape[1] - height) / 2))
    left = max(0, round((image.shape[2] - width) / 2))
    return image[:, top : top + height, left : left + width]


def _scaled(image: Tensor, height: int, width: int, interpolation: str) -> Tensor:
    if image.shape[1:] == (height, width):
        return image
    return F.interpolate(image[None], (height, width), mode=interpolation, antialias=True)[0]
