"""Workers: image files decoded beside this process, so that a poisonous one costs only itself.

A worker that dies, or takes too long and is ended, is replaced.  A worker holds no torch and starts
in a tenth of a second; the resize, which meets nothing but pixels, happens here.
"""

from __future__ import annotations

import os
import queue
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from saccade.data.decode import Preprocessing, pixels_given, resized_each
from saccade.data.formats import MAX_PIXELS, Opening
from saccade.data.opener import ANSWER, REQUEST
from saccade.data.source import Picture
from saccade.errors import DataError, ResourceError, SaccadeError

PATIENCE = 60.0  # seconds for one file, or for several small ones
TOGETHER = 2**18  # bytes of files that go to a worker together, which saves the way there


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Up to `count` processes that open image files; to be called from any number of threads."""

    def __init__(self, count: int | None = None, *, patience: float = PATIENCE):
        self.count = count or cores()
        self.patience = patience
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(self.count):
            self._idle.put(None)  # started when first needed
        self._live: set[_Worker] = set()
        self._closed = threading.Event()
        threading.Thread(target=_watch, args=(self._live, self._closed), daemon=True).start()
        self.close = weakref.finalize(self, _close, self._live, self._closed)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(
        self, some: Sequence[Picture], preprocessing: Preprocessing
    ) -> list[Tensor | DataError]:
        """Pictures of a source, read and decoded: uint8 [C,size,size] each, or why not."""
        return self.decode([_read(picture) for picture in some], preprocessing)

    def decode(
        self, some: Sequence[bytes | NDArray[np.uint8] | DataError], preprocessing: Preprocessing
    ) -> list[Tensor | DataError]:
        """What `decode.decode` gives, to the byte, from bytes that are not trusted."""
        files = self.opened([raw for raw in some if isinstance(raw, bytes)], preprocessing.opening)
        opened = iter(files)
        pixels = (next(opened) if isinstance(raw, bytes) else _given(raw) for raw in some)
        return resized_each(pixels, preprocessing)

    def opened(
        self, files: Sequence[bytes], opening: Opening
    ) -> list[NDArray[np.uint8] | DataError]:
        """What `formats.opened` gives; a file is refused when two workers have died of it alone."""
        if len(files) > 1 and sum(map(len, files)) <= TOGETHER:
            with suppress(_Died):
                return self._once(files, opening)
        return [self._alone(raw, opening) for raw in files]

    def _alone(self, raw: bytes, opening: Opening) -> NDArray[np.uint8] | DataError:
        try:
            return self._once([raw], opening)[0]
        except _TookTooLong as died:
            return DataError(str(died))
        except _Died:
            pass
        try:
            return self._once([raw], opening)[0]
        except _Died as died:
            return DataError(str(died))

    def _once(
        self, files: Sequence[bytes], opening: Opening
    ) -> list[NDArray[np.uint8] | DataError]:
        worker = self._idle.get()
        try:
            if self._closed.is_set():
                raise RuntimeError("these workers are closed")
            if worker is None:
                worker = _Worker()
                self._live.add(worker)
            return worker.opened(files, opening, self.patience)
        finally:
            if worker is not None and worker.process.returncode is not None:
                self._live.discard(worker)
                worker = None
            self._idle.put(worker)


class _Died(Exception):
    """A worker is no more; says how it ended."""


class _TookTooLong(_Died):
    """A worker was ended, its time being over."""


class _Worker:
    """One process; used by one thread at a time."""

    def __init__(self) -> None:
        package = str(Path(__file__).parents[2])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "saccade.data.opener"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # C libraries print what they think of a file
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self.deadline = float("inf")
        self.answered = False

    def opened(
        self, files: Sequence[bytes], opening: Opening, patience: float
    ) -> list[NDArray[np.uint8] | DataError]:
        assert self.process.stdin is not None
        self.deadline = time.monotonic() + patience
        try:
            wanted = REQUEST.pack(len(files), opening.grey, opening.least, opening.longer)
            lengths = struct.pack(f"<{len(files)}Q", *map(len, files))
            for part in (wanted, lengths, *files):
                self.process.stdin.write(part)
            self.process.stdin.flush()
            answers = [self._answer() for _ in files]
        except (OSError, EOFError) as error:
            raise self._died(patience) from error
        finally:
            self.deadline = float("inf")
        self.answered = True
        return answers

    def _answer(self) -> NDArray[np.uint8] | DataError:
        *shape, length = ANSWER.unpack(self._received(ANSWER.size))
        body = self._received(length)
        if shape == [0, 0, 0]:
            return DataError(body.decode())
        return np.frombuffer(body, np.uint8).reshape(shape)

    def _received(self, length: int) -> bytearray:
        if length > 3 * MAX_PIXELS:
            raise EOFError  # a process that has lost its mind
        received = bytearray(length)
        view, got = memoryview(received), 0
        while got < length:
            count = cast(BufferedReader, self.process.stdout).readinto(view[got:])
            if count == 0:
                raise EOFError
            got += count
        return received

    def _died(self, patience: float) -> Exception:
        code = self.end()
        if self.deadline < time.monotonic():
            return _TookTooLong(f"could not be opened within {patience:g} seconds")
        if code == 1 and not self.answered:
            return ResourceError(
                "the process that opens image files does not start",
                f"see what '{sys.executable} -m saccade.data.opener' says",
            )
        end = f"died (signal {-code})" if code < 0 else f"ended itself (exit code {code})"
        return _Died(f"the process that opened it {end}")

    def end(self) -> int:
        """End the process; its exit code."""
        self.process.kill()
        code = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was still to be sent
                    stream.close()
        return code


def _read(picture: Picture) -> bytes | NDArray[np.uint8] | DataError:
    try:
        return picture.read()
    except DataError as error:
        return error
    except SaccadeError:
        raise
    except Exception as error:  # whatever a disk, an archive or a source of somebody's raises
        return DataError(f"cannot be read: {str(error) or type(error).__name__}")


def _given(raw: NDArray[np.uint8] | DataError) -> NDArray[np.uint8] | DataError:
    try:
        return raw if isinstance(raw, DataError) else pixels_given(raw)
    except DataError as error:
        return error


def _watch(live: set[_Worker], closed: threading.Event) -> None:
    """End every worker whose time is over, until closed."""
    while not closed.wait(0.1):
        now = time.monotonic()
        for worker in tuple(live):
            if worker.deadline < now:
                worker.process.kill()


def _close(live: set[_Worker], closed: threading.Event) -> None:
    closed.set()
    while live:
        live.pop().end()
