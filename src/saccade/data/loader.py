"""Data loader: batches of decoded images, in an order that is a function of (seed, epoch) alone.

The numbers of an order come from PCG64's raw output, the only stream that numpy promises to keep
for ever, and are turned into a permutation by sorting them: the same order on every machine and in
every release.  Batches are prepared ahead where that takes time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.data.batch import Batch
from saccade.data.cache import ImageStore
from saccade.errors import DataError, RecipeError, unknown

Order = Callable[[int], Tensor]  # epoch -> int64 [N], positions of images


def sequential(n: int) -> Order:
    """Every image once, always from first to last: for evaluation."""
    return lambda epoch: torch.arange(n)


def evenly_spaced(n: int, count: int) -> Order:
    """At most `count` images, evenly spread from the first to the last, always the same."""
    positions = torch.linspace(0, n - 1, min(n, count), dtype=torch.float64).round().long()
    return lambda epoch: positions


def shuffled(n: int, seed: int) -> Order:
    """Every image once, in an order of its own for each epoch."""
    return lambda epoch: torch.from_numpy(permutation(n, seed, epoch))


def balanced(targets: Tensor, seed: int) -> Order:
    """As many images of each class as of any other, to within one; N in all.

    `targets` are int64 class positions [N]; classes without an image are left out.  Each class
    has a permutation of its own and a new one when that is used up, across epochs: none of its
    images is seen twice before all were seen once.
    """
    if targets.dim() != 1 or targets.is_floating_point():
        raise DataError(
            "balanced sampling needs one class for each image",
            "leave the order as it is for several labels or for numbers",
        )
    classes = [np.flatnonzero(targets.numpy() == k) for k in torch.unique(targets).tolist()]
    n = len(targets)

    def order(epoch: int) -> Tensor:
        drawn = []
        for rank, members in enumerate(classes):
            count = n // len(classes) + (rank < n % len(classes))
            drawn.append(_draw(members, epoch * count, count, seed, rank))
        positions = np.concatenate(drawn) if drawn else np.empty(0, np.int64)
        return torch.from_numpy(positions[permutation(n, seed, epoch)])

    return order


def permutation(n: int, *seeds: int) -> NDArray[np.int64]:
    """A permutation of 0..n-1, a function of `seeds` alone.  -> [n] int64"""
    keys = np.random.PCG64(np.random.SeedSequence(seeds)).random_raw(n)
    return np.argsort(keys, kind="stable")


def _draw(
    members: NDArray[np.int64], start: int, count: int, seed: int, rank: int
) -> NDArray[np.int64]:
    """`count` members from position `start` of an endless sequence of permutations of `members`.

    [n] int64 -> [count] int64
    """
    first, last = start // len(members), (start + count - 1) // len(members)
    permutations = [
        members[permutation(len(members), seed, rank, p)] for p in range(first, last + 1)
    ]
    return np.concatenate(permutations)[start - first * len(members) :][:count]


def class_weights(
    counts: Sequence[int], rule: str | Mapping[str, float], classes: Sequence[str]
) -> Tensor:
    """The weight of each class in the loss, float32 [K].

    `none`: all 1; `auto`: inversely proportional to the class's count, with mean 1 over the
    images; or `{class: weight}`, 1 where a class is not named.
    """
    if isinstance(rule, str):
        if rule not in ("none", "auto"):
            raise unknown("rule for class weights", rule, ("none", "auto"), RecipeError)
        return _balanced_weights(counts) if rule == "auto" else torch.ones(len(classes))
    for name, weight in rule.items():
        if name not in classes:
            raise unknown("class", name, classes, RecipeError)
        if not 0 <= weight < float("inf"):
            raise RecipeError(f"the weight of class '{name}' is {weight}", "give 0 or more")
    return torch.tensor([float(rule.get(name, 1)) for name in classes])


def _balanced_weights(counts: Sequence[int]) -> Tensor:
    """N / (K * count), scikit-learn's "balanced"; 0 for a class without images.  -> [K] float32"""
    n = torch.tensor(counts, dtype=torch.float64)
    weights = n.sum() / ((n > 0).sum() * n)
    return torch.where(n > 0, weights, 0).float()


class TargetRows(Protocol):
    """The targets of a whole split: any of `targets.py`, or what takes them from a cache."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Tensor, /) -> Any:
        """The targets of the images at positions `rows`.  int64 [n] -> of n images"""
        ...


BatchTransform = Callable[[Batch], Batch]  # of a batch as it is loaded, on the CPU


class Loader:
    """The batches of any epoch, from any step on.

    A last, smaller batch is delivered too, so that every image of the order comes exactly once; a
    single image that is left over joins the batch before it, since batch normalisation cannot
    learn from one.
    """

    def __init__(
        self,
        images: ImageStore,
        targets: TargetRows,
        batch_size: int,
        order: Order,
        transform: BatchTransform | None = None,
    ):
        self.images = images
        self.targets = targets  # as many as `images`
        self.batch_size = batch_size
        self.order = order
        self.transform = transform
        self._steps = len(_bounds(len(order(0)), batch_size))

    def __len__(self) -> int:
        """Steps in an epoch."""
        return self._steps

    def with_transform(self, transform: BatchTransform) -> Loader:
        """The loader with this transform of each batch in place of its own."""
        return Loader(self.images, self.targets, self.batch_size, self.order, transform)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from step `start` on; may be left at any batch."""
        order = self.order(epoch)
        indices = [order[a:b] for a, b in _bounds(len(order), self.batch_size)[start:]]
        if self.images.prefetch == 0:
            return map(self._batch, indices)
        return self._prefetched(indices)

    def _batch(self, index: Tensor) -> Batch:
        batch = Batch(self.images.take(index), self.targets[index], index)
        return self.transform(batch) if self.transform else batch

    def _prefetched(self, indices: list[Tensor]) -> Iterator[Batch]:
        """The batches, `images.prefetch` of them made by a thread while one is used."""
        pending: deque[Future[Batch]] = deque()
        pool = ThreadPoolExecutor(1, "saccade-loader")
        try:
            for index in indices:
                pending.append(pool.submit(self._batch, index))
                if len(pending) > self.images.prefetch:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _bounds(n: int, size: int) -> list[tuple[int, int]]:
    """First position and end of each batch."""
    bounds = [(a, min(a + size, n)) for a in range(0, n, size)]
    if size > 1 and len(bounds) > 1 and n % size == 1:
        bounds[-2:] = [(bounds[-2][0], n)]
    return bounds
