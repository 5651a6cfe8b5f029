"""World: the processes that train one network together, and what passes between them.

Each has the whole network and a part of every batch; the gradient of the whole batch reaches all of
them before the step, so that their weights stay the same to the last bit.  A process that is alone
is a world too, in which nothing has to pass.
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
    """What a training needs of the other processes.  All of them call the same, in one order."""

    rank: int  # which process this is; 0 leads: it alone prints and writes
    size: int  # how many processes there are

    def claim_device(self, device: torch.device) -> None:
        """Make "cuda" mean this process's own GPU; refuse devices that cannot be shared out."""
        ...

    def shard(self, batch: Batch) -> tuple[Batch, int]:
        """This process's images of the batch, and 1; where none are left for it, others and 0."""
        ...

    def all_gather(self, rows: F) -> F:
        """The rows that the processes have, each any number, after each other."""
        ...

    def data_parallel(self, model: nn.Module) -> nn.Module:
        """The network such that a backward pass leaves the mean of all processes' gradients."""
        ...

    def gradient_sync(self, last: bool) -> AbstractContextManager[None]:
        """The block of one backward pass; gradients meet in the `last` one of a step."""
        ...

    def sum_over_processes(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The sums over all processes of each loss.  [] each -> [] each"""
        ...

    def max_over_processes(self, number: int) -> int:
        """The highest of the numbers that the processes give."""
        ...

    def broadcast_number(self, number: float) -> float:
        """The number that the leader gives, for what must not differ, such as a clock."""
        ...

    def broadcast_bytes(self, words: bytes = b"") -> bytes:
        """What the leader says; the others wait for it, however long that takes."""
        ...

    def local_main_first(self) -> AbstractContextManager[None]:
        """One process of each machine goes through the block first, then the others."""
        ...

    def sync_batch_norm(self, models: Sequence[nn.Module]) -> None:
        """Give all the mean over the processes of what normalisation layers have gathered."""
        ...

    def gather_batch_norm(self, models: Sequence[nn.Module]) -> Tensor | None:
        """Running statistics of batch normalisation.  -> [size,S]; None for one process, or none"""
        ...

    def scatter_batch_norm(self, models: Sequence[nn.Module], gathered: Tensor | None) -> None:
        """Take up what `gathered` gave: one's own row, or the mean of another world's rows."""
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

    def broadcast_bytes(self, words: bytes = b"") -> bytes:
        return words

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
    """Write flat values into the tensors, in order.  [[C], ...], [S] of all their numbers"""
    parts = values.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))
