"""Parallel map over many items in threads, the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

CHUNK = 32  # items handed to a thread at once, at the most
S = TypeVar("S")
T = TypeVar("T")


def parallel_map(items: Sequence[S], call: Callable[[S], T], threads: int) -> Iterator[T]:
    """`call(item)` for every item, in order; a bounded number of results waits."""
    return parallel_map_batches(items, lambda chunk: [call(item) for item in chunk], threads)


def parallel_map_batches(
    items: Sequence[S], call: Callable[[Sequence[S]], list[T]], threads: int
) -> Iterator[T]:
    """The results of `call` on chunks of up to `CHUNK` items, one after the other, in order."""
    size = max(1, min(CHUNK, len(items) // (2 * threads)))
    if len(items) <= size:  # one image: a thread would take longer to start than it saves
        yield from call(items)
        return
    pending: deque[Future[list[T]]] = deque()
    pool = ThreadPoolExecutor(threads, "saccade-reading")
    try:
        for start in range(0, len(items), size):
            end = min(start + size, len(items))
            pending.append(pool.submit(call, [items[k] for k in range(start, end)]))
            if len(pending) > 2 * threads:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
