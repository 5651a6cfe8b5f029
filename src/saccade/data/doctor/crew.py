"""The crew: processes that look at pictures, and may die of one without harm to the rest.

Each is this file run by the same Python, spoken to through pipes: unlike `multiprocessing` it
needs no guard in the script that calls.  A process that dies costs the picture that it had in hand.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

from saccade.data.doctor.facts import Facts, look
from saccade.data.source import Picture

PART = 32  # pictures sent at once
Part = list[tuple[int, Picture]]
Answer = list[tuple[int, Facts]]


def look_at_all(
    pictures: Sequence[tuple[int, Picture]], processes: int | None = None
) -> Iterator[tuple[int, Facts]]:
    """The facts of each picture under its number, in the order in which they are found.

    At most a few parts are on their way at a time; leaving the iterator ends the processes.
    """
    parts = [list(pictures[at : at + PART]) for at in range(0, len(pictures), PART)]
    count = min(len(parts), processes or os.cpu_count() or 1)
    waiting: queue.SimpleQueue[Part] = queue.SimpleQueue()
    for part in parts:
        waiting.put(part)
    answers: queue.Queue[Answer | Exception] = queue.Queue(maxsize=2 * count + 1)
    stop = threading.Event()
    threads = [
        threading.Thread(target=_serve, args=(waiting, answers, stop), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in parts:
            answer = answers.get()
            if isinstance(answer, Exception):
                raise answer
            yield from answer
    finally:
        stop.set()
        while any(thread.is_alive() for thread in threads):
            while not answers.empty():
                answers.get()
            threads[0].join(0.01)
            threads.append(threads.pop(0))


def _serve(
    waiting: queue.SimpleQueue[Part],
    answers: queue.Queue[Answer | Exception],
    stop: threading.Event,
) -> None:
    """Hand parts to one process until none waits; start another when it has died."""
    worker = _Worker()
    try:
        while not stop.is_set():
            try:
                part = waiting.get_nowait()
            except queue.Empty:
                return
            answer = worker.look(part)
            if answer is None:  # somebody in this part is poisonous: one at a time
                answer = []
                for number, picture in part:
                    alone = worker.look([(number, picture)])
                    answer += alone or [(number, _death(worker.died_of))]
            answers.put(answer)
    except Exception as error:
        answers.put(error)
    finally:
        worker.end()


class _Worker:
    """One process; started when first needed and again after a death."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.died_of = 0

    def look(self, part: Part) -> Answer | None:
        """The facts of a part; None when the process died of it."""
        process = self.process or self._start()
        assert process.stdin and process.stdout
        try:
            pickle.dump(part, process.stdin)
            process.stdin.flush()
            answer: Answer | Exception = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            self.died_of = process.wait()
            self.end()
            return None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        """Close the pipes and wait; a worker leaves when nothing more comes."""
        process, self.process = self.process, None
        if process and process.stdin and process.stdout:
            process.stdout.close()
            with contextlib.suppress(BrokenPipeError):  # dead already
                process.stdin.close()
            process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        paths = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "saccade.data.doctor.crew"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **threads, "PYTHONPATH": paths},
        )
        try:
            assert self.process.stdout
            pickle.load(self.process.stdout)  # it says that it is ready
        except EOFError as error:
            raise RuntimeError("a process that looks at pictures does not start") from error
        return self.process


def _death(code: int) -> Facts:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return Facts(0, "", reason=f"the decoder died of it ({how})")


def _work() -> None:
    """What a process of the crew does: parts in, facts out, until the pipe is closed."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    pickle.dump("ready", sink)
    sink.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):  # libtiff prints about every damaged file
        os.dup2(nowhere, stream.fileno())
    while True:
        try:
            part: Part = pickle.load(source)
        except (EOFError, KeyboardInterrupt):
            return
        try:
            answer: Answer | Exception = [(number, look(picture)) for number, picture in part]
        except Exception as error:  # a bug of ours: raised again where the scan was asked for
            answer = error
        pickle.dump(answer, sink)
        sink.flush()


if __name__ == "__main__":
    _work()
