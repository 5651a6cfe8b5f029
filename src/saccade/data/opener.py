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

REQUEST = struct.Struct("<Q?Q?")  # bytes of the file that follow, and the fields of Opening
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
        length, *wanted = REQUEST.unpack(request)
        try:
            pixels = opened(requests.read(length), Opening(*wanted))
        except DataError as error:
            shape, body = (0, 0, 0), error.what.encode()
        else:
            shape, body = pixels.shape, pixels.data.cast("B")
        answers.write(ANSWER.pack(*shape, len(body)))
        answers.write(body)
        answers.flush()


def _yield_memory() -> None:
    """Where the system can: a limit of its own, and first in line when memory runs out."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
