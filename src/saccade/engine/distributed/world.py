"""World: the processes of a data-parallel training, and the communication between them.

Each has the whole network and a shard of every batch; gradients are averaged before the step, so
that weights stay bit-identical.  A single process is a world too, without communication.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from saccade.data.batch import Batch


class Gathered(Protocol):
    """A dataclass whose fields are tensors, other such dataclasses, or None."""

    @classmethod
    def joined(cls, parts: Sequence[Self], /) -> Self:
        """The rows of several, after each other."""
        ...


F = TypeVar("F", bound=Tensor | Gathered)  # what a process has found about its images


class World(Protocol):
    """The collective operations of a training.  All processes call the same, in one order."""

    rank: int  # which process this is
    size: int  # how many processes there are

    @property
    def is_main_process(self) -> bool:
        """Whether this is the process that prints and writes, that of rank 0."""
        return self.rank == 0

    def claim_device(self, device: torch.device) -> None:
        """Make "cuda" mean this process's own GPU; refuse devices that cannot be shared."""
        ...

    def shard(self, batch: Batch) -> tuple[Batch, int]:
        """This process's shard of the batch, and 1; where that is empty, another shard, and 0."""
        ...

    def all_gather(self, rows: F) -> F:
        """The rows that the processes have, each any number, after each other."""
        ...

    def data_parallel(self, model: nn.Module) -> nn.Module:
        """The network wrapped so that a backward pass averages gradients over the processes."""
        ...

    def gradient_sync(self, last: bool) -> AbstractContextManager[None]:
        """The block of one backward pass; gradients are averaged in the `last` one of a step."""
        ...

    def sum_over_processes(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The sum over the processes of each loss.  [] each -> [] each"""
        ...

    def max_over_processes(self, number: int) -> int:
        """The maximum of the processes' numbers."""
        ...

    def broadcast_number(self, number: float) -> float:
        """The number of rank 0, for what must not differ, such as a clock."""
        ...

    def broadcast_bytes(self, data: bytes = b"") -> bytes:
        """The data of rank 0; the others wait for it, however long that takes."""
        ...

    def local_main_first(self) -> AbstractContextManager[None]:
        """One process of each machine runs the block first, then the others."""
        ...

    def sync_batch_norm(self, models: Sequence[nn.Module]) -> None:
        """Average the running statistics of batch normalisation over the processes."""
        ...

    def gather_batch_norm(self, models: Sequence[nn.Module]) -> Tensor | None:
        """Running statistics of each process.  -> [size,S]; None for one process, or without any"""
        ...

    def scatter_batch_norm(self, models: Sequence[nn.Module], gathered: Tensor | None) -> None:
        """Load gathered [size,S]: this process's row, or the mean of a world of another size."""
        ...


class SingleProcess(World):
    """The world of one process."""

    rank: int = 0
    size: int = 1

    def claim_device(self, device: torch.device) -> None:
        pass

    def shard(self, batch: Batch) -> tuple[Batch, int]:
        return batch, 1

    def all_gather(self, rows: F) -> F:
        return rows

    def data_parallel(self, model: nn.Module) -> nn.Module:
        return model

    def gradient_sync(self, last: bool) -> AbstractContextManager[None]:
        return nullcontext()

    def sum_over_processes(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(losses)

    def max_over_processes(self, number: int) -> int:
        return number

    def broadcast_number(self, number: float) -> float:
        return number

    def broadcast_bytes(self, data: bytes = b"") -> bytes:
        return data

    def local_main_first(self) -> AbstractContextManager[None]:
        return nullcontext()

    def sync_batch_norm(self, models: Sequence[nn.Module]) -> None:
        pass

    def gather_batch_norm(self, models: Sequence[nn.Module]) -> Tensor | None:
        return None

    def scatter_batch_norm(self, models: Sequence[nn.Module], gathered: Tensor | None) -> None:
        if gathered is not None:
            copy_flat(batch_norm_statistics(models), gathered.double().mean(0))


SINGLE_PROCESS = SingleProcess()


def batch_norm_statistics(models: Sequence[nn.Module]) -> list[Tensor]:
    """The running means and variances of all layers of batch normalisation.  -> [[C], ...]"""
    layers = [row for model in models for row in model.modules() if isinstance(row, _BatchNorm)]
    tensors = [t for layer in layers for t in (layer.running_mean, layer.running_var)]
    return [tensor for tensor in tensors if tensor is not None]


@torch.no_grad()
def copy_flat(tensors: Sequence[Tensor], values: Tensor) -> None:
    """Copy flat values [S] into tensors [[C], ...], in order."""
    parts = values.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))
