"""window: black and white of measurements, the same for all images of a set."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from saccade.data.decode import Preprocessing, decode
from saccade.data.formats import measured
from saccade.data.item import EncodedImage, Item
from saccade.data.pool import DecoderPool
from saccade.data.samples import Samples, set_window
from saccade.data.window import is_choice, of_ends
from saccade.errors import DataError, RecipeError


def tiff(*values: float, kind: str = "u2", **options: Any) -> bytes:
    """A row of samples."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.array([values], kind), metadata=None, **options)
    return stream.getvalue()


def shown(raw: bytes, window: str, width: int = 1) -> list[int]:
    """The row as a network gets it; squares of one row would be resized."""
    return decode(raw, Preprocessing(size=width, window=window, colour="grey"))[0, 0].tolist()


def column(value: float, window: str, kind: str = "u2") -> int:
    return shown(tiff(value, kind=kind), window)[0]


@pytest.mark.parametrize(
    ("value", "kind", "window", "expected"),
    [
        (4095, "u2", "0 4095", 255),
        (0, "u2", "0 4095", 0),
        (65535, "u2", "0 4095", 255),  # what is beyond the ends is as they are
        (1024, "u2", "0 4096", 64),  # 63.75
        (4095, "u2", "type", 15),  # 4095 / 256
        (40, "i2", "-160 240", 128),  # soft tissue of a CT: 127.5, to the even number
        (-1000, "i2", "-160 240", 0),
        (0, "i2", "type", 128),
        (-128, "i1", "type", 0),
        (2**31, "u4", "type", 128),
        (0.5, "f4", "type", 128),
        (float("nan"), "f4", "-2 -1", 0),
    ],
)
def test_a_window_says_what_is_black_and_what_is_white(
    value: float, kind: str, window: str, expected: int
):
    assert column(value, window, kind) == expected


def test_with_a_window_two_images_of_one_value_are_equal():
    assert column(100, "0 200", "f4") == column(100, "0 200", "i4") == 128
    assert column(100, "", "f4") == 0  # by itself it is its own least value


def test_a_window_leaves_8_bits_as_they_are():
    assert column(200, "0 4095", "u1") == 200


def test_white_is_zero_through_a_window():
    raw = tiff(0, 1000, 4000, photometric="miniswhite")
    values = Samples(np.array([[[0], [1000], [4000]]], np.uint16), 0, 65535, True, inverted=True)
    assert values.windowed("0 4000").ravel().tolist() == [255, 255 - 64, 0]
    assert measured(raw).tolist() == [0, 0, 4000, 0, 1000, 4000]  # agreed, as the file holds them


def test_floats_beyond_the_range_of_their_type_are_refused():
    with pytest.raises(DataError, match=r"from -3 to 7, and data.window=type takes 0 to 1"):
        shown(tiff(-3, 7, kind="f4"), "type")


def test_the_window_of_a_set_is_that_of_all_its_samples():
    files = [tiff(-5, 3, kind="i2"), tiff(0, 100, kind="i2")]
    found = [measured(raw) for raw in files]
    assert set_window(found, "minmax") == "-5 100"
    assert set_window(found, "percentiles 0 50") == "-5 1.5"  # the middle of -5, 0, 3, 100
    assert [f.tolist()[0] for f in found] == [1, 1]  # whole numbers without an agreed white


def test_a_pool_measures_deep_images_and_no_others():
    contents = [tiff(1, 2, kind="f8"), tiff(1, 2, kind="u1"), b"no image", tiff(7, 9)]
    with DecoderPool(1) as pool:
        items = [Item(str(k), None, EncodedImage(raw)) for k, raw in enumerate(contents)]
        found: list[NDArray[np.float64]] = [*pool.measure(items)]
        assert [f.tolist()[:3] for f in found] == [[2, 1, 2], [], [], [0, 7, 9]]
        options = Preprocessing(size=1, window="0 4").decode_options
        (opened,) = pool.open([tiff(3, kind="f4")], options)
        assert isinstance(opened, np.ndarray) and opened.ravel().tolist() == [191]  # 191.25


@pytest.mark.parametrize(
    ("text", "valid"),
    [("minmax", True), ("type", True), ("0 4095", True), ("-1024 3071.5", True),
     ("percentiles 0.5 99.5", True), ("percentiles 99 1", False), ("percentiles -1 50", False),
     ("percentiles", False), ("4095 0", False), ("0", False), ("0 nan", False), ("0 inf", False),
     ("0 1 2", False), ("", False), ("each", False)],
)  # fmt: skip
def test_what_a_person_may_write_as_a_window(text: str, valid: bool):
    assert is_choice(text) == valid


def test_a_window_that_is_none_is_refused():
    with pytest.raises(RecipeError, match="no window is called 'minmax'"):
        Preprocessing(window="minmax")


def test_the_ends_of_a_window_are_exact():
    assert of_ends(0, 4095) == "0 4095"
    assert tuple(map(float, of_ends(1 / 3, 1e20).split())) == (1 / 3, 1e20)
