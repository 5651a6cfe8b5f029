"""Loader: batches of decoded pictures, in a given order, prepared ahead where that takes time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from torch import Tensor

from saccade.batch import Batch
from saccade.data.cache import Pictures
from saccade.data.order import Order


class Loader:
    """The batches of any epoch, from any step on.

    A last, smaller batch is delivered too, so that every picture of the order comes exactly once; a
    single picture that is left over joins the batch before it, since batch normalisation cannot
    learn from one.
    """

    def __init__(self, pictures: Pictures, targets: Tensor, batch_size: int, order: Order):
        self.pictures = pictures
        self.targets = targets  # [N] int64 or [N,K] float, a row for each of `pictures`
        self.batch_size = batch_size
        self.order = order
        self._steps = len(_bounds(len(order(0)), batch_size))

    def __len__(self) -> int:
        """Steps in an epoch."""
        return self._steps

    def of(self, pictures: Pictures) -> Loader:
        """The same batches of `pictures`, which are as many."""
        return Loader(pictures, self.targets, self.batch_size, self.order)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from step `start` on; may be left at any batch."""
        order = self.order(epoch)
        parts = [order[a:b] for a, b in _bounds(len(order), self.batch_size)[start:]]
        if self.pictures.ahead == 0:
            return map(self._batch, parts)
        return self._prepared(parts)

    def _batch(self, index: Tensor) -> Batch:
        return Batch(self.pictures.take(index), self.targets[index], index)

    def _prepared(self, parts: list[Tensor]) -> Iterator[Batch]:
        """The same batches, `pictures.ahead` of them made by a thread while one is used."""
        waiting: deque[Future[Batch]] = deque()
        maker = ThreadPoolExecutor(1, "saccade-loader")
        try:
            for part in parts:
                waiting.append(maker.submit(self._batch, part))
                if len(waiting) > self.pictures.ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            maker.shutdown(wait=True, cancel_futures=True)


def _bounds(n: int, size: int) -> list[tuple[int, int]]:
    """First position and end of each batch."""
    bounds = [(a, min(a + size, n)) for a in range(0, n, size)]
    if size > 1 and len(bounds) > 1 and n % size == 1:
        bounds[-2:] = [(bounds[-2][0], n)]
    return bounds
