"""opener: image files opened in a sandbox, what they are found to be as bytes.  Needs no torch."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from saccade.data.formats import DecodeOptions, open_image
from saccade.data.sandbox import Message, serve
from saccade.errors import DataError

REQUEST = struct.Struct("<?Q??")  # the fields of Opening; the file follows
RESPONSE = struct.Struct("<QQQ")  # height, width, channels; pixels follow, or a reason after zeros


def request(raw: bytes, options: DecodeOptions) -> Message:
    """What asks the process for the pixels of a file."""
    return REQUEST.pack(options.grey, options.min_side, options.longer, options.labels), raw


def handle_request(request: bytes) -> Message:
    """What the process says."""
    view = memoryview(request)
    wanted = DecodeOptions(*REQUEST.unpack(view[: REQUEST.size]))
    try:
        pixels = open_image(bytes(view[REQUEST.size :]), wanted)
    except DataError as error:
        return RESPONSE.pack(0, 0, 0), error.what.encode()
    return RESPONSE.pack(*pixels.shape), pixels.data.cast("B")


def parse_response(answer: bytearray | DataError) -> NDArray[np.uint8] | DataError:
    """The pixels that an answer means, or why there are none."""
    if isinstance(answer, DataError):
        return answer
    shape = RESPONSE.unpack_from(answer)
    if shape == (0, 0, 0):
        return DataError(answer[RESPONSE.size :].decode())
    return np.frombuffer(answer, np.uint8, offset=RESPONSE.size).reshape(shape)


if __name__ == "__main__":
    serve(handle_request)
