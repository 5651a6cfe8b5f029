"""Cells of a study, trained one after the other or several at once, each as an ordinary run.

Several at once are processes of this file, told what to train by lines of JSON through a pipe.  One
that finds its pipe closed, because the study was stopped or killed, saves a checkpoint and leaves.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import saccade.errors
from saccade.command import Command
from saccade.engine.stopping import stop_requests
from saccade.errors import DivergedError, ResourceError, SaccadeError, Stopped
from saccade.runs.run import Run
from saccade.studies.cell import progress_of
from saccade.training.train import resume_training, start_training
from saccade.training.view import CompositeView

COMMAND = ("-P", "-m", "saccade.studies.workers")
NO_VIEW = CompositeView()  # the view of a training that nobody watches
Trained = Callable[["TrainingJob"], None]


@dataclass(frozen=True)
class TrainingJob:
    """What to train, and where."""

    folder: str
    data: str | None
    recipe: str  # file
    settings: dict[str, Any]


def train_one(order: TrainingJob) -> None:
    """Train from wherever the folder has come to; a divergence is a result, which its log tells."""
    folder = Path(order.folder)
    progress = progress_of(folder)
    if progress == "new" and folder.exists():
        shutil.rmtree(folder)  # killed before its first line: nothing has been trained
    with contextlib.suppress(DivergedError):
        if progress == "new":
            command = Command.of("train", order.data, recipe=order.recipe, with_=order.settings)
            start_training(order.data, order.recipe, order.settings, folder, str(command), NO_VIEW)
        elif progress == "begun":
            resume_training(Run.open(folder), NO_VIEW)


def train_all(orders: Sequence[TrainingJob], jobs: int, lock: int, trained: Trained) -> None:
    """Train every one; `trained` hears of each.  The processes hold the descriptor `lock` too."""
    if jobs == 1:
        _train_in_turn(orders, trained)
        return
    with stop_requests() as request, _crew(orders, jobs, lock) as answers:
        for _ in orders:
            while (answer := _next(answers)) is None:
                if request.signum:
                    raise Stopped("stopped; checkpoints are saved", signal=request.signum)
            if isinstance(answer, Exception):
                raise answer
            trained(answer)


def _train_in_turn(orders: Sequence[TrainingJob], trained: Trained) -> None:
    """In this process; a signal that a training is too far gone to heed ends the study after it."""
    with stop_requests() as request:
        for place, order in enumerate(orders, 1):
            train_one(order)
            trained(order)
            if request.signum and place < len(orders):
                raise Stopped("stopped between two trainings", signal=request.signum)


Answer = TrainingJob | Exception


def _next(answers: queue.Queue[Answer]) -> Answer | None:
    try:
        return answers.get(timeout=0.1)
    except queue.Empty:
        return None


@contextlib.contextmanager
def _crew(orders: Sequence[TrainingJob], count: int, lock: int) -> Iterator[queue.Queue[Answer]]:
    """Processes at work on the orders; leaving the block ends them, checkpoints saved."""
    waiting: queue.Queue[TrainingJob] = queue.Queue()
    answers: queue.Queue[Answer] = queue.Queue()
    for order in orders:
        waiting.put(order)
    workers = [_start(lock) for _ in range(min(count, len(orders)))]

    def serve(worker: subprocess.Popen[str]) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                order = waiting.get_nowait()
                answers.put(_asked(worker, order))

    threads = [threading.Thread(target=serve, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.get_nowait()
        for worker in workers:
            assert worker.stdin
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.close()
        for worker, thread in zip(workers, threads):
            thread.join()
            worker.wait()
            assert worker.stdout
            worker.stdout.close()


def _start(lock: int) -> subprocess.Popen[str]:
    """A process of its own session, so that a Ctrl-C reaches it through the pipe alone."""
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, *COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
        pass_fds=(lock,) if os.name == "posix" else (),
    )


def _asked(worker: subprocess.Popen[str], order: TrainingJob) -> Answer:
    """What the process says when the order is done: the order, or why it is not."""
    assert worker.stdin and worker.stdout
    line = ""
    with contextlib.suppress(BrokenPipeError, ValueError):  # closed at either end
        worker.stdin.write(json.dumps(asdict(order)) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    if not line:
        return ResourceError(
            f"the process that trained '{order.folder}' ended (exit code {worker.wait()})",
            "the same command goes on; with --jobs 1 it needs less memory",
        )
    answer = json.loads(line)
    if "error" not in answer:
        return order
    kind = getattr(saccade.errors, answer["error"])
    return kind(answer["what"], answer["hint"])


def run_jobs() -> None:
    """What a process does: orders in, answers out, until the pipe is closed."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    inbox: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            inbox.put(line)
        inbox.put("")
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()
    while line := inbox.get():
        order = TrainingJob(**json.loads(line))
        try:
            train_one(order)
            answer = {}
        except Stopped:
            return
        except SaccadeError as error:
            answer = {"error": type(error).__name__, "what": error.what, "hint": error.hint}
        with contextlib.suppress(BrokenPipeError):
            sink.write(json.dumps(answer) + "\n")
            sink.flush()


if __name__ == "__main__":
    run_jobs()
