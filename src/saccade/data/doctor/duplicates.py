"""Duplicate detection: exact copies by digest, near duplicates by perceptual hash and pixels.

Near duplicates, such as an image saved again, are proposed by hashes and confirmed by pixels.  Two
hashes within `NEAR` bits agree to within one bit in at least one of four bands of 16 (pigeonhole),
so the candidates come out of four sorted tables instead of all pairs.  A pair counts when the fine
structure of both correlates; what merely has the same layout does not.  Measured by
`benchmarks/doctor.py --accuracy`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.facts import LARGEST, distance, pixels_of
from saccade.data.item import Item

NEAR = 6  # bits of pHash; 7 at the most for four bands
ALIKE = 16  # bits of pHash to the first of a cluster; unrelated images differ in 32
NEAR_ALSO = 12  # bits of dHash
NEAR_SMALL = 4  # bits of either, of images with little content
STRUCTURE = 3.0  # deviation of the 32 x 32 image, below which hashes tell noise
MIN_CORRELATION = 0.75  # of fine structure; all pairs of CIFAR-10 down to here are copies
MIN_CORRELATION_FLAT = 0.99  # of images with little content: two handwritten digits reach 0.985
LITTLE = 4000.0  # bits: entropy x pixels
COMPARED = 64  # pixels, the size at which pixels are compared
BLOCK = 8  # pixels, structure coarser than this is what the hashes have compared already
CONFIRMED_AT_ONCE = 1024  # pairs; at most 32 MB
AT_ONCE = 2_000_000  # candidates compared at a time: about 100 MB


def first_of_content(digests: NDArray[np.bytes_], readable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each image the first with the same content; itself when it is the first.  [N] -> [N]"""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    return np.where(readable, first[inverse.ravel()], np.arange(len(digests)))


def candidate_pairs(table: NDArray[np.void], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of `chosen` rows whose hashes lie near each other, each once.  [n] -> [M,2]"""
    chosen = chosen[table["structure"][chosen] >= STRUCTURE]
    phash, dhash = table["phash"][chosen], table["dhash"][chosen]
    little = low_content(table)[chosen]
    candidates = [np.empty(0, dtype=np.int64)]
    for a, b in _band_matches(phash):
        close = distance(phash[a], phash[b]) <= np.where(little[a] | little[b], NEAR_SMALL, NEAR)
        a, b = a[close], b[close]
        limit = np.where(little[a] | little[b], NEAR_SMALL, NEAR_ALSO)
        close = distance(dhash[a], dhash[b]) <= limit
        candidates.append(np.unique(a[close] * len(chosen) + b[close]))
    pairs = np.unique(np.concatenate(candidates))
    n = max(1, len(chosen))
    return np.stack([chosen[pairs // n], chosen[pairs % n]], axis=1)


def confirmed_pairs(
    pairs: NDArray[np.int64], table: NDArray[np.void], items: Sequence[Item]
) -> NDArray[np.int64]:
    """The `pairs` whose pixels agree in their fine structure.  [M,2] -> [m,2]"""
    confirmed = [np.empty((0, 2), dtype=np.int64)]
    threshold = np.where(
        low_content(table)[pairs].any(axis=1), MIN_CORRELATION_FLAT, MIN_CORRELATION
    )
    for start in range(0, len(pairs), CONFIRMED_AT_ONCE):
        chunk = slice(start, start + CONFIRMED_AT_ONCE)
        rows, positions = np.unique(pairs[chunk], return_inverse=True)
        fine = np.stack([_read_fine_structure(items[row]) for row in rows.tolist()])
        a, b = positions.reshape(-1, 2).T
        confirmed.append(pairs[chunk][np.einsum("nd,nd->n", fine[a], fine[b]) >= threshold[chunk]])
    return np.concatenate(confirmed)


def alike_by_hash(pairs: NDArray[np.int64], table: NDArray[np.void]) -> NDArray[np.int64]:
    """Those of `pairs` that hashes alone tell to be near copies, without pixels.  [M,2] -> [m,2]

    Stricter than `candidate_pairs`, and never of images with little content.
    """
    a, b = pairs.T
    little = low_content(table)
    alike = ~(little[a] | little[b])
    for name in ("phash", "dhash"):
        alike &= distance(table[name][a], table[name][b]) <= NEAR_SMALL
    return pairs[alike]


def clusters(count: int, pairs: NDArray[np.int64], hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The lowest row of the cluster of each of `count` rows: connected, and like its first.

    A chain of pairs is cut where its ends no longer look alike: the last frame of a film is no copy
    of the first.  [M,2], pHash [count] -> [count]
    """
    neighbours: dict[int, list[int]] = defaultdict(list)
    for a, b in pairs.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    bits = {row: int(hashes[row]) for row in neighbours}
    cluster = np.arange(count, dtype=np.int64)
    left = set(neighbours)
    for first in sorted(neighbours):
        way = [first] if first in left else []
        while way:
            row = way.pop()
            if row in left and (bits[row] ^ bits[first]).bit_count() <= ALIKE:
                left.remove(row)
                cluster[row] = first
                way += neighbours[row]
    return cluster


def fine_structure(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Brightness without what is coarser than a block, of length 1.

    uint8 [COMPARED,COMPARED,3] -> [COMPARED*COMPARED]
    """
    grey = pixels.astype(np.float32).mean(axis=2)
    blocks = COMPARED // BLOCK
    tiled = grey.reshape(blocks, BLOCK, blocks, BLOCK)
    fine = (tiled - tiled.mean(axis=(1, 3), keepdims=True)).ravel()
    return fine / max(float(np.linalg.norm(fine)), 1e-6)


def _band_matches(
    hashes: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of rows a < b, some repeated, that agree to within one bit in a band of 16 bits.

    [N] -> any number of [n], [n]
    """
    masks = [0] + [1 << bit for bit in range(16)]
    for band in range(4):
        key = ((hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)).astype(np.int64)
        order = np.argsort(key, kind="stable")
        edges = np.searchsorted(key[order], np.arange(1 << 16 | 1))
        for mask in masks:
            starts, ends = edges[key ^ mask], edges[(key ^ mask) + 1]
            for rows in _chunks(ends - starts):
                lengths = (ends - starts)[rows]
                a = np.repeat(rows, lengths)
                within = np.arange(len(a)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
                b = order[np.repeat(starts[rows], lengths) + within]
                yield a[a < b], b[a < b]


def _chunks(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows in order, in chunks whose `lengths` add up to about `AT_ONCE`.  [n]"""
    chunk = np.cumsum(lengths) // AT_ONCE
    cuts = np.flatnonzero(np.diff(chunk)) + 1
    yield from np.split(np.arange(len(lengths)), cuts)


def _read_fine_structure(item: Item) -> NDArray[np.float32]:
    return fine_structure(pixels_of(item.image.read(), COMPARED))


def low_content(table: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which of N images have little content, by entropy x pixels.  [N] -> [N] bool"""
    pixels = table["width"].astype(np.float64) * table["height"]
    return table["entropy"] * np.minimum(pixels, LARGEST**2) < LITTLE
