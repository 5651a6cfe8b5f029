"""Deep images: the samples of a file of more than 8 bits a sample.  Needs no torch."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from saccade.data import dicom, tiff
from saccade.data.samples import Samples
from saccade.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")  # that Pillow opens
MAX_PIXELS = 178_956_970  # of an image: where Pillow refuses, 2**29 / 3


def opened(raw: bytes) -> ImageFile.ImageFile | Samples:
    """An image file as Pillow opens it, not yet loaded, or the samples of one it cannot read."""
    if dicom.is_dicom(raw):
        head = dicom.header(raw)
        refuse_large(head.Columns, head.Rows)
        return dicom.read_samples(raw)
    try:
        image = Image.open(io.BytesIO(raw), formats=FORMATS)
    except UnidentifiedImageError:
        if not raw.startswith(tiff.SIGNATURES) or (page := tiff.layout(raw)).is_plain:
            raise
        refuse_large(page.width, page.height)
        return tiff.read_samples(raw, page)
    refuse_large(*image.size)
    if isinstance(image, TiffImageFile) and not (page := tiff.layout_of(image.tag_v2)).is_plain:
        return tiff.read_samples(raw, page)
    return image


def is_deep(image: Image.Image, raw: bytes) -> bool:
    """Whether an image that Pillow has opened has more than 8 bits a sample."""
    if image.format == "PNG":
        return raw[24] == 16  # Pillow's mode hides the depth of colours
    if isinstance(image, TiffImageFile):
        return not tiff.layout_of(image.tag_v2).is_plain
    return image.mode[0] in "IF"


def pillow_samples(image: ImageFile.ImageFile, raw: bytes) -> Samples:
    """The samples of a file of more than 8 bits that Pillow reads."""
    if image.mode == "F":
        return Samples(np.asarray(image)[..., None], 0.0, 1.0, agreed=False)
    if image.mode[0] == "I":
        values = np.asarray(image).clip(0, 2**16 - 1).astype(np.uint16)[..., None]
    else:
        values = _sixteen_bits(image, raw)
    alpha = None
    if image.mode[0] == "I" or image.mode == "RGB":
        if "transparency" in image.info:
            clear = (values == np.array(image.info["transparency"])).all(axis=-1)
            alpha = np.where(clear, 0, 255).astype(np.uint8)
    else:
        values, alpha = values[..., :-1], (values[..., -1] >> 8).astype(np.uint8)
    return Samples(values, 0, 2**16 - 1, agreed=True, alpha=alpha)


def _sixteen_bits(image: ImageFile.ImageFile, raw: bytes) -> NDArray[np.uint16]:
    """All bits of a PNG of 16 bits in mode RGB, RGBA or LA, of which Pillow keeps the upper 8.

    Read as if its other byte came first, Pillow keeps the lower 8.  Grey with alpha has the four
    bytes of an 8-bit RGBA.  -> [H,W,C]
    """
    if image.mode == "LA":
        head = b"IHDR" + raw[16:24] + bytes([8, 6]) + raw[26:29]
        plain = raw[:12] + head + struct.pack(">I", zlib.crc32(head)) + raw[33:]
        with Image.open(io.BytesIO(plain), formats=("PNG",)) as four:
            values = np.asarray(four).astype(np.uint16)
        return (values[..., ::2] << 8 | values[..., 1::2]).astype(np.uint16)
    with Image.open(io.BytesIO(raw), formats=("PNG",)) as lower:
        lower.tile = [part._replace(args=f"{image.mode};16L") for part in lower.tile]
        lower.load()
        upper = np.asarray(image).astype(np.uint16)
        return (upper << 8 | np.asarray(lower)).astype(np.uint16)


def refuse_large(width: int, height: int) -> None:
    """Raise `DataError` for an image of too many pixels."""
    if width * height > MAX_PIXELS:
        raise DataError(f"the image has over {MAX_PIXELS:,} pixels")
