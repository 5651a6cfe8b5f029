"""Sandbox: child processes for work that may kill a process.  Needs no torch.

Requests and responses are bytes; what they mean is up to the module that each process runs, which
calls `serve`.  A process that dies, or takes too long and is ended, is replaced; it starts in a
tenth of a second.  Unlike `multiprocessing` this needs no guard in the script that calls, and no
pickle.
"""

from __future__ import annotations

import os
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import cast

from saccade.device import cpu_count
from saccade.errors import DataError, ResourceError

COUNT = struct.Struct("<Q")  # requests that follow: their lengths first, then all of them
RESPONSE = struct.Struct("<?Q")  # whether all went well, and the bytes that follow
LONGEST = 2**30  # bytes of a response: the pixels of the largest image, four bytes each
BATCH_BYTES = 2**18  # bytes of requests that are sent together, which saves round trips
TIMEOUT = 60.0  # seconds for one request, or for several small ones
MEMORY_LIMIT = 8 * 2**30  # bytes that a process may address
Bytes = bytes | memoryview | bytearray
Message = Sequence[Bytes]  # parts, sent one after the other


class Sandbox:
    """Up to `count` processes that run `module`; to be called from any number of threads."""

    def __init__(self, module: str, count: int | None = None, *, timeout: float | None = None):
        self.module = module
        self.count = count or cpu_count()
        self.timeout = TIMEOUT if timeout is None else timeout
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(self.count):
            self._idle.put(None)  # started when first needed
        self._running: set[_Process] = set()
        self._closed = threading.Event()
        threading.Thread(target=_watch, args=(self._running, self._closed), daemon=True).start()
        self.close = weakref.finalize(self, _close, self._running, self._closed)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, requests: Sequence[Message]) -> list[bytearray | DataError]:
        """The response to each; one is refused when two processes have died of it alone."""
        return [response for batch in _batches(requests) for response in self._submit_batch(batch)]

    def _submit_batch(self, requests: Sequence[Message]) -> list[bytearray | DataError]:
        if len(requests) > 1:
            with suppress(_ProcessDied):
                return [*self._try(requests)]
        return [self._submit_one(request) for request in requests]

    def _submit_one(self, request: Message) -> bytearray | DataError:
        try:
            return self._try([request])[0]
        except _TimedOut as error:
            return DataError(str(error))
        except _ProcessDied:
            pass
        try:
            return self._try([request])[0]
        except _ProcessDied as error:
            return DataError(str(error))

    def _try(self, requests: Sequence[Message]) -> list[bytearray]:
        process = self._idle.get()
        try:
            if self._closed.is_set():
                raise RuntimeError("this sandbox is closed")
            if process is None:
                process = _Process(self.module)
                self._running.add(process)
            return process.ask(requests, self.timeout)
        finally:
            if process is not None and process.handle.returncode is not None:
                self._running.discard(process)
                process = None
            self._idle.put(process)


class _ProcessDied(Exception):
    """A process has ended; says how."""


class _TimedOut(_ProcessDied):
    """A process was ended after its timeout."""


class _Process:
    """One process; used by one thread at a time."""

    def __init__(self, module: str) -> None:
        package = str(Path(__file__).parents[2])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.module = module
        self.handle = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # C libraries print what they think of a file
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self.deadline = float("inf")
        self.answered = False

    def ask(self, requests: Sequence[Message], timeout: float) -> list[bytearray]:
        self.deadline = time.monotonic() + timeout
        try:
            self._send(requests)
            responses = [self._receive_response() for _ in requests]
        except (OSError, EOFError) as error:
            raise self._death(timeout) from error
        except BaseException:  # responses left in the pipe would be taken for those of the next
            self.end()
            raise
        finally:
            self.deadline = float("inf")
        self.answered = True
        return responses

    def _send(self, requests: Sequence[Message]) -> None:
        assert self.handle.stdin is not None
        lengths = struct.pack(f"<{len(requests)}Q", *map(_length, requests))
        for part in (COUNT.pack(len(requests)), lengths, *(p for r in requests for p in r)):
            self.handle.stdin.write(part)
        self.handle.stdin.flush()

    def _receive_response(self) -> bytearray:
        ok, length = RESPONSE.unpack(self._receive(RESPONSE.size))
        body = self._receive(length)
        if not ok:
            raise RuntimeError(f"a bug in {self.module}:\n{body.decode()}")
        return body

    def _receive(self, length: int) -> bytearray:
        if length > LONGEST:
            raise EOFError  # no length that a sound process sends
        received = bytearray(length)
        view, done = memoryview(received), 0
        while done < length:
            count = cast(BufferedReader, self.handle.stdout).readinto(view[done:])
            if count == 0:
                raise EOFError
            done += count
        return received

    def _death(self, timeout: float) -> Exception:
        code = self.end()
        if self.deadline < time.monotonic():
            return _TimedOut(f"could not be opened within {timeout:g} seconds")
        if code == 1 and not self.answered:
            return ResourceError(
                "the process that opens image files does not start",
                f"see what '{sys.executable} -m {self.module}' says",
            )
        end = f"died (signal {-code})" if code < 0 else f"ended itself (exit code {code})"
        return _ProcessDied(f"the process that opened it {end}")

    def end(self) -> int:
        """End the process; its exit code."""
        self.handle.kill()
        code = self.handle.wait()
        for stream in (self.handle.stdin, self.handle.stdout):
            if stream is not None:
                with suppress(OSError):  # what was still to be sent
                    stream.close()
        return code


def _batches(requests: Sequence[Message]) -> Iterator[list[Message]]:
    """The requests in order, in batches of up to BATCH_BYTES; a longer request is one alone."""
    batch: list[Message] = []
    room = BATCH_BYTES
    for request in requests:
        if batch and _length(request) > room:
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(request)
        room -= _length(request)
    if batch:
        yield batch


def _length(message: Message) -> int:
    return sum(memoryview(part).nbytes for part in message)


def _watch(running: set[_Process], closed: threading.Event) -> None:
    """End every process past its deadline, until closed."""
    while not closed.wait(0.1):
        now = time.monotonic()
        for process in tuple(running):
            if process.deadline < now:
                process.handle.kill()


def _close(running: set[_Process], closed: threading.Event) -> None:
    closed.set()
    while running:
        running.pop().end()


# ---- the child process
def serve(handle: Callable[[bytes], Message]) -> None:
    """The main loop of a sandbox's process: answer requests until there are no more."""
    requests, responses = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not land among the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this decides when it ends
    warnings.simplefilter("ignore")
    _limit_memory()
    while header := requests.read(COUNT.size):
        (count,) = COUNT.unpack(header)
        lengths = struct.unpack(f"<{count}Q", requests.read(COUNT.size * count))
        for request in [requests.read(length) for length in lengths]:  # all, before one is answered
            try:
                ok, message = True, handle(request)
            except Exception:  # no request's fault
                ok, message = False, [traceback.format_exc().encode()]
            for part in (RESPONSE.pack(ok, _length(message)), *message):
                responses.write(part)
        responses.flush()


def _limit_memory() -> None:
    """Where the system can: a limit of its own, and the first to be killed when memory runs out."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
