"""pHash and dHash agree with ImageHash bit for bit; digests tell contents apart."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from saccade.data.doctor.facts import dhash, digest, distance, phash


def drawing(kind: int) -> np.ndarray:
    """Small grey images out of whole numbers, the same on every machine."""
    y, x = np.mgrid[0:32, 0:32]
    if kind == 0:
        return ((x * 7 + y * 3) % 256).astype(np.uint8)
    if kind == 1:
        return ((x * x + y * y * 2 + 13 * (x // 5)) % 251).astype(np.uint8)
    return np.where((x - 16) ** 2 + (y - 12) ** 2 < 64, 220, 30 + x).astype(np.uint8)


# ImageHash 4.3.2: str(imagehash.phash(Image.fromarray(drawing(kind)))), then dhash
HASHES = [
    (0, "94294a5569baeb56", "fffffffefefcfcf9"),
    (1, "8707060f04befcfc", "eaca14eba26d6fb4"),
    (2, "9e9e61618666679a", "d7f1696971b3efff"),
]


@pytest.mark.parametrize(("kind", "perceptual", "difference"), HASHES)
def test_the_hashes_are_those_that_imagehash_printed(kind, perceptual, difference):
    assert f"{phash(drawing(kind)):016x}" == perceptual
    assert f"{dhash(drawing(kind)):016x}" == difference


def test_the_hashes_of_photographs_are_those_of_imagehash(shared_data):
    imagehash = pytest.importorskip("imagehash")
    for path in sorted((shared_data / "imagenet_samples").glob("*.JPEG"))[::50]:
        image = Image.open(path).convert("L")
        pixels = np.asarray(image)
        assert f"{phash(pixels):016x}" == str(imagehash.phash(image))
        assert f"{dhash(pixels):016x}" == str(imagehash.dhash(image))


def test_the_distance_counts_the_bits_that_differ():
    a = np.array([0, 0b1011, 2**63, 2**64 - 1], dtype=np.uint64)
    b = np.array([0, 0b0110, 1, 0], dtype=np.uint64)
    assert distance(a, b).tolist() == [0, 3, 2, 64]


def test_a_digest_tells_the_shape_of_pixels_and_the_bytes_of_files_apart():
    square, wide = np.zeros((4, 4), np.uint8), np.zeros((2, 8), np.uint8)
    assert digest(square) == digest(square.copy())
    assert len({digest(square), digest(wide), digest(bytes(16)), digest(b"")}) == 4
