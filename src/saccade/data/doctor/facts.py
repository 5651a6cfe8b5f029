"""The facts of one image: size, format, digest, perceptual hashes, brightness, sharpness.

pHash compares 64 coefficients of a discrete cosine transform with their median, dHash each pixel
with its left neighbour (Krawetz, "Looks Like It" 2011 and "Kind of Like That" 2013).  Bits stand as
in the ImageHash library, the first bit highest, so that hashes can be exchanged with it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.data.formats import DecodeOptions, open_image
from saccade.data.header import header
from saccade.data.item import LazyImage, content_digest
from saccade.errors import DataError

HASH_SIZE = 32  # pixels of the reduced image that pHash looks at
LOW_FREQUENCIES = 8  # lowest frequencies in each direction
BITS_SET = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


def digest(raw: bytes | NDArray[np.uint8]) -> str:
    """The first half of `content_digest` of bytes or pixels [H,W] or [H,W,3]; 32 hex digits."""
    return content_digest(raw)[:DIGEST_SIZE].hex()


def downscaled(grey: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The image at another size.  [H,W] -> [height,width]"""
    return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.LANCZOS))


def phash(grey: NDArray[np.uint8]) -> int:
    """64 bits: which of the lowest 8 x 8 frequencies lie above their median.  [H,W] -> int"""
    pixels = downscaled(grey, HASH_SIZE, HASH_SIZE).astype(np.float64)
    lowest = _DCT_ROWS @ pixels @ _DCT_ROWS.T
    return _pack_bits(lowest > np.median(lowest))


def dhash(grey: NDArray[np.uint8]) -> int:
    """64 bits: which pixels of the 9 x 8 image are brighter than their left neighbour.

    [H,W] -> int
    """
    pixels = downscaled(grey, 9, 8)
    return _pack_bits(pixels[:, 1:] > pixels[:, :-1])


def distance(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many of 64 bits differ.  [N], [N] -> [N]"""
    differing = np.ascontiguousarray(a ^ b).view(np.uint8).reshape(-1, 8)
    return BITS_SET[differing].sum(axis=1, dtype=np.int64)


def _dct_rows() -> NDArray[np.float64]:
    """The first rows of the DCT-II matrix, unscaled as in `scipy.fftpack.dct`.  [8,32]"""
    frequency, position = np.arange(LOW_FREQUENCIES)[:, None], np.arange(HASH_SIZE)[None, :]
    return 2 * np.cos(np.pi * frequency * (2 * position + 1) / (2 * HASH_SIZE))


def _pack_bits(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


_DCT_ROWS = _dct_rows()
DIGEST_SIZE = 16  # bytes
VERSION = 3  # of the facts; those of another version are computed again
LARGEST = 256  # pixels; quantities are measured at this size, or the image's own when smaller
SMALLEST = 32


class Facts(NamedTuple):
    """One image; sizes are those after EXIF orientation, numbers of brightness run 0 to 255."""

    bytes: int
    digest: str
    format: str = ""  # as Pillow names it; empty for pixels and for what has no header
    mode: str = ""
    width: int = 0  # pixels
    height: int = 0
    orientation: int = 1  # EXIF, 1 to 8
    alpha: bool = False
    deep: bool = False  # more than 8 bits a sample
    frames: bool = False  # animated, or several pages
    grey: bool = False  # equal colour channels, whatever the mode
    phash: int = 0
    dhash: int = 0
    structure: float = 0.0  # deviation of the 32 x 32 image; hashes of flat ones say nothing
    sharpness: float = 0.0  # variance of the Laplacian
    darkest: int = 0  # 1 % of the pixels are as dark
    brightest: int = 0  # 1 % of the pixels are as bright
    entropy: float = 0.0  # bits per pixel
    reason: str = ""  # why it cannot be read; empty when it can


# The same as columns, for many images; reasons are few and are kept beside.
COLUMNS = np.dtype(
    [
        ("bytes", "u8"), ("digest", "S32"), ("format", "U8"), ("mode", "U8"),
        ("width", "u4"), ("height", "u4"), ("orientation", "u1"),
        ("alpha", "?"), ("deep", "?"), ("frames", "?"), ("grey", "?"),
        ("phash", "u8"), ("dhash", "u8"), ("structure", "f4"),
        ("sharpness", "f4"), ("darkest", "u1"), ("brightest", "u1"), ("entropy", "f4"),
        ("readable", "?"),
    ]
)  # fmt: skip


def raw_of(image: LazyImage) -> bytes | NDArray[np.uint8] | Facts:
    """The bytes or pixels [H,W] or [H,W,3] of an image, or facts with the reason for neither."""
    try:
        return image.read()
    except (DataError, OSError) as error:
        return Facts(0, "", reason=f"cannot be read: {_reason(error)}")


def facts_of(raw: bytes | NDArray[np.uint8]) -> Facts:
    """The facts of the bytes of a file, or of pixels [H,W] or [H,W,3]; never raises for these."""
    facts = _header(raw)
    if not facts.bytes:
        return facts._replace(reason="an empty file")
    size = min(LARGEST, max(facts.width, facts.height, SMALLEST))
    try:
        pixels = pixels_of(raw, size)
    except DataError as error:
        return facts._replace(reason=error.what)
    return _with_statistics(facts, pixels)


def pixels_of(raw: bytes | NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The image as the decoder reads it, squashed to a square.  -> [size,size,3]

    Only the reading is the decoder's: its resize needs torch, which takes longer to start than a
    thousand images to look at.  Raises `DataError` for what cannot be read.
    """
    if isinstance(raw, bytes):
        raw = open_image(raw, DecodeOptions(grey=False, min_side=size, longer=False))
    image = Image.fromarray(raw.squeeze(2) if raw.shape[2:] == (1,) else raw).convert("RGB")
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def row(facts: Facts) -> tuple[object, ...]:
    """The facts as one row of `COLUMNS`."""
    return (*facts[:-1], not facts.reason)


def _header(raw: bytes | NDArray[np.uint8]) -> Facts:
    """The facts in a file's header; what is wrong there, the decoder reports."""
    if isinstance(raw, np.ndarray):
        height, width = raw.shape[:2]
        mode = "L" if raw.ndim == 2 else "RGB"
        return Facts(raw.nbytes, digest(raw), "", mode, width, height)
    facts, found = Facts(len(raw), digest(raw)), header(raw)
    return facts._replace(**found._asdict()) if found else facts


def _with_statistics(facts: Facts, pixels: NDArray[np.uint8]) -> Facts:
    """Hashes and statistics of the decoded image.  uint8 [S,S,3]"""
    red, green, blue = np.moveaxis(pixels, 2, 0)
    high, low = (extreme(extreme(red, green), blue) for extreme in (np.maximum, np.minimum))
    grey = np.asarray(Image.fromarray(pixels).convert("L"))  # ITU-R 601
    small = downscaled(grey, SMALLEST, SMALLEST)
    counts = np.bincount(grey.ravel(), minlength=256)
    darkest, brightest = np.searchsorted(counts.cumsum(), (0.01 * grey.size, 0.99 * grey.size))
    shares = counts[counts > 0] / grey.size
    return facts._replace(
        grey=bool((high - low).max() <= 8),  # JPEG rounds chroma
        phash=phash(small),
        dhash=dhash(grey),
        structure=round(float(small.std()), 2),
        sharpness=round(float(_laplacian(grey).var()), 2),
        darkest=int(darkest),
        brightest=int(brightest),
        entropy=round(float(-(shares * np.log2(shares)).sum()) + 0.0, 3),
    )


def _laplacian(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Four neighbours minus four times the pixel.  [H,W] -> [H-2,W-2]"""
    g = grey.astype(np.float32)
    return g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
