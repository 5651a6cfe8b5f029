"""Small images of a page: whatever the source gives, small enough, and none that is gone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from saccade.data.item import ImageArray, ImageFile, Item
from saccade.report.images import Thumbnails, thumbnail, thumbnail_of


def read(encoded: bytes | None) -> Image.Image:
    assert encoded is not None
    return Image.open(io.BytesIO(encoded))


@pytest.mark.parametrize("shape", [(20, 10), (20, 10, 1), (20, 10, 3), (20, 10, 4)])
def test_a_small_image_is_enlarged_by_a_whole_number_and_loses_nothing(
    shape: tuple[int, ...],
) -> None:
    """112 // 20 is 5."""
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    image = read(thumbnail(pixels))
    assert (image.format, image.size) == ("PNG", (50, 100))
    seen = np.asarray(image)[::5, ::5].reshape(20, 10, -1)
    np.testing.assert_array_equal(seen, pixels.reshape(20, 10, -1)[..., :3])


@pytest.mark.parametrize("shape", [(300, 150), (300, 150, 3)])
def test_a_large_image_has_112_pixels_on_its_longer_side(shape: tuple[int, ...]) -> None:
    image = read(thumbnail(np.zeros(shape, np.uint8)))
    assert (image.format, image.size) == ("JPEG", (56, 112))


def halves(height: int, width: int) -> NDArray[np.uint8]:
    """Black on the left, white on the right.  -> [H,W]"""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, width // 2 :] = 255
    return pixels


def test_grey_pixels_and_a_file_of_them_are_shown_whole(tmp_path: Path) -> None:
    Image.fromarray(halves(60, 80)).save(tmp_path / "a.png")
    for place in (ImageArray(halves(60, 80)), ImageFile(tmp_path / "a.png")):
        image = read(thumbnail_of(Item("a", None, place))).convert("L")
        assert image.size == (80, 60)
        assert np.asarray(image)[30, [10, 70]].tolist() == pytest.approx([0, 255], abs=3)


def test_what_cannot_be_read_has_no_thumbnail(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    for name in ("broken.png", "gone.png"):
        assert thumbnail_of(Item(name, None, ImageFile(tmp_path / name))) is None


def test_an_album_shows_images_until_its_room_is_out() -> None:
    items = [Item(name, None, ImageArray(halves(60, 80))) for name in "abc"]
    each = len(thumbnail(halves(60, 80)))
    album = Thumbnails(items, 2 * each)
    assert [album.show(name) is not None for name in ("a", "other", "b", "c")] == [
        True,
        False,
        True,
        False,
    ]
