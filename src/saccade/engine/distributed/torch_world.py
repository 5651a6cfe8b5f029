"""The world of several processes, by torch.distributed."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from saccade.data.batch import Batch
from saccade.data.targets import joined
from saccade.engine.distributed.world import (
    SINGLE_PROCESS,
    F,
    World,
    batch_norm_statistics,
    copy_flat,
)
from saccade.errors import ResourceError, UsageError

TIMEOUT = timedelta(minutes=30)  # of a collective operation
POLL = 0.05  # seconds between two checks for a key of the store


class Store(Protocol):
    """The launcher's key-value store, as of `torch.distributed.Store`."""

    def set(self, key: str, value: str, /) -> None:
        """Store `value` for all processes."""
        ...

    def get(self, key: str, /) -> bytes:
        """The value of a key; waits until there is one."""
        ...

    def check(self, keys: list[str], /) -> bool:
        """Whether all of the keys have a value."""
        ...


class TorchWorld(World):
    """Several processes, started by torch's elastic launcher; gloo, and NCCL between GPUs.

    Each trained network is wrapped in PyTorch's `DistributedDataParallel`, and again whenever other
    weights of it are trained.
    """

    def __init__(self, store: Store, rank: int, size: int):
        self.store = store
        self.rank = rank
        self.size = size
        self.node = os.environ["GROUP_RANK"]
        self.local_rank = int(os.environ["LOCAL_RANK"])
        self.local_size = int(os.environ["LOCAL_WORLD_SIZE"])
        self._parallel: dict[nn.Module, DistributedDataParallel] = {}
        self._trained: dict[nn.Module, list[bool]] = {}  # which of their weights
        self._keys = 0

    def claim_device(self, device: torch.device) -> None:
        """Claim the GPU with this process's local rank; the CPU is shared."""
        if device.type == "cpu":
            return
        count = self.local_size
        if device.type != "cuda" or device.index is not None:
            what = f"'{device}' is one device, and there are {count} processes on this machine"
            raise UsageError(what, "set train.device to cuda or cpu, or train with one process")
        if count > (available := torch.cuda.device_count()):
            what = f"{count} processes want a GPU each; this machine has {available}"
            raise ResourceError(what, f"give --processes {available}, or set train.device=cpu")
        torch.cuda.set_device(self.local_rank)

    def shard(self, batch: Batch) -> tuple[Batch, int]:
        rows = shard_of(len(batch), self.rank, self.size)
        counts = int(rows.stop > rows.start)
        rows = rows if counts else shard_of(len(batch), 0, self.size)
        return batch[rows], counts

    def all_gather(self, rows: F) -> F:
        return joined(self._of_each(rows))

    def _of_each(self, rows: Any) -> list[Any]:
        """The rows of each process, by its rank."""
        if rows is None:
            return [None] * self.size
        if isinstance(rows, Tensor):
            return self._tensors(rows)
        parts = {f.name: self._of_each(getattr(rows, f.name)) for f in fields(rows)}
        return [replace(rows, **{n: of[k] for n, of in parts.items()}) for k in range(self.size)]

    def _tensors(self, own: Tensor) -> list[Tensor]:
        """The tensor of each process, whatever its sizes.  [...] -> [[...], ...]"""
        sizes = torch.zeros(self.size, own.dim(), dtype=torch.int64)
        sizes[self.rank] = torch.tensor(own.shape)
        dist.all_reduce(sizes)
        found = [own.new_empty(size) for size in sizes.tolist()]
        found[self.rank].copy_(own)
        for rank, one in enumerate(found):
            dist.broadcast(one, rank)
        return found

    def data_parallel(self, model: nn.Module) -> nn.Module:
        trained = [weight.requires_grad for weight in model.parameters()]
        if not any(trained):
            return model
        if self._trained.get(model) != trained:  # rows may be released as training goes on
            self._trained[model] = trained
            self._parallel[model] = _parallel_model(model)
        return self._parallel[model]

    @contextmanager
    def gradient_sync(self, last: bool) -> Iterator[None]:
        with ExitStack() as stack:
            for network in () if last else self._parallel.values():
                stack.enter_context(network.no_sync())
            yield

    def sum_over_processes(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        sums = torch.stack(list(losses.values()))
        dist.all_reduce(sums)
        return dict(zip(losses, sums, strict=True))

    def max_over_processes(self, number: int) -> int:
        numbers = torch.tensor([number])
        dist.all_reduce(numbers, dist.ReduceOp.MAX)
        return int(numbers)

    def broadcast_number(self, number: float) -> float:
        numbers = torch.tensor([number], dtype=torch.float64)
        dist.broadcast(numbers, 0)
        return float(numbers)

    def broadcast_bytes(self, data: bytes = b"") -> bytes:
        key = self._next("bytes")
        if self.rank == 0:
            self.store.set(key, str(len(data)))
        self._wait(key)
        length = int(self.store.get(key))
        buffer = torch.empty(length, dtype=torch.uint8)
        if self.rank == 0 and length:
            buffer.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        dist.broadcast(buffer, 0)
        return buffer.numpy().tobytes()

    @contextmanager
    def local_main_first(self) -> Iterator[None]:
        key = self._next(f"machine-{self.node}")
        if self.local_rank:
            self._wait(key)
        yield
        if not self.local_rank:
            self.store.set(key, "done")

    def sync_batch_norm(self, models: Sequence[nn.Module]) -> None:
        gathered = self.gather_batch_norm(models)
        if gathered is not None:
            copy_flat(batch_norm_statistics(models), gathered.double().mean(0))

    def gather_batch_norm(self, models: Sequence[nn.Module]) -> Tensor | None:
        tensors = batch_norm_statistics(models)
        if not tensors:
            return None
        own = torch.cat([tensor.flatten() for tensor in tensors])
        rows = own.new_zeros(self.size, len(own))
        rows[self.rank] = own
        dist.all_reduce(rows)
        return rows

    def scatter_batch_norm(self, models: Sequence[nn.Module], gathered: Tensor | None) -> None:
        if gathered is not None:
            same = len(gathered) == self.size
            row = gathered[self.rank] if same else gathered.double().mean(0)
            copy_flat(batch_norm_statistics(models), row)

    def _next(self, what: str) -> str:
        self._keys += 1
        return f"saccade/{what}/{self._keys}"

    def _wait(self, key: str) -> None:
        """Wait for a key of the store; the launcher ends those whose leader is gone."""
        while not self.store.check([key]):
            time.sleep(POLL)


def _parallel_model(model: nn.Module) -> DistributedDataParallel:
    """The network with averaged gradients; each process has batch statistics of its own."""
    device = next(model.parameters()).device
    with warnings.catch_warnings():
        # what torch 2.15 offers in its place would synchronise buffers at the start
        warnings.filterwarnings("ignore", ".*broadcast_buffers", FutureWarning)
        return DistributedDataParallel(
            model,
            device_ids=[device] if device.type == "cuda" else None,
            broadcast_buffers=False,
            gradient_as_bucket_view=True,
        )


@contextmanager
def init_world() -> Iterator[World]:
    """The world of this process: a single one, or that of torch's elastic launcher."""
    if not dist.is_torchelastic_launched() or int(os.environ["WORLD_SIZE"]) == 1:
        yield SINGLE_PROCESS
        return
    store, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    # the launcher's store may still hold the addresses of the attempt before
    store = dist.PrefixStore(attempt, store)  # pyright: ignore[reportPrivateImportUsage]
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=TIMEOUT, world_size=size, rank=rank, store=store)
    yield TorchWorld(store, rank, size)
    dist.destroy_process_group()  # not after a failure: the others may wait for ever


def shard_of(length: int, rank: int, size: int) -> slice:
    """The shard of process `rank` of `length` images: contiguous, equal sizes to within one.

    No shard is a single image of several, which batch normalisation could not train on; so the
    last ones may be empty.
    """
    takers = min(size, max(1, length // 2))
    first, last = (length * min(k, takers) // takers for k in (rank, rank + 1))
    return slice(first, last)
