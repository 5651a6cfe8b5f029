"""Decoding: one image to pixels at the network's size, alike in training and in prediction.

The resize is torch's antialiased one for bytes: whole-number arithmetic, the same bytes on every
processor, within 1 of Pillow's and twice as fast (benchmarks/data.py).  Masks are decoded by
`Preprocessing.for_masks`, and boxes moved by `Preprocessing.transform_boxes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from saccade.data.formats import DecodeOptions, open_image
from saccade.data.targets import IGNORE
from saccade.data.window import EACH_IMAGE, TYPE, is_ends
from saccade.errors import DataError, RecipeError, unknown

RESIZES = ("squash", "crop", "pad")
INTERPOLATIONS = ("bilinear", "bicubic")
COLOURS = ("rgb", "grey", "labels")
DRAFT = 1.25  # a JPEG is opened at no less than this times the size that the resize gives
SMALL = 2**16  # values of an image up to which several are worth a copy to be resized together
LONGEST = 8  # times the short side; with "crop" the ends of longer images are cut off first


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the network's input; it travels with the weights."""

    size: int = 224  # pixels, height and width
    resize: str = "squash"  # squash: to the square; crop: short side, then centre; pad: long side
    crop: float = 1.0  # with resize="crop": size / short side after resizing
    interpolation: str = "bilinear"
    colour: str = "rgb"  # or grey; labels: a mask's numbers, by the nearest pixel
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # per channel, of values 0 to 1
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    window: str = EACH_IMAGE  # of over 8 bits a sample: "type", or "LOW HIGH" as black and white

    def __post_init__(self) -> None:
        if self.resize not in RESIZES:
            raise unknown("resize", self.resize, RESIZES, RecipeError)
        if self.interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", self.interpolation, INTERPOLATIONS, RecipeError)
        if self.colour not in COLOURS:
            raise unknown("colour", self.colour, COLOURS, RecipeError)
        if self.window not in (EACH_IMAGE, TYPE) and not is_ends(self.window):
            raise RecipeError(f"no window is called '{self.window}'", "write type, or two numbers")
        if self.size < 1:
            raise RecipeError(f"the size is {self.size} pixels", "give 1 or more")
        if not 0 < self.crop <= 1:
            raise RecipeError(f"the crop is {self.crop}", "give a share above 0 and up to 1")

    @property
    def channels(self) -> int:
        """Channels of the input: 3 for rgb, else 1."""
        return 3 if self.colour == "rgb" else 1

    @property
    def for_masks(self) -> Preprocessing:
        """The preprocessing of such an image's mask, so that both fit pixel upon pixel."""
        return replace(self, colour="labels")

    @property
    def padding_value(self) -> int:
        """The value that pads an image which does not fill the square."""
        return IGNORE if self.colour == "labels" else 0

    @property
    def decode_options(self) -> DecodeOptions:
        """What the resize needs of an image file."""
        size = int(self.size / self.crop) if self.resize == "crop" else self.size
        min_side, longer = ceil(DRAFT * size), self.resize == "pad"
        return DecodeOptions(
            self.colour == "grey", min_side, longer, self.colour == "labels", self.window
        )

    def transform_boxes(self, boxes: Tensor, width: int, height: int) -> Tensor:
        """Boxes x0, y0, x1, y1 of an upright image of so many pixels, in pixels of the input.

        What "crop" leaves out lies outside of 0 to `size`: `Boxes.clipped`.  [K,4] -> [K,4]
        """
        scale_x, shift_x = _scale_and_offset(width, height, self)
        scale_y, shift_y = _scale_and_offset(height, width, self)
        scale = boxes.new_tensor((scale_x, scale_y, scale_x, scale_y))
        return boxes * scale + boxes.new_tensor((shift_x, shift_y, shift_x, shift_y))


def decode(raw: bytes | NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
    """The image as uint8 [C,size,size]; raises `DataError` saying why when it cannot be read."""
    pixels = (
        open_image(raw, preprocessing.decode_options)
        if isinstance(raw, bytes)
        else validated_pixels(raw)
    )
    return resize(pixels[None], preprocessing)[0]


def validated_pixels(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels that were no image file, [H,W] or [H,W,3], as [H,W,1 or 3]; or `DataError`."""
    if raw.dtype != np.uint8 or raw.ndim not in (2, 3) or (*raw.shape, 1)[2] not in (1, 3):
        raise DataError(
            f"pixels are {raw.dtype} {list(raw.shape)}; they have to be uint8 [H,W] or [H,W,3]"
        )
    return np.atleast_3d(raw)


def resize(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
    """Upright pixels at the network's size and in its colours; a fourth channel means nothing.

    [N,H,W,1, 3 or 4] -> [N,C,size,size]
    """
    count, height, width, channels = pixels.shape
    if height == 0 or width == 0:
        raise DataError(f"the image has {width} x {height} pixels")
    if channels > 1 and preprocessing.colour == "labels":
        raise DataError(f"a mask has one number per pixel, and this has {channels}")
    if channels > 1 and preprocessing.colour == "grey":
        pixels = _luma(pixels[..., :3])
    images = torch.from_numpy(np.require(pixels, requirements="W")).permute(0, 3, 1, 2)
    fit = {"squash": _squash, "crop": _crop, "pad": _pad}[preprocessing.resize]
    shape = (count, preprocessing.channels, preprocessing.size, preprocessing.size)
    result = torch.empty(shape, dtype=torch.uint8)
    return result.copy_(fit(images, preprocessing)[:, : preprocessing.channels])


def resize_all(
    images: Iterable[NDArray[np.uint8] | DataError], preprocessing: Preprocessing
) -> list[Tensor | DataError]:
    """`resize` of each image, small ones of one shape together; errors stay as they are.

    N times [H,W,C] -> N times [C,size,size]
    """
    results: list[Tensor | DataError] = []
    for _, group in groupby(images, key=_shape_if_small):
        batch: list[NDArray[np.uint8]] = []
        for pixels in group:
            if isinstance(pixels, DataError):
                results.append(pixels)
            else:
                batch.append(pixels)
        results += _resize_batch(batch, preprocessing)
    return results


def _shape_if_small(pixels: NDArray[np.uint8] | DataError) -> object:
    """Equal for images that go through the resize together."""
    if isinstance(pixels, DataError) or pixels.size > SMALL:
        return object()
    return pixels.shape


def _resize_batch(
    batch: list[NDArray[np.uint8]], preprocessing: Preprocessing
) -> list[Tensor | DataError]:
    if not batch:
        return []
    try:
        return [*resize(np.stack(batch) if len(batch) > 1 else batch[0][None], preprocessing)]
    except DataError as error:
        return [error] * len(batch)


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R BT.601 luma in Pillow's whole numbers, 19595 R + 38470 G + 7471 B.

    [N,H,W,3] uint8 -> [N,H,W,1] uint8
    """
    weights = np.array([19595, 38470, 7471], np.uint32)
    return ((pixels @ weights + 0x8000) >> 16).astype(np.uint8)[..., None]


def _squash(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    return _interpolate(images, preprocessing.size, preprocessing.size, preprocessing)


def _crop(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The short side to size / crop, then the centre; as torchvision's Resize and CenterCrop.

    [N,C,H,W] -> [N,C,size,size]
    """
    short = min(images.shape[2:])
    images = _center_crop(images, LONGEST * short, LONGEST * short)
    target = int(preprocessing.size / preprocessing.crop)
    height, width = (target * length // short for length in images.shape[2:])
    return _center_crop(
        _interpolate(images, height, width, preprocessing), preprocessing.size, preprocessing.size
    )


def _pad(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The long side to size, in the centre of a square.  [N,C,H,W] -> [N,C,size,size]"""
    long = max(images.shape[2:])
    height, width = (
        max(1, round(preprocessing.size * length / long)) for length in images.shape[2:]
    )
    square = images.new_full(
        (*images.shape[:2], preprocessing.size, preprocessing.size), preprocessing.padding_value
    )
    _center_crop(square, height, width)[:] = _interpolate(images, height, width, preprocessing)
    return square


def _scale_and_offset(length: int, other: int, preprocessing: Preprocessing) -> tuple[float, float]:
    """Scale and offset of one axis, from pixels of the image to pixels of the input.

    `length` is the image's along that axis, `other` along the other one.
    """
    if preprocessing.resize == "squash":
        return preprocessing.size / length, 0.0
    if preprocessing.resize == "pad":
        scaled = max(1, round(preprocessing.size * length / max(length, other)))
        return scaled / length, _margin(preprocessing.size, scaled)
    cropped = min(length, LONGEST * min(length, other))
    scaled = int(preprocessing.size / preprocessing.crop) * cropped // min(length, other)
    factor = scaled / cropped
    return factor, -factor * _margin(length, cropped) - _margin(scaled, preprocessing.size)


def _center_crop(images: Tensor, height: int, width: int) -> Tensor:
    """The centre of images, where they are larger; a view.  [N,C,H,W] -> [N,C,h,w]"""
    top, left = _margin(images.shape[2], height), _margin(images.shape[3], width)
    return images[:, :, top : top + height, left : left + width]


def _margin(whole: int, part: int) -> int:
    """Pixels before a centred part of a longer length; 0 where the part is no shorter."""
    return max(0, round((whole - part) / 2))


def _interpolate(images: Tensor, height: int, width: int, preprocessing: Preprocessing) -> Tensor:
    if images.shape[2:] == (height, width):
        return images
    if preprocessing.colour == "labels":
        return F.interpolate(images, (height, width), mode="nearest-exact")
    return F.interpolate(images, (height, width), mode=preprocessing.interpolation, antialias=True)
