"""Fingerprints: the digest of a picture's content, and two 64-bit hashes of what it looks like.

pHash compares 64 coefficients of a discrete cosine transform with their median, dHash each pixel
with its left neighbour (Krawetz, "Looks Like It" 2011 and "Kind of Like That" 2013).  Bits stand as
in the ImageHash library, the first bit highest, so that hashes can be exchanged with it.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32  # pixels of the reduced picture that pHash looks at
KEPT = 8  # lowest frequencies in each direction
BITS_SET = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


def digest(raw: bytes | NDArray[np.uint8]) -> str:
    """The same for the same bytes, or the same pixels in the same shape, and for nothing else."""
    content = hashlib.blake2b(digest_size=16)
    if isinstance(raw, np.ndarray):
        content.update(str(raw.shape).encode())
        raw = np.ascontiguousarray(raw).tobytes()
    content.update(raw)
    return content.hexdigest()


def reduced(grey: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The picture at another size.  [H,W] -> [height,width]"""
    return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.LANCZOS))


def phash(grey: NDArray[np.uint8]) -> int:
    """64 bits: which of the lowest 8 x 8 frequencies lie above their median.  [H,W] -> int"""
    pixels = reduced(grey, SIDE, SIDE).astype(np.float64)
    lowest = _COSINES @ pixels @ _COSINES.T
    return _packed(lowest > np.median(lowest))


def dhash(grey: NDArray[np.uint8]) -> int:
    """64 bits: which pixels of the 9 x 8 picture are brighter than their left neighbour.

    [H,W] -> int
    """
    pixels = reduced(grey, 9, 8)
    return _packed(pixels[:, 1:] > pixels[:, :-1])


def distance(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many of 64 bits differ.  [N], [N] -> [N]"""
    differing = np.ascontiguousarray(a ^ b).view(np.uint8).reshape(-1, 8)
    return BITS_SET[differing].sum(axis=1, dtype=np.int64)


def _cosines() -> NDArray[np.float64]:
    """The first rows of the DCT-II matrix, unscaled as in `scipy.fftpack.dct`.  [8,32]"""
    frequency, place = np.arange(KEPT)[:, None], np.arange(SIDE)[None, :]
    return 2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE))


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


_COSINES = _cosines()
