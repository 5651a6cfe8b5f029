"""Copies are found when they are, and only then: against all pairs, and on real images."""

from __future__ import annotations

import gzip
import io

import numpy as np
from PIL import Image, ImageEnhance

from saccade.data.doctor.duplicates import (
    NEAR,
    candidate_pairs,
    clusters,
    confirmed_pairs,
    first_of_content,
)
from saccade.data.doctor.facts import COLUMNS, facts_of, row
from saccade.data.item import EncodedImage, ImageArray, ImageFile, Item


def table_of(images) -> np.ndarray:
    return np.array([row(facts_of(image.read())) for image in images], dtype=COLUMNS)


def pairs_of(images) -> list[list[int]]:
    table = table_of(images)
    items = [Item(str(n), None, image) for n, image in enumerate(images)]
    return confirmed_pairs(candidate_pairs(table, np.arange(len(items))), table, items).tolist()


def test_the_first_of_a_content_stands_for_its_copies():
    digests = np.array([b"b", b"a", b"b", b"", b""], dtype="S32")
    readable = np.array([True, True, True, False, False])
    assert first_of_content(digests, readable).tolist() == [0, 1, 0, 3, 4]


def test_the_bands_propose_exactly_the_pairs_that_all_pairs_propose():
    rng = np.random.default_rng(1)
    table = np.zeros(400, dtype=COLUMNS)
    centres = rng.integers(0, 2**63, 20, dtype=np.uint64)
    flips = np.array(
        [
            sum(1 << int(bit) for bit in rng.choice(64, rng.integers(0, 6), replace=False))
            for _ in range(400)
        ],
        dtype=np.uint64,
    )
    table["phash"] = centres[rng.integers(0, 20, 400)] ^ flips
    table["structure"], table["entropy"], table["width"], table["height"] = 50, 7, 200, 200
    hashes = [int(h) for h in table["phash"]]
    expected = [
        [a, b]
        for a in range(400)
        for b in range(a + 1, 400)
        if (hashes[a] ^ hashes[b]).bit_count() <= NEAR
    ]
    assert candidate_pairs(table, np.arange(400)).tolist() == expected
    assert len(expected) > 1000


def test_flat_images_are_no_evidence():
    rng = np.random.default_rng(2)
    blank = [ImageArray(rng.integers(250, 253, (80, 80)).astype(np.uint8)) for _ in range(30)]
    assert candidate_pairs(table_of(blank), np.arange(30)).tolist() == []


def test_chains_of_pairs_become_one_cluster():
    pairs = np.array([[4, 5], [1, 2], [2, 5]])
    same = np.zeros(7, np.uint64)
    assert clusters(7, pairs, same).tolist() == [0, 1, 1, 3, 1, 1, 6]
    assert clusters(2, np.empty((0, 2), np.int64), same[:2]).tolist() == [0, 1]


def test_a_chain_is_cut_where_its_ends_no_longer_look_alike():
    """Eight frames, each six bits from the one before: the fourth is 18 from the first."""
    frames = np.array([(1 << (6 * k)) - 1 for k in range(8)], dtype=np.uint64)
    pairs = np.array([[k, k + 1] for k in range(7)])
    assert clusters(8, pairs, frames).tolist() == [0, 0, 0, 3, 3, 3, 6, 6]


def again(image: Image.Image, **options) -> EncodedImage:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return EncodedImage(file.getvalue())


def test_photographs_saved_again_are_found_and_others_are_not(shared_data):
    files = sorted((shared_data / "imagenet_samples").glob("*.JPEG"))[::17]
    images, expected = [], []
    for n, path in enumerate(files):
        image = Image.open(path).convert("RGB")
        change = n % 3
        if change == 0:
            copy = again(image, quality=40)
        elif change == 1:
            copy = again(image.resize((image.width // 2, image.height // 2)), quality=90)
        else:
            copy = again(ImageEnhance.Contrast(image).enhance(1.2), quality=90)
        images += [ImageFile(path), copy]
        expected.append([2 * n, 2 * n + 1])
    assert pairs_of(images) == expected


def test_digits_that_are_merely_similar_are_no_duplicates(shared_data):
    path = next((shared_data / "mnist").glob("t10k-images*"))
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    digits = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28)[:3000]
    assert pairs_of([ImageArray(digit) for digit in digits]) == []


def test_most_digits_saved_again_are_found_and_no_others(shared_data):
    path = next((shared_data / "mnist").glob("t10k-images*"))
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    digits = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28)[:40]
    images = [ImageArray(digit) for digit in digits]
    images += [again(Image.fromarray(digit), quality=75) for digit in digits]
    found = pairs_of(images)
    assert all(b == a + 40 for a, b in found)
    assert len(found) >= 32
