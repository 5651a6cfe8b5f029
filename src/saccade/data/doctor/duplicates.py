"""Duplicates: the same content twice, and images that were one before they were saved again.

Near duplicates are proposed by hashes and confirmed by pixels.  Two hashes within `NEAR` bits agree
to within one bit in at least one of four bands of 16 (pigeonhole), so the proposals come out of
four sorted tables instead of all pairs.  A pair counts when the fine structure of both correlates;
what merely has the same layout does not.  Measured by `benchmarks/doctor.py --accuracy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.facts import LARGEST, distance, pixels_of
from saccade.data.item import Item

NEAR = 6  # bits of pHash; 7 at the most for four bands
NEAR_ALSO = 12  # bits of dHash
NEAR_SMALL = 4  # bits of either, of images that hold little
STRUCTURE = 3.0  # deviation of the 32 x 32 image, below which hashes tell noise
MIN_CORRELATION = (
    0.75  # correlation of fine structure; all pairs of CIFAR-10 down to here are copies
)
MIN_CORRELATION_FLAT = 0.99  # of images that hold little: two handwritten digits reach 0.985
LITTLE = 4000.0  # bits: entropy x pixels
COMPARED = 64  # pixels, the size at which pixels are compared
BLOCK = 8  # pixels, structure coarser than this is what the hashes have compared already
CONFIRMED_AT_ONCE = 1024  # pairs; at most 32 MB
AT_ONCE = 2_000_000  # proposals looked at together: about 100 MB


def first_of_content(digests: NDArray[np.bytes_], readable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each image the first with the same content; itself when it is the first.  [N] -> [N]"""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    return np.where(readable, first[inverse.ravel()], np.arange(len(digests)))


def candidate_pairs(table: NDArray[np.void], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of `chosen` rows whose hashes lie near each other, each once.  [n] -> [M,2]"""
    chosen = chosen[table["structure"][chosen] >= STRUCTURE]
    phash, dhash = table["phash"][chosen], table["dhash"][chosen]
    little = _little(table)[chosen]
    found = [np.empty(0, dtype=np.int64)]
    for a, b in _band_mates(phash):
        near = distance(phash[a], phash[b]) <= np.where(little[a] | little[b], NEAR_SMALL, NEAR)
        a, b = a[near], b[near]
        also = np.where(little[a] | little[b], NEAR_SMALL, NEAR_ALSO)
        near = distance(dhash[a], dhash[b]) <= also
        found.append(np.unique(a[near] * len(chosen) + b[near]))
    pairs = np.unique(np.concatenate(found))
    n = max(1, len(chosen))
    return np.stack([chosen[pairs // n], chosen[pairs % n]], axis=1)


def confirmed_pairs(
    pairs: NDArray[np.int64], table: NDArray[np.void], items: Sequence[Item]
) -> NDArray[np.int64]:
    """Those of `pairs` whose pixels agree in their fine structure.  [M,2] -> [m,2]"""
    kept = [np.empty((0, 2), dtype=np.int64)]
    needed = np.where(_little(table)[pairs].any(axis=1), MIN_CORRELATION_FLAT, MIN_CORRELATION)
    for start in range(0, len(pairs), CONFIRMED_AT_ONCE):
        part = slice(start, start + CONFIRMED_AT_ONCE)
        rows, places = np.unique(pairs[part], return_inverse=True)
        fine = np.stack([_read(items[row]) for row in rows.tolist()])
        a, b = places.reshape(-1, 2).T
        kept.append(pairs[part][np.einsum("nd,nd->n", fine[a], fine[b]) >= needed[part]])
    return np.concatenate(kept)


def clusters(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lowest row that each of `count` rows is joined with, through any number of `pairs`."""
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for a, b in pairs.tolist():
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return np.array([root(row) for row in range(count)], dtype=np.int64)


def fine_structure(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Brightness without what is coarser than a block, of length 1.

    uint8 [COMPARED,COMPARED,3] -> [COMPARED*COMPARED]
    """
    grey = pixels.astype(np.float32).mean(axis=2)
    blocks = COMPARED // BLOCK
    tiled = grey.reshape(blocks, BLOCK, blocks, BLOCK)
    fine = (tiled - tiled.mean(axis=(1, 3), keepdims=True)).ravel()
    return fine / max(float(np.linalg.norm(fine)), 1e-6)


def _band_mates(
    hashes: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows a < b, some of them repeatedly, that agree to within one bit in a band of 16 bits."""
    masks = [0] + [1 << bit for bit in range(16)]
    for band in range(4):
        key = ((hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)).astype(np.int64)
        order = np.argsort(key, kind="stable")
        edges = np.searchsorted(key[order], np.arange(1 << 16 | 1))
        for mask in masks:
            starts, ends = edges[key ^ mask], edges[(key ^ mask) + 1]
            for rows in _parts(ends - starts):
                lengths = (ends - starts)[rows]
                a = np.repeat(rows, lengths)
                within = np.arange(len(a)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
                b = order[np.repeat(starts[rows], lengths) + within]
                yield a[a < b], b[a < b]


def _parts(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows in order, cut so that each part's `lengths` add up to about `AT_ONCE`."""
    part = np.cumsum(lengths) // AT_ONCE
    cuts = np.flatnonzero(np.diff(part)) + 1
    yield from np.split(np.arange(len(lengths)), cuts)


def _read(item: Item) -> NDArray[np.float32]:
    return fine_structure(pixels_of(item.image.read(), COMPARED))


def _little(table: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which images hold little, of what is measured of them.  [N] -> [N]"""
    pixels = table["width"].astype(np.float64) * table["height"]
    return table["entropy"] * np.minimum(pixels, LARGEST**2) < LITTLE
