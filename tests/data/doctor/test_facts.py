"""What is said of one image: header, depth, colour, and whether it can be read."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from saccade.data.doctor.facts import COLUMNS, Facts, facts_of, raw_of, row
from saccade.data.item import EncodedImage, ImageFile


def noise(height: int, width: int, channels: int = 3, top: int = 256) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, top, shape).astype(np.uint8)


def saved(image: Image.Image, format: str, **options) -> EncodedImage:
    file = io.BytesIO()
    image.save(file, format, **options)
    return EncodedImage(file.getvalue())


def test_an_image_that_lies_is_measured_as_it_is_seen():
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = facts_of(saved(Image.fromarray(noise(40, 60)), "JPEG", exif=exif.tobytes()).read())
    assert (facts.width, facts.height, facts.orientation) == (40, 60, 6)
    assert (facts.format, facts.mode, facts.reason) == ("JPEG", "RGB", "")


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (saved(Image.fromarray(noise(9, 9, 4), "RGBA"), "PNG"), {"alpha": True}),
        (saved(Image.fromarray(noise(9, 9)).quantize(4), "PNG", transparency=1), {"alpha": True}),
        (
            saved(Image.fromarray(noise(9, 9, 1).astype(np.uint16) * 256), "PNG"),
            {"deep": True, "grey": True},
        ),
        (saved(Image.fromarray(noise(9, 9)).convert("CMYK"), "JPEG"), {"mode": "CMYK"}),
        (
            saved(
                Image.new("L", (9, 9)),
                "GIF",
                save_all=True,
                append_images=[Image.new("L", (9, 9), 255)],
            ),
            {"frames": True},
        ),
        (saved(Image.fromarray(noise(9, 9)), "PNG"), {"deep": False, "alpha": False}),
    ],
    ids=["rgba", "palette", "16 bit", "cmyk", "animated", "plain"],
)
def test_what_is_unusual_in_a_file_is_seen(image, expected):
    facts = facts_of(image.read())
    assert not facts.reason
    assert {name: getattr(facts, name) for name in expected} == expected


def test_what_cannot_be_read_has_a_reason_and_a_size(tmp_path):
    whole = saved(Image.fromarray(noise(64, 64)), "JPEG").data
    assert "truncated" in facts_of(whole[: len(whole) // 2]).reason
    assert facts_of(b"").reason == "an empty file"
    assert facts_of(b"hello").reason.startswith("no image file")
    gone = raw_of(ImageFile(tmp_path / "gone.jpg"))
    assert isinstance(gone, Facts)
    assert gone.reason == "cannot be read: No such file or directory"


def test_measures_are_those_calculated_by_hand():
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255  # a chess board: half black, half white
    facts = facts_of(board.astype(np.uint8))
    assert facts.entropy == 1.0  # two equally likely values
    assert (facts.darkest, facts.brightest) == (0, 255)
    assert facts.sharpness == pytest.approx((4 * 255) ** 2)  # the Laplacian is +-4 * 255
    assert facts.structure < 3  # and the 32 x 32 image of it is flat
    assert facts.grey


def test_colour_is_told_from_what_jpeg_rounds():
    grey = np.repeat(noise(64, 64, 1)[..., None], 3, axis=2)
    assert facts_of(grey).grey
    grey[..., 0] = np.minimum(grey[..., 0], 246) + 9
    assert not facts_of(grey).grey


def test_facts_fit_into_their_columns():
    facts = facts_of(noise(20, 30))
    table = np.array([row(facts)], dtype=COLUMNS)
    for name in facts._fields[:-1]:
        value = table[name][0]
        expected = facts.digest.encode() if name == "digest" else getattr(facts, name)
        assert value == expected or value == pytest.approx(expected, rel=1e-6)
    assert table["readable"][0]


def test_every_file_of_the_suite_is_read_exactly_when_the_decoder_reads_it(shared_data):
    from saccade.data.decode import Preprocessing, decode
    from saccade.errors import DataError

    folder = shared_data / "image_files_suite"
    files = [path for path in sorted(folder.rglob("*.*")) if path.suffix not in (".json", ".txt")]
    for path in files[::6]:
        try:
            decode(path.read_bytes(), Preprocessing(size=32))
            reason = ""
        except DataError as error:
            reason = error.what
        facts = facts_of(ImageFile(path).read())
        assert bool(facts.reason) == bool(reason), path.name
