"""decode: one image to pixels, by stated rules, to the byte."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms
from torchvision.transforms import v2

from saccade.data.arrow import zero_copy_pixels
from saccade.data.decode import Preprocessing, decode
from saccade.data.formats import MAX_BYTES, DecodeOptions, open_image
from saccade.errors import DataError, RecipeError

RGB = DecodeOptions(grey=False, min_side=10**6, longer=False)


def file(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pattern(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    """Smooth waves of different lengths; the same on every machine."""
    y, x, c = np.ogrid[:height, :width, :channels]
    return (
        ((x * x // (7 + c) + y * (3 + 2 * c) + x * y // 50) % 512 - 256)
        .__abs__()
        .clip(0, 255)
        .astype(np.uint8)
    )


def read(raw: bytes) -> NDArray[np.uint8]:
    """A file as it is opened, without the channel that means nothing.  -> [H,W,1 or 3]"""
    return open_image(raw, RGB)[..., :3]


def colour(raw: bytes) -> list[int]:
    """The colour of the first pixel."""
    return read(raw)[0, 0].tolist()


# ---- one rule for each kind


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_become_their_upper_eight(kind: str):
    values = np.array([[0, 255, 256, 32768, 65279, 65535]], np.uint16)
    raw = file(Image.fromarray(values), kind)
    assert read(raw)[0, :, 0].tolist() == [0, 0, 1, 128, 254, 255]


def test_sixteen_bits_in_the_other_byte_order_are_the_same():
    values = np.array([[0, 256, 65535]], ">u2")
    header = struct.pack(">2sHI", b"MM", 42, 8)
    tags = [(256, 3), (257, 1), (258, 16), (259, 1), (262, 1), (273, 200), (278, 1), (279, 6)]
    entries = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    raw = header + struct.pack(">H", len(tags)) + entries + bytes(4)
    raw = raw.ljust(200, b"\0") + values.tobytes()
    assert read(raw)[0, :, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize("array_type", [np.int32, np.float32])
def test_numbers_without_an_agreed_white_are_stretched_from_least_to_greatest(array_type: type):
    raw = file(Image.fromarray(np.array([[-100, 0, 100]], array_type)), "TIFF")
    assert read(raw)[0, :, 0].tolist() == [0, 128, 255]


def test_what_is_not_a_number_is_black():
    values = np.array([[np.nan, -np.inf, 0, 1, np.inf]], np.float32)
    raw = file(Image.fromarray(values), "TIFF")
    assert read(raw)[0, :, 0].tolist() == [0, 0, 0, 255, 255]


def test_a_flat_image_of_floats_is_black():
    raw = file(Image.fromarray(np.full((2, 2), 7, np.float32)), "TIFF")
    assert read(raw).max() == 0


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("RGBA", (255, 0, 0, 255), [255, 0, 0]),
        ("RGBA", (255, 0, 0, 0), [255, 255, 255]),
        ("RGBA", (255, 0, 0, 128), [255, 127, 127]),  # 255 * 127 / 255
        ("LA", (0, 51), [204, 204, 204]),  # 255 * 204 / 255
    ],
)
def test_what_is_transparent_shows_white(mode: str, pixel: Any, expected: list[int]):
    assert colour(file(Image.new(mode, (2, 2), pixel), "PNG")) == expected


def test_a_palette_is_looked_up_and_its_clear_entry_is_white():
    image = Image.frombytes("P", (2, 1), b"\0\1")
    image.putpalette([10, 20, 30, 200, 100, 50])
    pixels = read(file(image, "PNG", transparency=1))
    assert pixels[0].tolist() == [[10, 20, 30], [255, 255, 255]]


@pytest.mark.parametrize(
    ("mode", "key"), [("RGB", (9, 8, 7)), ("L", 9), ("I;16", 9)], ids=["RGB", "L", "16"]
)
def test_a_colour_that_png_declares_clear_is_white(mode: str, key: Any):
    raw = file(Image.new(mode, (2, 2), key), "PNG", transparency=key)
    assert set(colour(raw)) == {255}


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_becomes_the_colours_it_prints(kind: str):
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(np.array(colour(file(ink, kind))) - (255, 0, 0)).max() <= 2
    half_black = Image.new("CMYK", (16, 16), (0, 0, 0, 128))
    assert np.abs(np.array(colour(file(half_black, kind))) - 127).max() <= 2


def test_lab_becomes_what_littlecms_makes_of_it():
    tones = np.array([[[255, 0, 0], [0, 0, 0], [128, 0, 0], [140, 62, 42], [200, 228, 22]]])
    image = Image.frombytes("LAB", (5, 1), tones.astype(np.uint8).tobytes())
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    expected = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    assert expected is not None
    found = read(file(image, "TIFF"))
    assert np.abs(found.astype(int) - np.asarray(expected)).max() <= 2
    assert found[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_counts(kind: str):
    frames = [Image.new("RGB", (8, 8), tone) for tone in ("#c80000", "#0000c8")]
    raw = file(frames[0], kind, save_all=True, append_images=frames[1:])
    red, green, blue = colour(raw)
    assert red > 190
    assert max(green, blue) < 10


def test_black_and_white_is_0_and_255():
    image = Image.fromarray(np.array([[False, True]]))
    for kind in ("PNG", "TIFF", "BMP"):
        assert read(file(image, kind))[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_camera_held_any_way_gives_the_upright_image(orientation: int, kind: str):
    upright = pattern(6, 4)
    # fmt: off
    stored = {  # how each orientation lies in the file, from the EXIF standard, 4.6.4 A
        1: upright,              2: upright[:, ::-1],      3: upright[::-1, ::-1],
        4: upright[::-1],        5: upright.swapaxes(0, 1), 6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).swapaxes(0, 1),            8: np.rot90(upright, -1),
    }[orientation]
    # fmt: on
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    raw = file(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif, **options)
    assert np.array_equal(read(raw), upright)


def test_damaged_exif_costs_nothing():
    raw = file(Image.fromarray(pattern(8, 8)), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(read(raw), pattern(8, 8))


def test_an_embedded_colour_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(pattern(8, 8))
    assert file(image, "PNG", icc_profile=profile) != file(image, "PNG")
    assert np.array_equal(read(file(image, "PNG", icc_profile=profile)), pattern(8, 8))


# ---- colour


def test_colour_becomes_grey_by_the_luma_of_television():
    raw = file(Image.new("RGB", (4, 4), (200, 100, 50)), "PNG")
    grey = decode(raw, Preprocessing(size=4, colour="grey"))
    assert grey.unique().tolist() == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)]
    assert grey.shape == (1, 4, 4)


def test_files_and_arrays_become_grey_alike():
    pixels = pattern(40, 50)
    to = Preprocessing(size=16, colour="grey")
    assert torch.equal(decode(pixels, to), decode(file(Image.fromarray(pixels), "PNG"), to))


def test_a_grey_image_has_three_equal_channels_for_a_network_of_colour():
    raw = file(Image.fromarray(pattern(9, 9, 1)[..., 0]), "PNG")
    pixels = decode(raw, Preprocessing(size=9))
    assert pixels.shape == (3, 9, 9)
    assert torch.equal(pixels[0], pixels[2])
    assert np.array_equal(pixels[0].numpy(), pattern(9, 9, 1)[..., 0])


def test_a_jpeg_becomes_grey_as_its_colours_would():
    raw = file(Image.fromarray(pattern(64, 64)), "JPEG", quality=95)
    grey = decode(raw, Preprocessing(size=64, colour="grey"))[0].numpy().astype(int)
    expected = np.asarray(Image.open(io.BytesIO(raw)).convert("L"))
    assert np.abs(grey - expected).mean() < 1


@pytest.mark.parametrize("side", [64, 2200])  # the larger lies in two of Pillow's blocks
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_borrowed_pixels_are_the_images_and_outlive_it(mode: str, side: int):
    array = pattern(side, side + 3, 1 if mode == "L" else 3)
    image = Image.fromarray(array.squeeze())
    found = zero_copy_pixels(image)
    del image
    Image.new(mode, (side + 3, side))  # would take the memory, had it been given back
    assert np.array_equal(found[..., :3], array)
    assert found.flags.writeable and found.flags.c_contiguous


# ---- JPEG at half, a quarter, an eighth


@pytest.mark.parametrize("longer", [False, True])
@pytest.mark.parametrize("least", [1, 7, 32, 100, 224])
def test_a_jpeg_is_never_opened_smaller_than_the_resize_needs(least: int, longer: bool):
    for width, height in [(500, 375), (64, 448), (33, 31), (225, 223), (1800, 16), (7, 5)]:
        raw = file(Image.new("RGB", (width, height)), "JPEG")
        sides = open_image(raw, DecodeOptions(False, least, longer)).shape[:2]
        choose: Callable[..., int] = max if longer else min
        assert choose(sides) >= min(least, choose(width, height))
        scales = {-(-choose(width, height) // s) for s in (1, 2, 4, 8)}
        assert choose(sides) in scales
        assert choose(sides) < 2 * least + 2 or choose(sides) == min(scales)


def test_a_jpeg_opened_smaller_looks_as_when_opened_whole(shared_data: Path):
    folder = shared_data / "imagenet_samples"
    for path in sorted(folder.glob("*.JPEG"))[:100:10]:
        raw = path.read_bytes()
        whole = file(Image.open(path).convert("RGB"), "PNG")
        for size in (32, 64, 100):
            found, expected = (decode(file, Preprocessing(size)).float() for file in (raw, whole))
            assert (found - expected).abs().mean() < 6  # of 255; 1.2 to 2 over 50 images


@pytest.mark.parametrize("size", [32, 64, 100])
def test_a_jpeg_file_and_its_pixels_are_read_nearly_alike(size: int):
    """Pixels have been decoded whole, of the file an eighth, a quarter or a half is opened."""
    raw = file(Image.fromarray(pattern(900, 1200)), "JPEG", quality=95)
    pixels = np.asarray(Image.open(io.BytesIO(raw)))
    found, expected = (decode(source, Preprocessing(size)).float() for source in (raw, pixels))
    assert open_image(raw, Preprocessing(size).decode_options).shape[0] < 900
    assert (found - expected).abs().mean() < 2  # of 255


# ---- sizes


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(200, 300), (20, 30), (64, 64), (1, 1), (500, 3)])
def test_squash_is_within_one_of_pillow(interpolation: str, channels: int, shape: tuple[int, int]):
    pixels = pattern(*shape, channels)
    image = Image.fromarray(pixels if channels == 3 else pixels[..., 0])
    method = Image.Resampling[interpolation.upper()]
    expected = np.asarray(image.resize((64, 64), method)).reshape(64, 64, -1)
    to = Preprocessing(64, interpolation=interpolation)
    found = decode(pixels, to).permute(1, 2, 0).numpy().astype(int)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("shape", [(200, 300), (301, 200), (33, 47), (64, 64), (80, 81)])
@pytest.mark.parametrize("crop", [1.0, 0.875])
def test_crop_is_torchvisions_resize_and_center_crop(shape: tuple[int, int], crop: float):
    pixels = pattern(*shape)
    reference = v2.Compose([v2.Resize(int(64 / crop), antialias=True), v2.CenterCrop(64)])
    image = torch.from_numpy(pixels).permute(2, 0, 1)
    assert torch.equal(
        decode(pixels, Preprocessing(64, resize="crop", crop=crop)), reference(image)
    )


def test_pad_keeps_all_of_the_image_in_the_middle_of_black():
    white = np.full((100, 200, 3), 255, np.uint8)
    image = decode(white, Preprocessing(64, resize="pad"))[0]
    assert image[16:48].unique().tolist() == [255]
    assert image[:16].max() == image[48:].max() == 0
    line = decode(np.full((1, 1000), 255, np.uint8), Preprocessing(64, resize="pad"))[0]
    assert (line == 255).sum() == 64


def test_cropping_a_ribbon_needs_little_memory():
    ribbon = np.zeros((1, 60_000), np.uint8)
    ribbon[:, 29_990:30_010] = 255
    image = decode(ribbon, Preprocessing(224, resize="crop"))
    assert image.shape == (3, 224, 224)
    assert image.min() == 255


def test_pixels_of_the_right_size_stay_as_they_are():
    pixels = pattern(28, 28, 1)[..., 0]
    same = decode(pixels, Preprocessing(28, colour="grey"))
    assert np.array_equal(same[0].numpy(), pixels)
    same[:] = 0
    assert pixels.max() > 0


def test_pixels_that_must_not_be_written_can_be_read():
    pixels = pattern(10, 10)
    pixels.flags.writeable = False
    assert decode(pixels, Preprocessing(10)).shape == (3, 10, 10)


# ---- to the byte

# Made with torch 2.15 and Pillow 13.0 on AVX-512; the same with ATEN_CPU_CAPABILITY=avx2 and
# =default, so whatever the processor.  That they show the right image is said by the tests above.
DIGESTS = {
    "squash": "0badeb37fac3dc9f0b695b7bf424fa91fd2a6d3baf27c4d8527e06de72f096c9",
    "crop": "64cb37bdd55f925fcb1f5cec7d3dedce5373060f6ddfe82c867f8e23bbf9239e",
    "pad": "d695cf4bfe529311452c17b70e964fda2a0870caa47215eef090a384cb528384",
    "bicubic": "b08b2493c0b5324aa68b423fafcff15133b0b4459b1dcf15af1fbcd21817af4e",
    "grey": "84b7d089cb50a8d5e774cc6bdd5804b5ea48809c662636823c5f0e8c0f35ab3d",
    "jpeg": "f6296f9180d7e3f3a0216c53974a0eca10bd33959116a68c8eba3d83292d0417",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_bytes_are_those_of_every_earlier_release(name: str):
    to = {
        "squash": Preprocessing(64),
        "crop": Preprocessing(64, resize="crop", crop=0.875),
        "pad": Preprocessing(64, resize="pad"),
        "bicubic": Preprocessing(64, interpolation="bicubic"),
        "grey": Preprocessing(64, colour="grey"),
        "jpeg": Preprocessing(64),
    }[name]
    digest = hashlib.sha256()
    for height, width in [(90, 120), (300, 200), (64, 64), (17, 33)]:
        image = Image.fromarray(pattern(height, width))
        raw = file(image, "JPEG", quality=90) if name == "jpeg" else file(image, "PNG")
        digest.update(decode(raw, to).numpy().tobytes())
    assert digest.hexdigest() == DIGESTS[name]


# ---- what cannot be read


def test_an_image_that_is_none_says_so_shortly():
    for raw, reason in [
        (b"", "the file is empty"),
        (b"not an image at all", "no image file of a known format"),
        (b"\xff\xd8" + bytes(100), "damaged or unusual JPEG|no image file"),
        (file(Image.fromarray(pattern(99, 99)), "JPEG")[:-300], "damaged or unusual JPEG file"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image file of a known format"),
    ]:
        with pytest.raises(DataError, match=reason) as caught:
            decode(raw, Preprocessing())
        assert len(str(caught.value)) < 200


def test_a_bomb_is_refused_before_it_is_decoded():
    bomb = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + bytes(20)
    with pytest.raises(DataError, match="over 178,956,970 pixels"):
        decode(bomb, Preprocessing())


def test_a_file_over_the_limit_is_refused_unread():
    with pytest.raises(DataError, match=r"over the limit of 536,870,912"):
        decode(bytes(MAX_BYTES + 1), Preprocessing())


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros(4, np.uint8)],
    ids=["float", "channels", "flat"],
)
def test_arrays_that_are_no_pixels_are_refused(pixels: Any):
    with pytest.raises(DataError, match="they have to be uint8"):
        decode(pixels, Preprocessing())


def test_an_array_without_pixels_is_refused():
    with pytest.raises(DataError, match="0 x 4 pixels"):
        decode(np.zeros((4, 0), np.uint8), Preprocessing())


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"resize": "squeeze"}, "no resize is called 'squeeze'"),
        ({"interpolation": "nearest"}, "no interpolation is called"),
        ({"colour": "gray"}, "no colour is called 'gray'\nhint: did you mean grey"),
        ({"size": 0}, "the size is 0"),
        ({"crop": 1.5}, "the crop is 1.5"),
    ],
)
def test_settings_that_do_not_exist_are_refused(setting: dict[str, Any], reason: str):
    with pytest.raises(RecipeError, match=reason):
        Preprocessing(**setting)


def test_threads_that_decode_together_leave_the_warnings_as_they_were():
    before = list(warnings.filters)
    raw = file(Image.fromarray(pattern(50, 50)), "PNG")
    threads = [
        threading.Thread(target=lambda: [decode(raw, Preprocessing(8)) for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_of_the_files_that_people_have_each_is_decoded_or_listed(shared_data: Path):
    folder = shared_data / "image_files_suite"
    manifest = json.loads((folder / "manifest_pillow.json").read_text())
    refused = set()
    for name in manifest:
        try:
            image = decode((folder / name).read_bytes(), Preprocessing(32))
        except DataError:
            refused.add(name)
        else:
            assert image.shape == (3, 32, 32)
    undecodable = {name for name, found in manifest.items() if found.get("load") != "ok"}
    whole = {  # what is odd or damaged lies beside the pixels; Pillow refuses them
        "pillow/hopper_unknown_pixel_mode.tif", "pillow/png_decompression_dos.png",
        "pillow/truncated_jpeg.jpg", "pillow/unknown_compression_method.png",
    }  # fmt: skip
    assert refused == undecodable - whole
    assert (len(manifest), len(undecodable)) == (355, 37)


def test_the_eight_ways_to_hold_a_camera_show_one_landscape(shared_data: Path):
    folder = shared_data / "image_files_suite" / "exif_orient"
    first, *others = (
        decode((folder / f"Landscape_{k}.jpg").read_bytes(), Preprocessing(64)).float()
        for k in range(1, 9)
    )
    for other in others:
        assert (other - first).abs().mean() < 6


# ---- masks and boxes go the way of their image

SHAPES = [(40, 60), (64, 64), (90, 31), (20, 200)]  # height and width
WAYS = {
    "squash": Preprocessing(32),
    "crop": Preprocessing(32, resize="crop", crop=0.875),
    "pad": Preprocessing(32, resize="pad"),
}


def a_rectangle(height: int, width: int) -> tuple[NDArray[np.uint8], list[float]]:
    """White on black: pixels [H,W], and x0, y0, x1, y1."""
    box = [width * 3 // 8, height // 4, width * 5 // 8, height * 3 // 4]
    pixels = np.zeros((height, width), np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    return pixels, [float(end) for end in box]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_a_mask_lies_on_its_image_pixel_upon_pixel(way: str, height: int, width: int):
    pixels, _ = a_rectangle(height, width)
    image = decode(file(Image.fromarray(pixels), "PNG"), WAYS[way])[0]
    mask = decode(file(Image.fromarray(pixels // 255), "PNG"), WAYS[way].for_masks)[0]
    assert set(mask.unique().tolist()) <= {0, 1, 255}
    clear = (image == 0) | (image == 255)  # what lies between is of both
    inside = (mask < 2) & clear
    assert torch.equal((mask == 1)[inside], (image == 255)[inside])
    assert inside.float().mean() > (0.05 if way == "pad" else 0.5)
    assert image[mask == 255].sum() == 0  # beside what is padded nothing is known


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_a_box_is_placed_around_what_it_framed(way: str, height: int, width: int):
    pixels, box = a_rectangle(height, width)
    image = decode(pixels, WAYS[way])[0]
    x0, y0, x1, y1 = (
        WAYS[way].transform_boxes(torch.tensor([box]), width, height)[0].clamp(0, 32).tolist()
    )
    share = image.double() / 255
    middles = torch.arange(32) + 0.5
    for low, high, along in ((x0, x1, share.amax(0)), (y0, y1, share.amax(1))):
        assert along.sum() == pytest.approx(high - low, abs=1)
        assert (along * middles).sum() / along.sum() == pytest.approx((low + high) / 2, abs=0.5)


def test_a_palettes_numbers_are_a_masks_classes_and_not_its_colours():
    numbers = np.array([[0, 1], [21, 255]], np.uint8)
    image = Image.fromarray(numbers, "P")
    image.putpalette([9, 200, 80] * 256)
    assert decode(file(image, "PNG"), Preprocessing(2).for_masks)[0].tolist() == numbers.tolist()
    assert decode(numbers, Preprocessing(2).for_masks)[0].tolist() == numbers.tolist()


def test_a_mask_of_one_bit_has_the_classes_0_and_1():
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    assert decode(file(image, "PNG"), Preprocessing(2).for_masks)[0].tolist() == [[0, 1], [1, 0]]


def test_colours_are_no_mask():
    coloured = pattern(8, 8)
    with pytest.raises(DataError, match="no mask: RGB in place of 8-bit grey or a palette"):
        decode(file(Image.fromarray(coloured), "PNG"), Preprocessing(8).for_masks)
    with pytest.raises(DataError, match="a mask has one number per pixel, and this has 3"):
        decode(coloured, Preprocessing(8).for_masks)
