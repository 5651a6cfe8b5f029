"""The sandbox process that opens image files, and its requests and responses.  Needs no torch."""

from __future__ import annotations

import struct
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from saccade.data.formats import DecodeOptions, measured, open_image
from saccade.data.sandbox import Message, serve
from saccade.errors import DataError
from saccade.files import as_utf8

REQUEST = struct.Struct("<?Q??64s")  # the fields of DecodeOptions; the file follows
MEASURE = b"measure"  # in place of a window: asks for `formats.measured`
RESPONSE = struct.Struct("<QQQ")  # height, width, channels; pixels follow, or a reason after zeros


def request(raw: bytes, options: DecodeOptions) -> Message:
    """The message that asks the process for the pixels of a file."""
    *fields, window = astuple(options)
    return REQUEST.pack(*fields, window.encode()), raw


def measure_request(raw: bytes) -> Message:
    """The message that asks for what a window is chosen from."""
    return REQUEST.pack(False, 0, False, False, MEASURE), raw


def handle_request(request: bytes) -> Message:
    """The message with which the process answers."""
    view = memoryview(request)
    grey, min_side, longer, labels, window = REQUEST.unpack(view[: REQUEST.size])
    window, raw = window.rstrip(b"\0"), bytes(view[REQUEST.size :])
    try:
        if window == MEASURE:
            pixels = measured(raw).view(np.uint8)[None, :, None]
        else:
            options = DecodeOptions(grey, min_side, longer, labels, window.decode())
            pixels = open_image(raw, options)
    except DataError as error:
        return RESPONSE.pack(0, 0, 0), as_utf8(error.what)
    return RESPONSE.pack(*pixels.shape), pixels.data.cast("B") if pixels.size else b""


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
