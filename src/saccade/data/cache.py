"""cache: pictures decoded once, at the training size, and kept for every epoch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from saccade.data.decode import Preprocessing, decode
from saccade.data.source import Item, Skipped
from saccade.errors import DataError

Progress = Callable[[int, int], None]  # pictures done, pictures in all


class Pictures(Protocol):
    """Decoded pictures that can be taken by position, in any order."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W."""
        ...

    @property
    def ahead(self) -> int:
        """Batches worth preparing while one is used; 0 where taking is but a copy."""
        ...

    def __len__(self) -> int: ...

    def take(self, index: Tensor) -> Tensor:
        """The pictures at positions `index`.  int64 [n] -> uint8 [n,C,H,W]"""
        ...


@dataclass(frozen=True)
class Decoded:
    """The pictures that could be read, and what is to be said of the others."""

    pictures: Pictures
    kept: tuple[int, ...]  # position in `items` of each picture
    failed: tuple[Skipped, ...]


@dataclass(frozen=True, eq=False)
class Held:
    """Pictures in memory."""

    rows: Tensor  # uint8 [N,C,H,W]
    ahead: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self.rows.shape
        return channels, height, width

    def take(self, index: Tensor) -> Tensor:
        return self.rows.index_select(0, index)


def decoded(
    items: Sequence[Item],
    preprocessing: Preprocessing,
    *,
    mode: str = "auto",
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Decoded:
    """All of `items`, decoded."""
    size = preprocessing.size
    rows = torch.empty(len(items), preprocessing.channels, size, size, dtype=torch.uint8)
    kept: list[int] = []
    failed: list[Skipped] = []

    def place(position: int) -> str:
        try:
            rows[position] = decode(items[position].picture.read(), preprocessing)
        except (DataError, OSError) as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for position, reason in enumerate(threads.map(place, range(len(items)))):
            if reason:
                failed.append(Skipped(items[position].name, reason))
            else:
                rows[len(kept)] = rows[position]
                kept.append(position)
            if progress:
                progress(position + 1, len(items))
    return Decoded(Held(rows[: len(kept)]), tuple(kept), tuple(failed))
