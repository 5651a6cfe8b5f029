"""The image cache: images, and targets that are images, decoded once for all epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from saccade.data.decode import Preprocessing
from saccade.data.item import Item, Skipped
from saccade.data.pool import DecoderPool
from saccade.data.store import (
    CacheEntry,
    DiskCache,
    cache_key,
    digests,
    format_bytes,
    free_disk,
    free_memory,
)
from saccade.data.targets import Targets
from saccade.errors import DataError, RecipeError, ResourceError, unknown
from saccade.files import cache_folder

MODES = ("auto", "off", "memory", "disk")
Progress = Callable[[int, int], None]  # images done, images in all


class ImageStore(Protocol):
    """Decoded images that can be taken by position, in any order."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W."""
        ...

    @property
    def prefetch(self) -> int:
        """Batches to prepare while one is used; 0 where `take` is only a copy."""
        ...

    def __len__(self) -> int: ...

    def take(self, index: Tensor) -> Tensor:
        """The images at positions `index`.  int64 [n] -> uint8 [n,C,H,W]"""
        ...


@dataclass(frozen=True)
class DecodeResult:
    """The images that could be read, and why the others could not."""

    images: ImageStore
    indices: tuple[int, ...]  # of each image in `items`
    failed: tuple[Skipped, ...]


@dataclass(frozen=True, eq=False)
class CachedImages:
    """Images in memory, or in a file that is mapped into it."""

    rows: Tensor  # uint8 [N,C,H,W]
    prefetch: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self.rows.shape
        return channels, height, width

    def take(self, index: Tensor) -> Tensor:
        return self.rows.index_select(0, index)


class StreamedImages:
    """Images decoded anew whenever they are taken."""

    prefetch = 2

    def __init__(self, items: Sequence[Item], indices: Sequence[int], preprocessing: Preprocessing):
        self.items = items
        self.indices = indices
        self.preprocessing = preprocessing
        self.shape = (preprocessing.channels, preprocessing.size, preprocessing.size)
        self._pool = DecoderPool()

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, index: Tensor) -> Tensor:
        rows = torch.empty(len(index), *self.shape, dtype=torch.uint8)
        items = [self.items[self.indices[i]] for i in index.tolist()]
        for row, result in zip(rows, self._pool.decode_files(items, self.preprocessing)):
            if isinstance(result, Skipped):
                raise DataError(
                    f"'{result.name}' could be read before and now cannot: {result.reason}",
                    "leave the images as they are while they are in use",
                )
            row.copy_(result)
        return rows


@dataclass(frozen=True, eq=False)
class CachedTargets:
    """Targets that are images too, such as masks, in a cache beside the images they belong to.

    Decoded by `preprocessing.for_masks`, or `preprocessing` itself, for the same items as those.
    """

    images: ImageStore
    to_targets: Callable[[Tensor], Targets]  # of uint8 [n,C,H,W]: `Masks.from_planes`, or `Images`

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Tensor, /) -> Targets:
        return self.to_targets(self.images.take(rows))


def decode_all(
    items: Sequence[Item],
    preprocessing: Preprocessing,
    *,
    mode: str = "auto",
    folder: Path | None = None,
    progress: Progress | None = None,
) -> DecodeResult:
    """All of `items`, decoded once and stored, or with `off` checked once and decoded when taken.

    `auto` is memory while that takes up to a quarter of what is free, else the disk while that
    takes up to half of what is free, else off.  `folder` is the disk cache, shared by
    all runs; an entry for these very images is used as it is.
    """
    if mode not in MODES:
        raise unknown("cache", mode, MODES, RecipeError)
    folder = folder or cache_folder()
    needed = needed_bytes(len(items), preprocessing)
    if mode == "auto":
        mode = _auto_mode(needed, folder)
    if mode == "memory":
        return _in_memory(items, preprocessing, needed, progress)
    disk_cache = DiskCache(folder / "images", pixels=mode == "disk")
    key = cache_key(digests(items, folder / "digests.sqlite"), preprocessing)
    entry = disk_cache.open(key) or _write_entry(
        disk_cache, key, items, preprocessing, needed, progress
    )
    if progress:
        progress(len(items), len(items))
    failed = tuple(Skipped(items[k].name, reason) for k, reason in entry.failed.items())
    indices = tuple(k for k in range(len(items)) if k not in entry.failed)
    if entry.rows is None:
        return DecodeResult(StreamedImages(items, indices, preprocessing), indices, failed)
    return DecodeResult(CachedImages(entry.rows, prefetch=2), indices, failed)


def needed_bytes(count: int, preprocessing: Preprocessing) -> int:
    """Bytes that `count` images take, in memory or on disk."""
    return count * preprocessing.channels * preprocessing.size**2


def _auto_mode(needed: int, folder: Path) -> str:
    if needed <= free_memory() / 4:
        return "memory"
    return "disk" if needed <= free_disk(folder) / 2 else "off"


def _in_memory(
    items: Sequence[Item], preprocessing: Preprocessing, needed: int, progress: Progress | None
) -> DecodeResult:
    if needed > (free := free_memory()):
        raise ResourceError(
            f"{len(items):,} images need {format_bytes(needed)} of memory; "
            f"{format_bytes(free)} are free",
            "set the cache to disk or off, or make the images smaller",
        )
    size = preprocessing.size
    rows = torch.empty(len(items), preprocessing.channels, size, size, dtype=torch.uint8)
    indices, failed = [], []
    with DecoderPool() as pool:
        results = pool.decode_files(items, preprocessing)
        for index, result in _with_progress(results, len(items), progress):
            if isinstance(result, Skipped):
                failed.append(result)
            else:
                rows[len(indices)] = result
                indices.append(index)
    return DecodeResult(CachedImages(rows[: len(indices)]), tuple(indices), tuple(failed))


def _write_entry(
    disk_cache: DiskCache,
    key: str,
    items: Sequence[Item],
    preprocessing: Preprocessing,
    needed: int,
    progress: Progress | None,
) -> CacheEntry:
    """A new entry in the disk cache."""
    if disk_cache.pixels and needed > (free := free_disk(disk_cache.folder)):
        raise ResourceError(
            f"{len(items):,} images need {format_bytes(needed)} in '{disk_cache.folder}'; "
            f"{format_bytes(free)} are free",
            "set SACCADE_CACHE to a folder with room, set the cache to off, or make them smaller",
        )
    shape = (preprocessing.channels, preprocessing.size, preprocessing.size)
    with DecoderPool() as pool:
        results = pool.decode_files(items, preprocessing)
        return disk_cache.write(key, shape, _with_progress(results, len(items), progress))


def _with_progress(
    results: Iterator[Tensor | Skipped], count: int, progress: Progress | None
) -> Iterator[tuple[int, Tensor | Skipped]]:
    for index, result in enumerate(results):
        yield index, result
        if progress:
            progress(index + 1, count)
