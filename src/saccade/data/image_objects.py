"""Images as Python has them, as image files: arrays, tensors, Pillow's, bytes and open files.

The one place that tells what such an object is.  A NumPy array is [H,W], [H,W,C], [N,H,W] or
[N,H,W,C] with one, three or four channels, a tensor [H,W], [C,H,W], [N,H,W] or [N,C,H,W]; uint8, or
floats from 0 to 1.  What could be read in two ways is refused.  Pixels become a PNG file, so that
they meet exactly the code that the file would meet.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from os import PathLike

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from saccade.data.classes import is_text, safe_name
from saccade.errors import DataError

CHANNELS = (1, 3, 4)
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # of Pillow, that a PNG holds as they are
SUFFIXES = {
    b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp",
    b"II*\0": ".tif", b"MM\0*": ".tif",
}  # fmt: skip
IMAGES_HINT = "an image is a path, an array, a tensor, an image of Pillow, bytes, or an open file"
ORIENTATION = 0x0112  # of EXIF


def is_path(value: object) -> bool:
    """Whether this names a file or a folder."""
    return isinstance(value, str | PathLike)


def is_array(value: object) -> bool:
    """Whether this is an array or a tensor of numbers."""
    numbers = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    return numbers or isinstance(value, Tensor)


def is_image(value: object) -> bool:
    """Whether this is one image, or an array of them."""
    single = isinstance(value, Image.Image | bytes | bytearray | memoryview)
    return single or is_array(value) or callable(getattr(value, "read", None))


def described(value: object) -> str:
    """What an object is, for a message: its type, and of arrays their numbers and shape."""
    if isinstance(value, np.ndarray | Tensor):
        kind = "a tensor" if isinstance(value, Tensor) else "an array"
        dtype = str(value.dtype).removeprefix("torch.")
        return f"{kind} of {dtype} [{','.join(map(str, value.shape))}]"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def encoded_images(value: object, place: str, *, several: bool | None = None) -> Iterator[bytes]:
    """The images in an object, each as the bytes of an image file; `place` is for messages.

    `several` says whether an array holds one image a row, None that its shape tells.  Raises
    `DataError` for what is no image, and for what could be read in two ways.
    """
    if isinstance(value, Image.Image):
        yield _pillow_bytes(value, place)
    elif isinstance(value, bytes | bytearray | memoryview):
        yield _whole(bytes(value), place)
    elif isinstance(value, np.ndarray | Tensor):
        yield from (_png(Image.fromarray(pixels)) for pixels in pixels_in(value, place, several))
    elif callable(read := getattr(value, "read", None)):
        yield _whole(_of_file(read, place), place)
    else:
        raise _no_image(value, place)


def _of_file(read: Callable[[], object], place: str) -> bytes:
    data = read()
    if not isinstance(data, bytes):
        raise DataError(f"{place} is a file of text", "open it with mode 'rb'")
    return data


def _no_image(value: object, place: str) -> DataError:
    return DataError(
        f"{place} is {described(value)}, which is no image",
        IMAGES_HINT,
    )


def one_image(value: object, place: str) -> str | bytes:
    """A path as text, or the bytes of the one image that an object is; else as `encoded_images`."""
    if isinstance(value, str | PathLike):
        text = os.fspath(value)
        if not is_text(text):
            raise DataError(f"the path '{safe_name(text)}' is no text", "rename the file")
        return text
    return next(encoded_images(value, place, several=False))


def file_of(value: object) -> str:
    """The path of the file that an image of Pillow or an open file is of; "" for none."""
    path = getattr(value, "filename", None) or getattr(value, "name", None)
    return path if isinstance(path, str) and is_image(value) else ""


def suffix_of(data: bytes) -> str:
    """The suffix for the bytes of an image file, by the first of them."""
    return next((suffix for start, suffix in SUFFIXES.items() if data.startswith(start)), "")


def pixels_in(
    value: NDArray | Tensor, place: str, several: bool | None = None
) -> Iterator[NDArray[np.uint8]]:
    """The images in an array, [H,W] or [H,W,3 or 4] each, as `encoded_images`."""
    array, is_tensor = _as_array(value), isinstance(value, Tensor)
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        hint = "an image is [H,W] or [H,W,3], several are [N,H,W,3]"
        if array.ndim == 2:
            hint = f"{hint}; there is nothing in this one"
        raise DataError(f"{place} is {described(value)}", hint)
    axis = _channels_axis(array.shape, is_tensor, several, f"{place} is {described(value)}")
    pixels = _as_bytes(array, f"{place} is {described(value)}")
    if axis is not None:
        pixels = np.moveaxis(pixels, axis, -1)
    images = pixels.ndim - (axis is not None)  # axes beside that of the channels
    if images == 3 and several is False:
        what = f"{place} is {described(value)}, which are several images"
        raise DataError(what, "in a list each is one image: give the array itself, or its rows")
    batch = pixels if images == 3 else pixels[None]
    if axis is not None and batch.shape[-1] == 1:
        batch = batch[..., 0]
    return map(np.ascontiguousarray, batch)


def _as_array(value: NDArray | Tensor) -> NDArray:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return value


def _channels_axis(
    shape: tuple[int, ...], is_tensor: bool, several: bool | None, what: str
) -> int | None:
    """The axis of the channels, from the end; None where images are grey and have none."""
    if len(shape) == 2:
        if several:
            raise DataError(
                f"{what}: a row is no image", "reshape it to [N,H,W], as in x.reshape(-1, 8, 8)"
            )
        return None
    first, last = shape[-3] in CHANNELS, shape[-1] in CHANNELS
    if len(shape) == 3 and several:
        if last:
            hint = "add an axis of channels, as in x[..., None], or of images, as in x[None]"
            raise DataError(f"{what}, which may be one image or several", hint)
        return None
    if first and last:
        hint = "images that are so narrow are given one by one, as images of Pillow"
        raise DataError(f"{what}, in which the channels may stand first or last", hint)
    if last:
        return -1
    if first and (is_tensor or len(shape) == 4):
        return -3
    if first:
        raise DataError(
            f"{what}, which may be one image with its channels first, or grey images",
            "for one image give x.transpose(1, 2, 0), for grey ones x[..., None]",
        )
    if len(shape) == 4:
        raise DataError(f"{what}, in which no axis has 1, 3 or 4 channels", "several are [N,H,W,3]")
    return None


def _as_bytes(array: NDArray, what: str) -> NDArray[np.uint8]:
    """Values from 0 to 255, of floats from 0 to 1.  Any shape"""
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind != "f":
        raise DataError(
            f"{what}: the values of an image are uint8 from 0 to 255, or floats from 0 to 1",
            "where they go from 0 to 255, give x.astype('uint8')",
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):
        hint = "give x / 255 for values from 0 to 255; give images as they were before normalising"
        raise DataError(f"{what} from {low:.4g} to {high:.4g}: floats go from 0 to 1", hint)
    return np.rint(array.astype(np.float32) * 255).astype(np.uint8)


def _pillow_bytes(image: Image.Image, place: str) -> bytes:
    if image.mode not in MODES:
        raise DataError(
            f"{place} is an image of Pillow in mode {image.mode}",
            "give image.convert('RGB'), or 'L' for grey",
        )
    try:
        image.load()
    except OSError as error:
        raise DataError(
            f"{place} cannot be read: {error}", "look at the file that it is of"
        ) from error
    return _png(image)


def _png(image: Image.Image) -> bytes:
    """A PNG file with the pixels of an image, and the orientation that stands beside them."""
    out, exif = io.BytesIO(), image.getexif()
    options = {"exif": exif} if exif.get(ORIENTATION, 1) != 1 else {}
    image.save(out, "PNG", compress_level=1, **options)
    return out.getvalue()


def _whole(data: bytes, place: str) -> bytes:
    if not data:
        raise DataError(f"{place} is empty", "an open file is read from where it stands: seek(0)")
    return data
