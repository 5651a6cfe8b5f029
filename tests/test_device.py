"""Blocks that are kept, and by whom."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PAGES = 64 << 20 >> 12  # of a block of 64 MB

FAULTS = """
import resource
for _ in range(3):
    bytearray(b"\\1") * (64 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    bytearray(b"\\1") * (64 << 20)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 4)
"""


def page_faults(beginning: str) -> int:
    """Pages that the kernel clears for a block of 64 MB that was had before."""
    done = subprocess.run(
        [sys.executable, "-c", beginning + FAULTS], capture_output=True, text=True, check=True
    )
    return int(done.stdout.splitlines()[-1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator")
def test_a_kept_block_is_not_cleared_again() -> None:
    kept = "from saccade.device import keep_blocks\nassert keep_blocks()\n"
    assert page_faults("") > PAGES // 2
    assert page_faults(kept) < PAGES // 100


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator")
def test_a_host_program_keeps_its_own_way_with_blocks() -> None:
    assert page_faults("import saccade.cli\nsaccade.cli.main(['--version'])\n") > PAGES // 2
