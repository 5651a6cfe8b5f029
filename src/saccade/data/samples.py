"""Samples: an image's numbers as its file holds them, and the bytes that a window makes of them.

Needs no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.window import EACH_IMAGE, MINMAX, TYPE, ends, of_ends
from saccade.errors import DataError

AGREED, WHOLE, FLOATS = KINDS = (0, 1, 2)  # of samples: white is agreed; whole; floating-point
SUBSET = 4096  # samples of an image, evenly spaced, that percentiles are taken from


@dataclass(frozen=True)
class Samples:
    """An image's samples as its file holds them, upright or not."""

    values: NDArray[Any]  # [H,W,1], [H,W,3] or, of CMYK, [H,W,4]
    low: float  # of the type
    high: float
    agreed: bool  # white is agreed to be `high`
    inverted: bool = False  # the least is white: WhiteIsZero, MONOCHROME1
    alpha: NDArray[np.uint8] | None = None  # [H,W]
    premultiplied: bool = False  # by that alpha
    orientation: int = 1  # EXIF, 1 to 8

    def windowed(self, window: str) -> NDArray[np.uint8]:
        """The samples as bytes, black 0 and white 255; not-a-number is black.  -> [H,W,C]

        Raises `DataError` where `window` is "type" and floats are not within 0 to 1.
        """
        if self.agreed and (window == EACH_IMAGE or self.high <= 255):
            window = TYPE
        values = self.values
        if window == TYPE and values.dtype.kind in "ui" and isinstance(self.low, int):
            result = _upper_bits(values, self.low, int(self.high))
        else:
            low, high = self._ends(window)
            result = _scaled(values, low, high)
        if self.inverted:
            result = 255 - result
            if values.dtype.kind == "f":
                result[np.isnan(values)] = 0
        return result

    def _ends(self, window: str) -> tuple[float, float]:
        if window not in (EACH_IMAGE, TYPE):
            return ends(window)
        low, high = extremes(self.values)
        if window == EACH_IMAGE:
            return low, high
        if not (self.low <= low and high <= self.high):
            raise DataError(
                f"its samples go from {low:g} to {high:g}, and data.window=type takes "
                f"{self.low:g} to {self.high:g}"
            )
        return self.low, self.high

    def measured(self) -> NDArray[np.float64]:
        """What a window is chosen from: `KINDS`, the least, the greatest, some of the others.

        Of finite samples; empty where there is none and where 8 bits are all.  -> [0] or [3+n]
        """
        finite = self.values[np.isfinite(self.values)]
        if not finite.size or (self.agreed and self.high <= 255):
            return np.empty(0)
        kind = AGREED if self.agreed else FLOATS if self.values.dtype.kind == "f" else WHOLE
        some = finite[:: -(-finite.size // SUBSET)]
        return np.concatenate([[kind, finite.min(), finite.max()], some]).astype(np.float64)


def extremes(values: NDArray[Any]) -> tuple[float, float]:
    """The least and the greatest finite value; 0 and 0 where there is none.  [...]"""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def set_window(measured: Sequence[NDArray[np.float64]], choice: str) -> str:
    """The window "LOW HIGH" of the images with these `Samples.measured`, [3+n] each.

    `choice` is minmax, or percentiles with two numbers from 0 to 100.
    """
    if choice == MINMAX:
        return of_ends(min(m[1] for m in measured), max(m[2] for m in measured))
    shares = [float(word) for word in choice.split()[1:]]
    low, high = np.percentile(np.concatenate([m[3:] for m in measured]), shares)
    return of_ends(low, high)


def _upper_bits(values: NDArray[Any], low: int, high: int) -> NDArray[np.uint8]:
    """The upper 8 bits of whole numbers from `low` to `high`, a power of two of them."""
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    above = values.astype(values.dtype.newbyteorder("=")).view(unsigned)
    above = above - np.array(low, values.dtype.newbyteorder("=")).view(unsigned)  # modulo 2**bits
    return (above >> max(0, (high - low).bit_length() - 8)).astype(np.uint8)


def _scaled(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """From `low`, 0, to `high`, 255; rounded.  What is no number is `low`."""
    if not low < high:
        return np.zeros(values.shape, np.uint8)
    values = values.astype(np.float64)
    values = np.where(np.isnan(values), low, values.clip(low, high))
    return np.rint((values / 2 - low / 2) / (high / 2 - low / 2) * 255).astype(np.uint8)
