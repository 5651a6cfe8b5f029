"""opener: image files opened in a sandbox, what they are found to be as bytes.  Needs no torch."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from saccade.data.formats import Opening, opened
from saccade.data.sandbox import Message, serve
from saccade.errors import DataError

WANTED = struct.Struct("<?Q??")  # the fields of Opening; the file follows
FOUND = struct.Struct("<QQQ")  # height, width, channels; pixels follow, or a reason after zeros


def request(raw: bytes, opening: Opening) -> Message:
    """What asks the process for the pixels of a file."""
    return WANTED.pack(opening.grey, opening.least, opening.longer, opening.labels), raw


def answer(request: bytes) -> Message:
    """What the process says."""
    view = memoryview(request)
    wanted = Opening(*WANTED.unpack(view[: WANTED.size]))
    try:
        pixels = opened(bytes(view[WANTED.size :]), wanted)
    except DataError as error:
        return FOUND.pack(0, 0, 0), error.what.encode()
    return FOUND.pack(*pixels.shape), pixels.data.cast("B")


def understood(answer: bytearray | DataError) -> NDArray[np.uint8] | DataError:
    """The pixels that an answer means, or why there are none."""
    if isinstance(answer, DataError):
        return answer
    shape = FOUND.unpack_from(answer)
    if shape == (0, 0, 0):
        return DataError(answer[FOUND.size :].decode())
    return np.frombuffer(answer, np.uint8, offset=FOUND.size).reshape(shape)


if __name__ == "__main__":
    serve(answer)
