"""Training the runs of a study, one after the other or in parallel worker processes.

A worker is a process of this file, which gets its jobs as lines of JSON through a pipe.  One that
finds its pipe closed, because the study was stopped or killed, saves a checkpoint and exits.
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
from saccade.progress import quiet, quieter, say
from saccade.runs.run import Run
from saccade.studies.study_run import progress_of
from saccade.training.epochs import EpochLines
from saccade.training.train import resume_training, start_training

COMMAND = ("-P", "-m", "saccade.studies.workers")
QUIET = "--quiet"  # after it: nothing is said of the epochs
Trained = Callable[["TrainingJob"], None]


@dataclass(frozen=True)
class TrainingJob:
    """A training: data, recipe and settings, and its run folder."""

    folder: str
    data: str | None
    recipe: str | None  # file, or name
    settings: dict[str, Any]


def train_one(job: TrainingJob) -> None:
    """Start or resume the training of a job; a divergence is a result, written in its log."""
    folder = Path(job.folder)
    progress = progress_of(folder)
    if progress == "new" and folder.exists():
        shutil.rmtree(folder)  # killed before its first line: nothing has been trained
    view = EpochLines(f"{folder.parent.name}/{folder.name}: ")
    with contextlib.suppress(DivergedError), contextlib.closing(view):
        if progress == "new":
            command = Command.of("train", job.data, recipe=job.recipe, with_=job.settings)
            start_training(job.data, job.recipe, job.settings, folder, str(command), view)
        elif progress == "begun":
            resume_training(Run.open(folder), view)


def train_all(
    jobs: Sequence[TrainingJob], num_workers: int, lock: int, on_trained: Trained, again: str
) -> None:
    """Train all jobs, calling `on_trained` after each.  Workers inherit the descriptor `lock`.

    Raises `Stopped` after a signal; `again` is the line that goes on with all of them.
    """
    try:
        if num_workers == 1:
            _train_in_turn(jobs, on_trained)
        else:
            _train_in_workers(jobs, num_workers, lock, on_trained)
    except Stopped as stopped:
        hint = f"go on with: {again}"
        raise Stopped(stopped.what, hint, signal=stopped.exit_code - 128) from stopped


def _train_in_workers(
    jobs: Sequence[TrainingJob], num_workers: int, lock: int, on_trained: Trained
) -> None:
    with stop_requests() as request, _worker_pool(jobs, num_workers, lock) as results:
        for _ in jobs:
            while (result := _next_result(results)) is None:
                if request.signum:
                    raise Stopped("stopped; checkpoints are saved", signal=request.signum)
            if isinstance(result, Exception):
                raise result
            on_trained(result)


def tell(job: TrainingJob) -> None:
    """Say what a training came to."""
    if progress_of(Path(job.folder)) == "diverged":
        say(f"{job.folder}: diverged")
    else:
        primary = Run(Path(job.folder)).test.primary
        say(f"{job.folder}: {primary.name} {primary}")


def _train_in_turn(jobs: Sequence[TrainingJob], on_trained: Trained) -> None:
    """Train in this process; a signal too late for one training stops the study after it."""
    with stop_requests() as request:
        for count, job in enumerate(jobs, 1):
            train_one(job)
            on_trained(job)
            if request.signum and count < len(jobs):
                raise Stopped("stopped between two trainings", signal=request.signum)


Outcome = TrainingJob | Exception


def _next_result(results: queue.Queue[Outcome]) -> Outcome | None:
    try:
        return results.get(timeout=0.1)
    except queue.Empty:
        return None


@contextlib.contextmanager
def _worker_pool(
    jobs: Sequence[TrainingJob], count: int, lock: int
) -> Iterator[queue.Queue[Outcome]]:
    """The results of worker processes; leaving the block ends these, with checkpoints saved."""
    pending: queue.Queue[TrainingJob] = queue.Queue()
    results: queue.Queue[Outcome] = queue.Queue()
    for job in jobs:
        pending.put(job)
    workers = [_start_worker(lock) for _ in range(min(count, len(jobs)))]

    def serve(worker: subprocess.Popen[str]) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                job = pending.get_nowait()
                results.put(_send(worker, job))

    threads = [threading.Thread(target=serve, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield results
    finally:
        with contextlib.suppress(queue.Empty):
            while True:
                pending.get_nowait()
        for worker in workers:
            assert worker.stdin
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.close()
        for worker, thread in zip(workers, threads):
            thread.join()
            worker.wait()
            assert worker.stdout
            worker.stdout.close()


def _start_worker(lock: int) -> subprocess.Popen[str]:
    """Start a worker in its own session, so that a Ctrl-C reaches it through the pipe alone."""
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, *COMMAND, *([QUIET] if quiet() else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
        pass_fds=(lock,) if os.name == "posix" else (),
    )


def _send(worker: subprocess.Popen[str], job: TrainingJob) -> Outcome:
    """Send a job to a worker and wait for its outcome: the job, or the error that ended it."""
    assert worker.stdin and worker.stdout
    line = ""
    with contextlib.suppress(BrokenPipeError, ValueError):  # closed at either end
        worker.stdin.write(json.dumps(asdict(job)) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    if not line:
        return ResourceError(
            f"the process that trained '{job.folder}' ended (exit code {worker.wait()})",
            "the same command goes on; with --jobs 1 it needs less memory",
        )
    result = json.loads(line)
    if "error" not in result:
        return job
    kind = getattr(saccade.errors, result["error"])
    return kind(result["what"], result["hint"])


def run_jobs() -> None:
    """The loop of a worker: jobs in, results out, until the pipe is closed."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    inbox: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            inbox.put(line)
        inbox.put("")
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()
    while line := inbox.get():
        job = TrainingJob(**json.loads(line))
        try:
            train_one(job)
            result = {}
        except Stopped:
            return
        except SaccadeError as error:
            result = {"error": type(error).__name__, "what": error.what, "hint": error.hint}
        with contextlib.suppress(BrokenPipeError):
            sink.write(json.dumps(result) + "\n")
            sink.flush()


if __name__ == "__main__":
    with quieter(QUIET in sys.argv):
        run_jobs()
