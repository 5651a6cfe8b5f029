"""opener: the process that opens image files for `Workers` and may die of one.  Needs no torch.

Requests come in by its input, pixels or reasons go out by its output, until the input ends.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from saccade.data.formats import Opening, opened
from saccade.errors import DataError

REQUEST = struct.Struct("<Q?Q?")  # files that follow, their lengths first; fields of Opening
ANSWER = struct.Struct("<QQQQ")  # height, width, channels, bytes of pixels or of a reason
MEMORY = 8 * 2**30  # bytes that the process may address


def main() -> None:
    """Answer requests until there are no more."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not land among the pixels
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this decides when it ends
    warnings.simplefilter("ignore")
    _yield_memory()
    while request := requests.read(REQUEST.size):
        count, *wanted = REQUEST.unpack(request)
        lengths = struct.unpack(f"<{count}Q", requests.read(8 * count))
        files = [requests.read(length) for length in lengths]  # all, before one is answered
        for raw in files:
            shape, body = answer(raw, Opening(*wanted))
            answers.write(ANSWER.pack(*shape, len(body)))
            answers.write(body)
        answers.flush()


def answer(raw: bytes, opening: Opening) -> tuple[tuple[int, ...], bytes | memoryview]:
    """Shape and pixels of an image file, or the shape of nothing and why it is refused."""
    try:
        pixels = opened(raw, opening)
    except DataError as error:
        return (0, 0, 0), error.what.encode()
    return pixels.shape, pixels.data.cast("B")


def _yield_memory() -> None:
    """Where the system can: a limit of its own, and first in line when memory runs out."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
