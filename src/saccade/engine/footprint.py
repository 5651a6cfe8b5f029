"""Footprint: the memory that a step of training takes, measured while it runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from saccade.data.space import free_memory


class Living(TorchDispatchMode):
    """Bytes of the tensors that were made within the block and live: now, and at the most."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self.now = self.most = 0

    def __torch_dispatch__(
        self, function: Callable, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.seen or not size:
            return
        self.now += size
        self.most = max(self.most, self.now)

        def gone(_: object) -> None:
            self.now -= size
            self.seen.pop(key, None)

        self.seen[key] = weakref.ref(storage, gone)


def room(device: torch.device) -> int:
    """Bytes that are free on `device`, or in the machine where that shares its memory."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()


@contextmanager
def footprint(device: torch.device) -> Iterator[Callable[[], int]]:
    """Gives the function to ask, after the block, how many bytes more were in use at the most.

    On a GPU that is what its allocator counted.  Elsewhere it is what tensors took: workspaces
    inside of kernels are not known.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield lambda: torch.cuda.max_memory_allocated(device) - before
        return
    with Living() as living:
        yield lambda: living.most
