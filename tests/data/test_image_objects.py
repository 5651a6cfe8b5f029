"""Images of Python: the same pixels as from the PNG file, and a clear word on all else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from saccade.data.decode import Preprocessing, decode
from saccade.data.image_objects import described, encoded_images
from saccade.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
GREY = PIXELS[..., 0]
CHANNELS_FIRST = torch.from_numpy(PIXELS).permute(2, 0, 1)


def png(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def opened(pixels: NDArray[np.uint8]) -> io.BytesIO:
    return io.BytesIO(png(pixels))


FORMS: dict[str, Any] = {
    "bytes": png(PIXELS),
    "bytearray": bytearray(png(PIXELS)),
    "memoryview": memoryview(png(PIXELS)),
    "open file": opened(PIXELS),
    "Pillow": Image.fromarray(PIXELS),
    "uint8": PIXELS,
    "backwards in memory": np.ascontiguousarray(PIXELS[::-1])[::-1],
    "float64": PIXELS / 255,
    "float32": (PIXELS / 255).astype(np.float32),
    "float16": (PIXELS / 255).astype(np.float16),
    "batch of one": PIXELS[None],
    "batch with channels first": PIXELS.transpose(2, 0, 1)[None],
    "tensor": CHANNELS_FIRST,
    "tensor of floats": CHANNELS_FIRST / 255,
    "tensor of bfloat16": (CHANNELS_FIRST / 255).bfloat16(),
    "tensor with gradients": (CHANNELS_FIRST / 255).requires_grad_(),
    "tensor with channels last": torch.from_numpy(PIXELS),
    "opaque": np.dstack([PIXELS, np.full((12, 16), 255, np.uint8)]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [5, 30])
def test_an_object_is_decoded_to_the_bits_of_the_png_file(form: str, size: int) -> None:
    preprocessing = Preprocessing(size=size)
    (data,) = encoded_images(FORMS[form], "the image")
    if hasattr(FORMS[form], "seek"):
        FORMS[form].seek(0)
    assert torch.equal(decode(data, preprocessing), decode(png(PIXELS), preprocessing))


@pytest.mark.parametrize("form", [GREY, GREY[..., None], torch.from_numpy(GREY)[None], GREY / 255])
def test_a_grey_image_is_that_of_a_grey_file(form: Any) -> None:
    (data,) = encoded_images(form, "the image")
    preprocessing = Preprocessing(size=9, colour="grey")
    assert torch.equal(decode(data, preprocessing), decode(png(GREY), preprocessing))


@pytest.mark.parametrize(
    "batch",
    [
        np.stack([PIXELS, 255 - PIXELS]),
        np.stack([PIXELS, 255 - PIXELS]).transpose(0, 3, 1, 2),
        torch.stack([CHANNELS_FIRST, 255 - CHANNELS_FIRST]),
    ],
)
def test_an_array_of_images_is_each_of_them(batch: Any) -> None:
    first, second = encoded_images(batch, "the images")
    for data, pixels in ((first, PIXELS), (second, 255 - PIXELS)):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)


def test_an_orientation_beside_the_pixels_is_kept() -> None:
    image = Image.fromarray(PIXELS)
    image.getexif()[0x0112] = 6  # to be turned by a quarter
    (data,) = encoded_images(image, "the image")
    turned = decode(png(np.rot90(PIXELS, -1).copy()), Preprocessing(size=8))
    assert torch.equal(decode(data, Preprocessing(size=8)), turned)


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (PIXELS.transpose(2, 0, 1), "channels first, or grey images", r"x\.transpose"),
        (np.zeros((5, 3, 9, 3), np.uint8), "the channels may stand first or last", "narrow"),
        (np.zeros((5, 7, 9, 2), np.uint8), "no axis has 1, 3 or 4", "several"),
        (np.zeros(9, np.uint8), r"an array of uint8 \[9\]", "an image is"),
        (np.zeros((0, 4, 3), np.uint8), r"\[0,4,3\]", "an image is"),
        (PIXELS.astype(np.int64), "int64", "astype"),
        (PIXELS.astype(np.uint16), "uint16", "astype"),
        (GREY > 9, "bool", "astype"),
        (PIXELS.astype(float), "from 0 to 255: floats go from 0 to 1", "x / 255"),
        (PIXELS / 255 - 0.5, "from -0.5", "before normalising"),
        (np.full((4, 5), np.nan), "from nan to nan", "0 to 255"),
        (Image.fromarray(PIXELS).convert("CMYK"), "in mode CMYK", "convert"),
        (Image.fromarray(GREY).convert("F"), "in mode F", "convert"),
        (b"", "is empty", "seek"),
        (io.StringIO("a"), "a file of text", "rb"),
        (7, "is an int, which is no image", "an image is"),
    ],
)
def test_what_is_in_doubt_is_refused(value: Any, message: str, hint: str) -> None:
    with pytest.raises(DataError, match=f"image 4.*{message}") as caught:
        list(encoded_images(value, "image 4"))
    assert len(str(caught.value)) < 300
    assert hint.replace("\\", "") in caught.value.hint


def test_a_truncated_image_of_pillow_is_named(tmp_path: Path) -> None:
    (tmp_path / "half.png").write_bytes(png(PIXELS)[:200])
    cut = pytest.raises(DataError, match="image 4 cannot be read")
    with Image.open(tmp_path / "half.png") as image, cut:
        list(encoded_images(image, "image 4"))


def test_an_object_is_described_by_its_type_and_shape() -> None:
    assert described(PIXELS) == "an array of uint8 [12,16,3]"
    assert described(CHANNELS_FIRST) == "a tensor of uint8 [3,12,16]"
    assert described({}) == "a dict"
