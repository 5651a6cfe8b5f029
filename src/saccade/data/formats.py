"""An image file to its pixels, by one stated rule for each kind of file.  Needs no torch.

The rules in words are in docs/pictures.md; whatever is changed here changes `DECODER`.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from saccade.data import dicom, tiff
from saccade.data.arrow import zero_copy_pixels
from saccade.data.deep import FORMATS, MAX_PIXELS, is_deep, opened, pillow_samples
from saccade.data.repair import repaired
from saccade.data.samples import Samples
from saccade.data.window import EACH_IMAGE, TYPE
from saccade.errors import DataError

DECODER = 2  # counts up whenever an image may come out in other bytes
MAX_BYTES = 512 * 2**20  # of a file
BACKGROUND = (255, 255, 255, 255)  # behind what is transparent
USUAL = (EACH_IMAGE, TYPE)  # windows that leave 16 bits without a sign as they are
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
    window: str = EACH_IMAGE  # of samples without an agreed white: "type" or "LOW HIGH"


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
    with _reasons(raw), _no_warnings():
        try:
            return _read(raw, options)
        except (DataError, Image.DecompressionBombError, MemoryError):
            raise
        except Exception:
            if (whole := repaired(raw)) is None:
                raise
            return _read(whole, options)


def measured(raw: bytes) -> NDArray[np.float64]:
    """`Samples.measured` of a file of more than 8 bits a sample; empty of any other."""
    with _reasons(raw), _no_warnings():
        image = opened(raw)
        if isinstance(image, Samples):
            return image.measured()
        with image:
            return pillow_samples(image, raw).measured() if is_deep(image, raw) else np.empty(0)


@contextmanager
def _reasons(raw: bytes) -> Iterator[None]:
    """Whatever is raised about the bytes, as a `DataError` with a short reason."""
    try:
        yield
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(f"the image has over {MAX_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        name = _format_name(raw)
        if name == "image":
            raise DataError(f"no image file of a known format ({', '.join(FORMATS)})") from error
        raise DataError(f"damaged or unusual {name} file: its header makes no sense") from error
    except MemoryError as error:
        raise DataError("the image needs more memory than there is") from error
    except Exception as error:  # seen: OSError, ValueError, SyntaxError, TypeError, ...
        reason = str(error).partition("\n")[0][:120] or type(error).__name__
        raise DataError(f"damaged or unusual {_format_name(raw)} file: {reason}") from error


def _read(raw: bytes, options: DecodeOptions) -> NDArray[np.uint8]:
    image = opened(raw)
    if not isinstance(image, Samples):
        with image:
            return _read_pixels(image, raw, options)
    if options.labels:
        raise DataError(f"no mask: {image.values.dtype} in place of 8-bit grey or a palette")
    return _finished(_shown(image, options.window), image.orientation, options)


def _read_pixels(
    image: ImageFile.ImageFile, raw: bytes, options: DecodeOptions
) -> NDArray[np.uint8]:
    width, height = image.size
    side = max(width, height) if options.longer else min(width, height)
    factor = next((f for f in (8, 4, 2) if side // f >= options.min_side), 1)
    # JPEG alone does anything here: fewer coefficients, and for grey no colour at all
    image.draft("L" if options.grey else "RGB", (width // factor, height // factor))
    image.load()
    displayed = _mask_labels(image) if options.labels else _displayed(image, raw, options.window)
    return _finished(displayed, _orientation(image), options)


def _finished(image: Image.Image, orientation: int, options: DecodeOptions) -> NDArray[np.uint8]:
    """The pixels of an image in mode L or RGB, upright, and grey where that is wanted."""
    if options.grey:
        image = image.convert("L")
    if (transpose := UPRIGHT.get(orientation)) is not None:
        image = image.transpose(transpose)
    return zero_copy_pixels(image)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # what cannot be read there says nothing about the pixels
        return 1


def _displayed(image: ImageFile.ImageFile, raw: bytes, window: str) -> Image.Image:
    """The image as a screen shows it, in mode L or RGB."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info and window in USUAL:
        return image if image.format != "GIF" else _on_canvas(image, image)
    if is_deep(image, raw) and (
        image.mode[0] in "IF" or window not in USUAL or "transparency" in image.info
    ):
        return _shown(pillow_samples(image, raw), window)
    if image.mode == "LAB":
        return Image.fromarray(_lab_to_srgb(np.asarray(image)))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return _on_white(image, raw)
    shown = image.convert("L" if image.mode in ("1", "L") else "RGB")
    return shown if image.format != "GIF" else _on_canvas(image, shown)


def _on_white(image: ImageFile.ImageFile, raw: bytes) -> Image.Image:
    """An image with something clear, on white."""
    key = image.info.get("transparency")
    if image.format == "PNG" and image.mode == "L" and isinstance(key, int) and raw[24] < 8:
        image.info["transparency"] = key * (255 // (2 ** raw[24] - 1))  # as the pixels are widened
    if image.format == "BMP" and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB")  # the fourth byte was left empty, as many programs do
    return _composite(image.convert("LA") if image.mode == "La" else image)


def _on_canvas(image: ImageFile.ImageFile, shown: Image.Image) -> Image.Image:
    """A GIF on white where its first frame leaves the canvas free, as browsers show it."""
    extent = getattr(image, "dispose_extent", None)
    if extent is None or tuple(extent) == (0, 0, *image.size):
        return shown
    canvas = Image.new("RGB", image.size, BACKGROUND[:3])
    canvas.paste(shown.crop(extent).convert("RGB"), extent)
    return canvas


def _mask_labels(image: ImageFile.ImageFile) -> Image.Image:
    """A mask's classes as the file holds them, in mode L; 0 and 1 of one bit."""
    if image.mode not in ("1", "L", "P"):
        raise DataError(f"no mask: {image.mode} in place of 8-bit grey or a palette")
    if image.mode == "1":
        return Image.fromarray(np.asarray(image).astype(np.uint8))
    return image if image.mode == "L" else Image.frombytes("L", image.size, image.tobytes())


def _shown(samples: Samples, window: str) -> Image.Image:
    """Samples as a screen shows them through a window, in mode L or RGB."""
    pixels = samples.windowed(window)
    height, width, channels = pixels.shape
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[channels]
    image = Image.frombytes(mode, (width, height), pixels.tobytes())
    if samples.alpha is None:
        return image.convert("RGB") if mode == "CMYK" else image
    colours = np.broadcast_to(pixels[..., :3], (height, width, 3))
    four = np.concatenate([colours, samples.alpha[..., None]], axis=-1).tobytes()
    mode = "RGBa" if samples.premultiplied else "RGBA"
    return _composite(Image.frombytes(mode, (width, height), four))


def _composite(image: Image.Image) -> Image.Image:
    background = Image.new("RGBA", image.size, BACKGROUND)
    return Image.alpha_composite(background, image.convert("RGBA")).convert("RGB")


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
        b"\xff\xd8": "JPEG", b"\x89PNG": "PNG", b"RIFF": "WEBP", b"GIF8": "GIF", b"BM": "BMP",
        b"P": "PPM", **dict.fromkeys(tiff.SIGNATURES, "TIFF"),
    }  # fmt: skip
    if dicom.is_dicom(raw):
        return "DICOM"
    return next((name for start, name in signatures.items() if raw.startswith(start)), "image")


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
