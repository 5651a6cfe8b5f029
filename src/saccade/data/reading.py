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

PART = 32  # items handed to a thread at once, at the most

T = TypeVar("T")


def each(items: Sequence[Item], call: Callable[[Item], T], threads: int) -> Iterator[T]:
    """`call(item)` for every item, in order; a bounded number of results waits."""
    return each_part(items, lambda part: [call(item) for item in part], threads)


def each_part(
    items: Sequence[Item], call: Callable[[Sequence[Item]], list[T]], threads: int
) -> Iterator[T]:
    """The same by parts of up to `PART` items."""
    size = max(1, min(PART, len(items) // (2 * threads)))
    waiting: deque[Future[list[T]]] = deque()
    pool = ThreadPoolExecutor(threads, "saccade-reading")
    try:
        for start in range(0, len(items), size):
            end = min(start + size, len(items))
            waiting.append(pool.submit(call, [items[k] for k in range(start, end)]))
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

    def part(some: Sequence[Item]) -> list[Tensor | Skipped]:
        found = workers.read([item.picture for item in some], preprocessing)
        return [
            Skipped(item.name, result.what) if isinstance(result, DataError) else result
            for item, result in zip(some, found, strict=True)
        ]

    return each_part(items, part, workers.count)
