"""The C library's allocator, told to keep what it gets back.

glibc gives blocks above some size back to the kernel at once, which clears every page of the next
one: a tenth of the time of a training step (docs/speed.md), half of that of an augmentation.
"""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of malloc.h
LARGEST = 2**31 - 1  # bytes


def keep_blocks() -> bool:
    """Have blocks of up to 2 GB kept for the next one; False where there is no such allocator.

    It changes the whole process, so it is for our own command alone, never for a host program.
    """
    if sys.platform == "win32":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST) and mallopt(TRIM_THRESHOLD, LARGEST))
