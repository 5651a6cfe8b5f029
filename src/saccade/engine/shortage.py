"""Shortage of memory: what allocators say, and what a person is told."""

from __future__ import annotations

import torch

from saccade.errors import ResourceError


def is_shortage(error: BaseException) -> bool:
    """Whether a device, PyTorch's allocator or Python itself ran out of memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def too_large(pictures: int) -> ResourceError:
    """The error where even so few pictures at a time do not fit."""
    count = "1 picture" if pictures == 1 else f"{pictures} pictures"
    return ResourceError(
        f"memory does not suffice for a step with {count} at a time",
        "take a smaller data.size or another model; where train.class_weights keep a batch whole, "
        "a smaller train.batch_size; with several processes, set train.micro_batch",
    )
