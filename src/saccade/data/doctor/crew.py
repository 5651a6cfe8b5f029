"""The crew: processes that look at pictures, and may die of one without harm to the rest.

Each is this file run by the same Python, given bytes and answering lines of JSON through pipes:
unlike `multiprocessing` it needs no guard in the script that calls, and no pickle.  A process that
dies of a picture, or takes a minute over it, costs that picture and is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.facts import Facts, facts_of, raw_of
from saccade.data.source import Picture

REQUEST = struct.Struct("<QIIB")  # bytes that follow, and height, width, channels of pixels
READY = b"ready\n"
PATIENCE = 60.0  # seconds for one picture
COMMAND = ("-P", "-m", "saccade.data.doctor.crew")

Answer = tuple[int, Facts] | Exception


def look_at_all(
    pictures: Sequence[tuple[int, Picture]], processes: int | None = None
) -> Iterator[tuple[int, Facts]]:
    """The facts of each picture under its number, in the order in which they are found.

    Few pictures are in memory at a time; leaving the iterator ends the processes.
    """
    count = min(len(pictures), processes or os.cpu_count() or 1)
    waiting = iter(pictures)
    lock, stop = threading.Lock(), threading.Event()
    answers: queue.Queue[Answer] = queue.Queue(maxsize=64)
    workers: list[_Worker] = []

    def serve() -> None:
        with _Worker() as worker:
            workers.append(worker)
            try:
                while not stop.is_set():
                    with lock:
                        number, picture = next(waiting, (-1, None))
                    if picture is None:
                        return
                    answers.put((number, _looked_at(picture, worker)))
            except Exception as error:  # raised again where the facts are asked for
                answers.put(error)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in pictures:
            answer = _next(answers, workers)
            if isinstance(answer, Exception):
                raise answer
            yield answer
    finally:
        stop.set()
        for thread in threads:
            while thread.is_alive():
                with contextlib.suppress(queue.Empty):  # make room for a last answer
                    answers.get(timeout=0.01)


def _next(answers: queue.Queue[Answer], workers: list[_Worker]) -> Answer:
    """The next answer; meanwhile processes that take too long are ended."""
    while True:
        now = time.monotonic()
        for worker in workers:
            if now > worker.deadline and worker.process:
                worker.process.kill()
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=1.0)


def _looked_at(picture: Picture, worker: _Worker) -> Facts:
    raw = raw_of(picture)
    return raw if isinstance(raw, Facts) else worker.facts(raw)


class _Worker:
    """One process; started when first needed and again after a death."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.deadline = float("inf")

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def facts(self, raw: bytes | NDArray[np.uint8]) -> Facts:
        """What the process says of a picture, or what it died of."""
        process = self.process or self._start()
        assert process.stdin and process.stdout
        shape = (0, 0, 0) if isinstance(raw, bytes) else (*raw.shape, 0)[:3]
        body = raw if isinstance(raw, bytes) else np.ascontiguousarray(raw).tobytes()
        self.deadline = time.monotonic() + PATIENCE
        line = b""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(REQUEST.pack(len(body), *shape) + body)
            process.stdin.flush()
            line = process.stdout.readline()
        self.deadline = float("inf")
        if not line.endswith(b"\n"):
            code = self.end()
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return Facts(len(body), "", reason=f"the process that read it died ({how})")
        answer = json.loads(line)
        if isinstance(answer, str):
            raise RuntimeError(f"a bug in the doctor:\n{answer}")
        return Facts(*answer)

    def end(self) -> int:
        """Close the pipes and wait: a worker leaves when nothing more comes; its exit code."""
        process, self.process = self.process, None
        if process is None or process.stdin is None or process.stdout is None:
            return 0
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # dead already
            process.stdin.close()
        return process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        package = str(Path(__file__).parents[3])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, *COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        assert self.process.stdout
        if self.process.stdout.readline() != READY:
            raise RuntimeError("a process that looks at pictures does not start")
        return self.process


def work() -> None:
    """What a process of the crew does: pictures in, facts out, until the pipe is closed."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sink.write(READY)
    sink.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):  # libtiff prints about every damaged file
        os.dup2(nowhere, stream.fileno())
    with contextlib.suppress(KeyboardInterrupt):
        while (raw := _received(source)) is not None:
            try:
                answer: Facts | str = facts_of(raw)
            except Exception:  # no picture's fault
                answer = traceback.format_exc()
            sink.write(json.dumps(answer).encode() + b"\n")
            sink.flush()


def _received(source: BinaryIO) -> bytes | NDArray[np.uint8] | None:
    head = source.read(REQUEST.size)
    if len(head) < REQUEST.size:
        return None
    length, height, width, channels = REQUEST.unpack(head)
    body = source.read(length)
    if not height:
        return body
    shape = (height, width, channels) if channels else (height, width)
    return np.frombuffer(body, np.uint8).reshape(shape)


if __name__ == "__main__":
    work()
