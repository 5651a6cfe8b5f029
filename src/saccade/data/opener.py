"""The sandbox process that opens image files, and its requests and responses.  Needs no torch."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from saccade.data.formats import DecodeOptions, open_image
from saccade.data.sandbox import Message, serve
from saccade.errors import DataError

REQUEST = struct.Struct("<?Q??")  # the fields of DecodeOptions; the file follows
RESPONSE = struct.Struct("<QQQ")  # height, width, channels; pixels follow, or a reason after zeros


def request(raw: bytes, options: DecodeOptions) -> Message:
    """The message that asks the process for the pixels of a file."""
    return REQUEST.pack(options.grey, options.min_side, options.longer, options.labels), raw


def handle_request(request: bytes) -> Message:
    """The message with which the process answers."""
    view = memoryview(request)
    options = DecodeOptions(*REQUEST.unpack(view[: REQUEST.size]))
    try:
        pixels = open_image(bytes(view[REQUEST.size :]), options)
    except DataError as error:
        return RESPONSE.pack(0, 0, 0), error.what.encode()
    return RESPONSE.pack(*pixels.shape), pixels.data.cast("B")


def parse_response(response: bytearray | DataError) -> NDArray[np.uint8] | DataError:
    """The pixels in a response, [H,W,1 or 4], or why there are none."""
    if isinstance(response, DataError):
        return response
    shape = RESPONSE.unpack_from(response)
    if shape == (0, 0, 0):
        return DataError(response[RESPONSE.size :].decode())
    return np.frombuffer(response, np.uint8, offset=RESPONSE.size).reshape(shape)


if __name__ == "__main__":
    serve(handle_request)
