"""looker: pictures looked at in a sandbox, what is found of them as JSON.  Needs no torch."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.facts import Facts, facts_of, raw_of
from saccade.data.reading import each_part
from saccade.data.sandbox import Message, Sandbox, serve
from saccade.data.source import Picture
from saccade.errors import DataError

SHAPE = struct.Struct("<QQQ")  # height, width, channels of the pixels that follow; 0: of a file


def look_at_all(pictures: Sequence[Picture], processes: int | None = None) -> Iterator[Facts]:
    """The facts of each picture, in order.

    Few pictures are in memory at a time; leaving the iterator ends the processes.
    """
    with Sandbox("saccade.data.doctor.looker", processes) as sandbox:
        yield from each_part(pictures, lambda some: _looked_at(some, sandbox), sandbox.count)


def _looked_at(pictures: Sequence[Picture], sandbox: Sandbox) -> list[Facts]:
    some = [raw_of(picture) for picture in pictures]
    there = [raw for raw in some if not isinstance(raw, Facts)]
    answers = sandbox.ask([request(raw) for raw in there])
    found = iter([understood(*both) for both in zip(answers, there, strict=True)])
    return [raw if isinstance(raw, Facts) else next(found) for raw in some]


def request(raw: bytes | NDArray[np.uint8]) -> Message:
    """What asks the process for the facts of a file, or of pixels [H,W] or [H,W,C]."""
    if isinstance(raw, bytes):
        return SHAPE.pack(0, 0, 0), raw
    return SHAPE.pack(*(*raw.shape, 0)[:3]), np.ascontiguousarray(raw).data.cast("B")


def answer(request: bytes) -> Message:
    """What the process says."""
    height, width, channels = SHAPE.unpack_from(request)
    raw = request[SHAPE.size :]
    if height:
        shape = (height, width, channels) if channels else (height, width)
        return [json.dumps(facts_of(np.frombuffer(raw, np.uint8).reshape(shape))).encode()]
    return [json.dumps(facts_of(raw)).encode()]


def understood(answer: bytearray | DataError, raw: bytes | NDArray[np.uint8]) -> Facts:
    """The facts that an answer means, or what the process died of."""
    if isinstance(answer, DataError):
        length = len(raw) if isinstance(raw, bytes) else raw.nbytes
        return Facts(length, "", reason=answer.what)
    return Facts(*json.loads(answer))


if __name__ == "__main__":
    serve(answer)
