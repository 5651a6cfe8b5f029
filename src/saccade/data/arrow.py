"""Pillow's memory as a NumPy array.  Needs no torch.

Pillow hands its memory out by Arrow's C data interface, four bytes a coloured pixel; NumPy takes an
address by its array interface, so that nothing is copied.  Layout of the struct:
arrow.apache.org/docs/format/CDataInterface.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class _Array(ctypes.Structure):
    """struct ArrowArray."""


_Array._fields_ = [
    *((name, ctypes.c_int64) for name in ("length", "nulls", "offset", "buffers_count", "count")),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    *((name, ctypes.c_void_p) for name in ("dictionary", "release", "private")),
]
_address = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


class _ArrowBuffer:
    """Pillow's memory as NumPy's array interface; kept alive by the arrays made of it."""

    def __init__(self, image: Image.Image, channels: int):
        _, self.capsule = image.__arrow_c_array__()
        array = _Array.from_address(_address(self.capsule, b"arrow_array"))
        values = array.children[0].contents if array.count else array
        self.__array_interface__: dict[str, Any] = {
            "data": (values.buffers[1], False),
            "shape": (image.height, image.width, channels),
            "typestr": "|u1",
            "version": 3,
        }


def zero_copy_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """A loaded image of mode L as [H,W,1], of mode RGB as [H,W,4] with 255 or 0 for a fourth.

    An image over Pillow's 16 MiB a block lies in several places and is copied.
    """
    try:
        return np.asarray(_ArrowBuffer(image, 1 if image.mode == "L" else 4))
    except (AttributeError, ValueError):  # Pillow before 11.2.1; several blocks
        raw = image.tobytes("raw", "L" if image.mode == "L" else "RGBX")
        return np.frombuffer(bytearray(raw), np.uint8).reshape(image.height, image.width, -1)
