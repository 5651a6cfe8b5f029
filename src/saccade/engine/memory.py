"""Memory: what tensors take, what is free, and how many images inference takes at a time."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from saccade.data.store import free_memory

INFERENCE_BYTES = {"cpu": 2**26, "mps": 2**29}  # of the tensors between the layers of a network
GPU_BYTES = 2**31  # elsewhere, where many images at a time are what makes it fast


class Storages:
    """Bytes of the storages of the tensors that were counted: now, and at the peak."""

    def __init__(self) -> None:
        self.alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self.current = self.peak = 0

    def count(self, outputs: Any) -> None:
        """Count the storage of each tensor among `outputs`, once, until it is freed."""
        for tensor in tree_leaves(outputs):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.alive or not size:
            return
        self.current += size
        self.peak = max(self.peak, self.current)

        def freed(_: object) -> None:
            self.current -= size
            self.alive.pop(key, None)

        self.alive[key] = weakref.ref(storage, freed)


class LiveTensors(TorchDispatchMode):
    """Bytes of the live tensors that were made within the block, those of backward passes too."""

    def __init__(self) -> None:
        super().__init__()
        self.storages = Storages()

    def __torch_dispatch__(
        self, function: Callable, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = function(*args, **(kwargs or {}))
        self.storages.count(outputs)
        return outputs


class LiveOutputs(TorchFunctionMode):
    """Bytes of the live results of PyTorch's functions: of a forward pass, and light to import."""

    def __init__(self) -> None:
        super().__init__()
        self.storages = Storages()

    def __torch_function__(
        self, func: Callable, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        self.storages.count(outputs)
        return outputs


def free_device_memory(device: torch.device) -> int:
    """Bytes that are free on `device`, or in the machine where that shares its memory."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Callable[[], int]]:
    """Yield a function that gives, after the block, the peak of memory within it in bytes.

    On a GPU that is what its allocator counted.  Elsewhere it is what tensors took: workspaces
    inside of kernels are not known.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield lambda: torch.cuda.max_memory_allocated(device) - before
        return
    with LiveTensors() as live:
        yield lambda: live.storages.peak


@torch.inference_mode()
def images_at_once(
    model: nn.Module, forward: Callable[[Tensor], Any], image: Tensor, most: int
) -> int:
    """How many images [N,C,H,W] go through `forward` together: `most`, or what memory allows.

    Measured on one `image` [1,C,H,W], with `model` in eval mode: the same network takes images of
    the same size always in the same batches, whatever is free, and gives the same bits.
    """
    device, was_training = device_of(model), model.training
    image = image.to(device)
    model.eval()
    with LiveOutputs() as live:
        forward(image)
    model.train(was_training)
    return max(1, min(most, inference_bytes(device) // max(1, live.storages.peak)))


def inference_bytes(device: torch.device) -> int:
    """Bytes planned on `device` for what lies between the layers of a network in inference."""
    return INFERENCE_BYTES.get(device.type, GPU_BYTES)


def device_of(model: nn.Module) -> torch.device:
    """The device of a network; one without weights has the buffers of `Normalize` at least."""
    return next(chain(model.parameters(), model.buffers())).device
