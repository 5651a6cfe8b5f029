"""TIFF of other samples than 8 bits without a sign.  TIFF 6.0; TIFF Technical Note 3 (predictor 3).

Pillow reads only some of these, and of big-endian, signed, planar and WhiteIsZero ones not all as
they are meant.  So its libtiff unpacks the strips or tiles as plain bytes, an image of one byte a
sample, and what the bytes mean is read here.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from saccade.data.samples import Samples
from saccade.errors import DataError

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two of BigTIFF
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, CMYK = 0, 1, 2, 5  # PhotometricInterpretation
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, CMYK: 4}
FLOAT = 3  # SampleFormat; 2 is signed
KINDS = {1: "u", 2: "i", FLOAT: "f", 4: "u"}
WORDS = {1: "unsigned", 2: "signed", FLOAT: "floating-point", 4: "unsigned"}
SIZES = {"u": (8, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}
JPEG = (6, 7)  # Compression
ASSOCIATED, UNASSOCIATED = 1, 2  # ExtraSamples: alpha, multiplied into the colours or not


@dataclass(frozen=True)
class Layout:
    """How the samples of a TIFF's first page lie in its file."""

    tags: Any  # Pillow's directory
    big_endian: bool
    width: int
    height: int
    bits: int  # of a sample
    format: int  # SampleFormat
    samples: int  # of a pixel
    photometric: int
    planar: bool  # a plane a sample
    tile: tuple[int, int] | None  # width and height

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a sample, as it lies in the file; 9 to 15 bits are widened to 16."""
        size = 2 if 8 < self.bits < 16 else self.bits // 8
        return np.dtype(f"{'>' if self.big_endian else '<'}{KINDS[self.format]}{size}")

    @property
    def is_plain(self) -> bool:
        """Up to 8 bits without a sign, or JPEG: Pillow reads these as they are meant."""
        return (self.bits <= 8 and self.format in (1, 4)) or self.tags.get(259) in JPEG

    @property
    def mode(self) -> str:
        """The type of a sample, for people: uint16."""
        return self.dtype.newbyteorder("=").name


def layout(raw: bytes) -> Layout:
    """The layout of the first page; raises `DataError` for what is no sound TIFF."""
    header = raw[:16] if b"+" in raw[2:4] else raw[:8]
    tags = TiffImagePlugin.ImageFileDirectory_v2(header)
    stream = io.BytesIO(raw)
    stream.seek(tags.next)
    tags.load(stream)
    return layout_of(tags)


def layout_of(tags: Any) -> Layout:
    """The layout of a page with these tags, Pillow's `tag_v2`."""
    bits, formats = _each(tags, 258, 1), _each(tags, 339, 1)
    if len({*bits}) > 1 or len({*formats}) > 1 or formats[0] not in KINDS:
        raise DataError(f"a TIFF of samples of {bits} bits and formats {formats} is not read")
    tile = (tags[322], tags[323]) if 324 in tags else None
    return Layout(
        tags,
        tags.prefix == b"MM",
        tags[256],
        tags[257],
        bits[0],
        formats[0],
        tags.get(277, 1),
        tags.get(262, BLACK_IS_ZERO),
        tags.get(284, 1) == 2,
        tile,
    )


def read_samples(raw: bytes, page: Layout) -> Samples:
    """The samples of the first page; raises `DataError` for a kind that is not read."""
    colours, alpha = _channels(page)
    needed = colours + (1 if alpha else 0)
    planes = range(needed if page.planar else 1)
    pixels = np.concatenate([_plane(raw, page, k) for k in planes], axis=-1)
    values = pixels[..., :colours]
    low, high = _type_range(page)
    unsigned = page.dtype.kind == "u"
    result = Samples(
        values,
        low,
        high,
        agreed=unsigned and page.bits <= 16,
        inverted=page.photometric == WHITE_IS_ZERO,
        orientation=page.tags.get(274, 1),
    )
    if not alpha:
        return result
    opacity = Samples(pixels[..., colours : colours + 1], low, high, agreed=True).windowed("type")
    return replace(result, alpha=opacity[..., 0], premultiplied=alpha == ASSOCIATED)


def _each(tags: Any, number: int, default: Any) -> tuple[int, ...]:
    value = tags.get(number, default)
    return value if isinstance(value, tuple) else (value,)


def _type_range(page: Layout) -> tuple[float, float]:
    if page.format == FLOAT:
        return 0.0, 1.0
    if page.format == 2:
        return -(2 ** (page.bits - 1)), 2 ** (page.bits - 1) - 1
    return 0, 2**page.bits - 1


def _channels(page: Layout) -> tuple[int, int]:
    """How many samples are colours, and of what kind the alpha after them is; 0 for none."""
    kind, odd = KINDS[page.format], 8 < page.bits < 16 and page.format in (1, 4)
    if page.bits not in SIZES[kind] and not odd:
        raise DataError(f"a TIFF of {page.bits} bits, {WORDS[page.format]}, is not read")
    colours = COLOURS.get(page.photometric, 0)
    extra = _each(page.tags, 338, 0)[0] if 338 in page.tags else None
    if colours == 3 and page.samples == 4 and extra is None:
        extra = UNASSOCIATED  # as Pillow takes it
    surplus = page.samples - colours
    unnamed = surplus > 1 or (surplus and extra is None)  # channels of whatever it was
    if not colours or surplus < 0 or (unnamed and colours == 1):
        raise DataError(
            f"a TIFF of {page.samples} channels of {page.bits} bits, {WORDS[page.format]}, with "
            f"photometric interpretation {page.photometric} is not read"
        )
    return colours, extra if surplus and extra in (ASSOCIATED, UNASSOCIATED) else 0


def _plane(raw: bytes, page: Layout, plane: int) -> NDArray[Any]:
    """One plane, or all of the pixels where they are not apart.  -> [H,W,1 or samples]"""
    per_pixel = 1 if page.planar else page.samples
    width, height = page.tile or (page.width, min(page.tags.get(278, 2**32), page.height))
    across, down = -(-page.width // width), -(-page.height // height)
    row = -(-width * per_pixel * page.bits // 8)  # bytes of a row of a strip or tile
    rows = down * height if page.tile else page.height
    packed = _unpacked(raw, page, slice(plane * across * down, (plane + 1) * across * down),
                       (across * row, rows), (row, height))  # fmt: skip
    values = _values(packed.reshape(rows, across, row), page, width, per_pixel)
    return values.reshape(rows, -1, per_pixel)[: page.height, : page.width]


def _unpacked(
    raw: bytes, page: Layout, part: slice, size: tuple[int, int], block: tuple[int, int]
) -> NDArray[np.uint8]:
    """Strips or tiles as libtiff unpacks them, as bytes.  -> [rows, bytes of a row]

    `size` and `block` are width in bytes and height of the plane and of a strip or tile.
    """
    starts, lengths = (324, 325) if page.tile else (273, 279)
    offsets = [offset + 8 for offset in _each(page.tags, starts, 0)[part]]
    tags = {256: [size[0]], 257: [size[1]], 258: [8], 259: [page.tags.get(259, 1)], 262: [1],
            266: [page.tags.get(266, 1)], 277: [1]}  # fmt: skip
    tags |= {322: [block[0]], 323: [block[1]]} if page.tile else {278: [block[1]]}
    only = (size[0] * size[1],)  # may be left out of one strip that is not packed
    tags |= {starts: offsets, lengths: [*_each(page.tags, lengths, only)[part]]}
    with Image.open(io.BytesIO(_file(raw, tags)), formats=("TIFF",)) as image:
        return np.asarray(image)


def _file(raw: bytes, tags: dict[int, list[int]]) -> bytes:
    """A TIFF of one page with these tags; `raw` is in it, 8 bytes on."""
    place = 8 + len(raw) + len(raw) % 2
    entries, after = b"", b""
    for number in sorted(tags):
        values = struct.pack(f"<{len(tags[number])}I", *tags[number])
        short = number in (258, 259, 262, 266, 277)
        if len(values) > 4:
            where = place + 2 + 12 * len(tags) + 4 + len(after)
            values, after = struct.pack("<I", where), after + values
        entries += struct.pack("<HHI", number, 3 if short else 4, len(tags[number])) + values
    directory = struct.pack("<H", len(tags)) + entries + bytes(4) + after
    return b"II*\0" + struct.pack("<I", place) + raw + bytes(len(raw) % 2) + directory


def _values(packed: NDArray[np.uint8], page: Layout, width: int, per_pixel: int) -> NDArray[Any]:
    """Samples out of bytes, the predictor undone.  [rows, blocks, bytes] -> [..., samples]"""
    predictor = page.tags.get(317, 1)
    if page.bits % 8:
        bits = np.unpackbits(packed, axis=-1)[..., : width * per_pixel * page.bits]
        weights = (1 << np.arange(page.bits)[::-1]).astype(np.uint16)
        if predictor != 1:
            raise DataError(f"a TIFF of {page.bits} bits with predictor {predictor} is not read")
        return (bits.reshape(*packed.shape[:2], -1, page.bits) @ weights).astype(np.uint16)
    if predictor == 3:
        shape = (*packed.shape[:2], -1, per_pixel)
        added = packed.reshape(shape).cumsum(axis=2, dtype=np.uint8)
        planes = added.reshape(*packed.shape[:2], page.bits // 8, width * per_pixel)
        together = np.ascontiguousarray(np.moveaxis(planes, 2, 3))
        return together.view(f">f{page.bits // 8}")[..., 0]
    values = np.ascontiguousarray(packed).view(page.dtype)
    if predictor == 1:
        return values
    unsigned = values.astype(page.dtype.newbyteorder("=")).view(f"u{page.bits // 8}")
    pixels = unsigned.reshape(*packed.shape[:2], width, per_pixel)
    added = pixels.cumsum(axis=2, dtype=unsigned.dtype)
    return added.view(page.dtype.newbyteorder("=")).reshape(values.shape)
