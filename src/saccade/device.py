"""Hardware: the memory allocator, CPU cores, threads and devices.  Importing it needs no torch.

glibc gives memory above some size back to the kernel at once, which clears every page of the next
block: a tenth of the time of a training step (docs/speed.md), half of that of an augmentation.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from saccade.errors import ResourceError, UsageError

if TYPE_CHECKING:
    import torch

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of malloc.h
LARGEST = 2**31 - 1  # bytes


def keep_blocks() -> bool:
    """Have malloc keep freed blocks of up to 2 GB; False where there is no such allocator.

    It changes the whole process, so it is for our own command alone, never for a host program.
    """
    if sys.platform == "win32":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST) and mallopt(TRIM_THRESHOLD, LARGEST))


def environment() -> dict[str, str]:
    """Versions and hardware, for logs and reports."""
    import torch

    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("saccade", "torch", "numpy", "pillow")},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": str(torch.cpu.get_capabilities().get("cpu_name", platform.processor())),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def cpu_count() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


LAUNCHED = "SACCADE_LAUNCHED"  # set where the launcher, not the process itself, tells of failures


@contextmanager
def limit_threads(count: int) -> Iterator[None]:
    """Compute with `count` threads of the processor within the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device(name: str) -> torch.device:
    """The device called `name`; raises `ResourceError` if this machine has none such."""
    import torch

    try:
        result = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"no device is called '{name}'", "use cpu, cuda, cuda:1 or mps") from error
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (result.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(result.type, False):
        raise ResourceError(f"this machine has no device '{name}'", "use cpu, or leave it to auto")
    return result
