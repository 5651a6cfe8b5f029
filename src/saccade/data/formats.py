"""An image file to its pixels, by one stated rule for each kind of file.  Needs no torch.

The rules in words are in docs/pictures.md; whatever is changed here changes `DECODER`.

Pillow hands its memory out by Arrow's C data interface, four bytes a coloured pixel; NumPy takes an
address by its array interface, so that nothing is copied.  Layout of the struct:
arrow.apache.org/docs/format/CDataInterface.
"""

from __future__ import annotations

import ctypes
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from saccade.errors import DataError


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


DECODER = 1  # counts up whenever an image may come out in other bytes
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
MAX_BYTES = 512 * 2**20  # of a file
MAX_PIXELS = 178_956_970  # of an image: where Pillow refuses, 2**29 / 3
BACKGROUND = (255, 255, 255, 255)  # behind what is transparent
UPRIGHT = {  # by EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class DecodeOptions:
    """What is wanted of an image file, so that JPEG can leave out what the resize will."""

    grey: bool
    min_side: int  # pixels of the side below
    longer: bool  # the side that `min_side` is meant for: the longer one, else the shorter
    labels: bool = False  # of a mask: the numbers that the file holds, grey or of its palette


def open_image(raw: bytes, options: DecodeOptions) -> NDArray[np.uint8]:
    """The upright image in an image file: grey [H,W,1], or [H,W,4] with a fourth of no meaning.

    Pillow keeps colours so, and torch resizes four as fast as three.  May be 2, 4 or 8 times
    smaller than the file says when `options` allow it.  Raises `DataError` with a short reason,
    whatever is wrong with the bytes.
    """
    if not raw:
        raise DataError("the file is empty")
    if len(raw) > MAX_BYTES:
        raise DataError(f"the file has {len(raw):,} bytes, over the limit of {MAX_BYTES:,}")
    try:
        with _no_warnings(), Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            return _read_pixels(image, options)
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(f"the image has over {MAX_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise DataError(f"no image file of a known format ({', '.join(FORMATS)})") from error
    except MemoryError as error:
        raise DataError("the image needs more memory than there is") from error
    except Exception as error:  # seen: OSError, ValueError, SyntaxError, TypeError, ...
        reason = str(error).partition("\n")[0][:120] or type(error).__name__
        raise DataError(f"damaged or unusual {_format_name(raw)} file: {reason}") from error


def _read_pixels(image: ImageFile.ImageFile, options: DecodeOptions) -> NDArray[np.uint8]:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(f"the image has over {MAX_PIXELS:,} pixels")
    side = max(width, height) if options.longer else min(width, height)
    factor = next((f for f in (8, 4, 2) if side // f >= options.min_side), 1)
    # JPEG alone does anything here: fewer coefficients, and for grey no colour at all
    image.draft("L" if options.grey else "RGB", (width // factor, height // factor))
    image.load()
    transpose = UPRIGHT.get(_orientation(image))
    displayed = _mask_labels(image) if options.labels else _displayed(image)
    if options.grey:
        displayed = displayed.convert("L")
    if transpose is not None:
        displayed = displayed.transpose(transpose)
    return zero_copy_pixels(displayed)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # what cannot be read there says nothing about the pixels
        return 1


def _displayed(image: ImageFile.ImageFile) -> Image.Image:
    """The image as a screen shows it, in mode L or RGB."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _from_16_bits(image)
    if image.mode in ("I", "F"):
        return Image.fromarray(_rescale(np.asarray(image, dtype=np.float64)))
    if image.mode == "LAB":
        return Image.fromarray(_lab_to_srgb(np.asarray(image)))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return _composite(image.convert("LA") if image.mode == "La" else image)
    return image.convert("L" if image.mode == "1" else "RGB")


def _mask_labels(image: ImageFile.ImageFile) -> Image.Image:
    """A mask's classes as the file holds them, in mode L; 0 and 1 of one bit."""
    if image.mode not in ("1", "L", "P"):
        raise DataError(f"no mask: {image.mode} in place of 8-bit grey or a palette")
    if image.mode == "1":
        return Image.fromarray(np.asarray(image).astype(np.uint8))
    return image if image.mode == "L" else Image.frombytes("L", image.size, image.tobytes())


def _from_16_bits(image: ImageFile.ImageFile) -> Image.Image:
    """The upper 8 of the file's 16 (or 12) bits, as for 16-bit colour; one value may be clear."""
    values = np.asarray(image).astype(np.int64)
    tags = cast(Any, getattr(image, "tag_v2", {}))
    bits = 12 if tags.get(258) == (12,) else 16
    grey = (values.clip(0, 2**bits - 1) >> (bits - 8)).astype(np.uint8)
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = BACKGROUND[0]
    return Image.fromarray(grey)


def _composite(image: Image.Image) -> Image.Image:
    background = Image.new("RGBA", image.size, BACKGROUND)
    return Image.alpha_composite(background, image.convert("RGBA")).convert("RGB")


def _rescale(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The least finite value black, the greatest white: 32-bit numbers have no agreed white.

    [H,W] float -> [H,W] uint8
    """
    finite = np.isfinite(values)
    low = values.min(where=finite, initial=np.inf)
    high = values.max(where=finite, initial=-np.inf)
    if not low < high:
        return np.zeros(values.shape, np.uint8)
    values = np.where(np.isnan(values), low, values.clip(low, high))
    return np.rint((values / 2 - low / 2) / (high / 2 - low / 2) * 255).astype(np.uint8)


def _lab_to_srgb(lab: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """CIE L*a*b* (white D50, a and b signed) to sRGB.  [H,W,3] -> [H,W,3]

    CIE 15:2004, 8.2.1; the matrix is XYZ (D50) to linear sRGB, Bradford adapted (Lindbloom);
    the curve is IEC 61966-2-1.
    """
    a, b = np.moveaxis(lab[..., 1:].view(np.int8).astype(np.float32), -1, 0)
    fy = (lab[..., 0].astype(np.float32) * (100 / 255) + 16) / 116
    f = np.stack([fy + a / 500, fy, fy - b / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * (3 * (6 / 29) ** 2))
    xyz *= (0.96422, 1.0, 0.82521)
    # fmt: off
    matrix = np.array([
        [ 3.1338561, -1.6168667, -0.4906146],
        [-0.9787684,  1.9161415,  0.0334540],
        [ 0.0719453, -0.2289914,  1.4052427],
    ], dtype=np.float32)
    # fmt: on
    linear = (xyz @ matrix.T).clip(0, 1)
    encoded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return np.rint(255 * encoded).astype(np.uint8)


def _format_name(raw: bytes) -> str:
    """The format by its first bytes, for a message."""
    signatures = {
        b"\xff\xd8": "JPEG",
        b"\x89PNG": "PNG",
        b"RIFF": "WEBP",
        b"GIF8": "GIF",
        b"BM": "BMP",
    }
    signatures |= {b"II*": "TIFF", b"MM\0*": "TIFF", b"P": "PPM"}
    return next(
        (name for signature, name in signatures.items() if raw.startswith(signature)), "image"
    )


_lock = threading.Lock()
_filters: list[Any] = []  # the filters to put back, once however many threads are decoding


@contextmanager
def _no_warnings() -> Iterator[None]:
    """No warnings of Pillow: each is about the file and is followed by pixels or by an error.

    `warnings.catch_warnings` alone is not enough, since its leavings mix when threads overlap.
    """
    with _lock:
        if not _filters:
            context = warnings.catch_warnings()
            context.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
            _filters.append(context)
        _filters.append(None)
    try:
        yield
    finally:
        with _lock:
            _filters.pop()
            if len(_filters) == 1:
                _filters.pop().__exit__(None, None, None)
