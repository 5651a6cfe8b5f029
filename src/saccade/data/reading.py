"""reading: something done to every item of a source, side by side, the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from torch import Tensor

from saccade.data.decode import Preprocessing
from saccade.data.source import Item, Skipped
from saccade.data.workers import Workers
from saccade.errors import DataError

PART = 16  # items handed to a thread at once

T = TypeVar("T")


def each(items: Sequence[Item], call: Callable[[Item], T], threads: int) -> Iterator[T]:
    """`call(item)` for every item, in order; a bounded number of results waits."""

    def part(some: list[Item]) -> list[T]:
        return [call(item) for item in some]

    waiting: deque[Future[list[T]]] = deque()
    pool = ThreadPoolExecutor(threads, "saccade-reading")
    try:
        for start in range(0, len(items), PART):
            end = min(start + PART, len(items))
            waiting.append(pool.submit(part, [items[k] for k in range(start, end)]))
            if len(waiting) > 2 * threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def pictures(
    items: Sequence[Item], preprocessing: Preprocessing, workers: Workers
) -> Iterator[Tensor | Skipped]:
    """Every item decoded, uint8 [C,size,size], or why it could not be."""

    def picture(item: Item) -> Tensor | Skipped:
        try:
            return workers.read(item.picture, preprocessing)
        except DataError as error:
            return Skipped(item.name, error.what)

    return each(items, picture, workers.count)
