"""Running a study: training what is not trained yet, and writing its results."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from saccade.auto.resolve import resolve
from saccade.auto.summary import summarize
from saccade.command import Command
from saccade.data.sources import absolute_location, open_source
from saccade.data.sources.data_spec import spec_with_settings
from saccade.errors import RecipeError, SaccadeError, UsageError
from saccade.files import as_utf8, atomic_write, disk_errors
from saccade.progress import say
from saccade.recipes.setting import argument
from saccade.runs.run import Run
from saccade.studies.load import find_study, load_study
from saccade.studies.metric import StudyMetric
from saccade.studies.page import study_page, svg
from saccade.studies.result import StudyResult
from saccade.studies.study import JOBS, SEEDS, TEXT_KEYS, Study, Trial
from saccade.studies.study_run import progress_of, read_study_run, run_folder
from saccade.studies.workers import TrainingJob, train_all

TIMEOUT = 10.0  # seconds for the processes of a killed study to leave


@dataclass(frozen=True)
class StudyOptions:
    """The options of `saccade study`."""

    name: str | Path
    data: str | Path | None
    settings: Mapping[str, Any]
    seeds: int | None
    out: Path | None
    jobs: int | None

    def __post_init__(self) -> None:
        if self.jobs is not None:
            argument("--jobs", self.jobs, int, JOBS)
        if self.seeds is not None:
            argument("--seeds", self.seeds, int, SEEDS)

    @property
    def command(self) -> str:
        """The command line that runs the study again."""
        command = Command.of(
            "study", self.name, self.data, seeds=self.seeds, with_=self.settings, out=self.out
        )
        return str(command)


def run_study(options: StudyOptions) -> StudyResult:
    """Train what has not been trained yet, then write the study's table, figure and page."""
    study = _requested_study(options)
    folder = options.out or Path("runs") / f"study-{study.name}"
    _refuse_misfits(study)
    with lock_folder(_open_folder(folder, study)) as lock:
        with disk_errors(folder):
            study.recipe.save(folder / "base.toml")
            atomic_write(folder / "study.toml", study.to_toml())
        _train(folder, study, options, lock)
        runs = [
            read_study_run(folder, trial, seed, study.metric)
            for seed in range(study.seeds)
            for trial in study.trials
        ]
        result = StudyResult(study, folder, tuple(runs))
        with disk_errors(folder):
            atomic_write(folder / "study.csv", result.to_csv() + "\n")
            atomic_write(folder / "study.svg", svg(result))
            atomic_write(folder / "study.html", study_page(result, options.command))
    return result


def _requested_study(options: StudyOptions) -> Study:
    """The study with the data, seeds and settings of the options."""
    study = find_study(options.name)
    data = absolute_location(study.data if options.data is None else options.data)
    seeds = study.seeds if options.seeds is None else options.seeds
    return replace(study, data=str(data), seeds=seeds).with_(options.settings)


def _refuse_misfits(study: Study) -> None:
    """Raise where a variant cannot be trained on the images, before any is trained."""
    source = open_source(spec_with_settings(study.data, study.recipe.settings()), notify=say)
    summary = summarize(source.read(source.splits[0]))
    primary = summary.task.plain(()).metric().score.name
    if study.metric.kind.column not in ("loss", f"val_{primary}"):
        raise RecipeError(
            f"{study.metric} is not measured of {summary.task.kind}, which is watched by {primary}",
            'write metric = "final_loss" in a study of your own',
        )
    base = study.recipe.settings()
    for trial in study.trials:
        try:
            resolve("small", {**base, **trial.settings}, summary)
        except SaccadeError as error:
            raise type(error)(f"the variant '{trial.name}': {error.what}", error.hint) from error


def _open_folder(folder: Path, study: Study) -> Path:
    """The folder, created, or existing with the same study in it."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            return folder
    if not (folder / "study.toml").is_file():
        raise UsageError(f"the folder '{folder}' holds no study", "take another --out")
    existing = load_study(folder / "study.toml")
    for old, new in zip(_trained_lines(existing), _trained_lines(study)):
        if old != new:
            raise UsageError(
                f"'{folder}' holds another study: there '{old}', asked for '{new}'",
                "take another --out, or remove it",
            )
    return folder


def _trained_lines(study: Study) -> list[str]:
    """The lines on which the trainings depend: no texts, seeds, order of variants or metric."""
    neutral = dict.fromkeys(TEXT_KEYS, "") | {"seeds": 1, "metric": StudyMetric("test_accuracy")}
    variants = sorted((replace(v, baseline="") for v in study.variants), key=lambda v: v.name)
    reduced = replace(study, **neutral, variants=tuple(variants))
    return [*reduced.to_toml().splitlines(), "its end"]


def command_folder(out: Path | None, name: str, command: str) -> Path:
    """A new folder, below runs by `name` where there is no `out`, or one of the same command.

    Raises `UsageError` for a folder that holds anything else.
    """
    folder = out or Run.create(None, name).path
    told = folder / "command.txt"
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if {path.name for path in folder.iterdir()} - {".lock"}:
            if not told.is_file() or told.read_bytes() != as_utf8(command):
                what = f"the folder '{folder}' holds something else than: {command}"
                raise UsageError(what, "take another --out, or remove it")
            return folder
        atomic_write(told, command)
    return folder


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[int]:
    """A descriptor that locks the folder against other processes for as long as it is open."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + TIMEOUT
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise UsageError(
                    f"another process works on the study '{folder}'", "wait for it, or end it"
                )
            time.sleep(0.2)
        yield handle
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _train(folder: Path, study: Study, options: StudyOptions, lock: int) -> None:
    """Train every run that has not finished or diverged, seed by seed."""
    runs = [(trial, seed) for seed in range(study.seeds) for trial in study.trials]
    pending = {
        str(path): (trial, seed)
        for trial, seed in runs
        if progress_of(path := run_folder(folder, trial, seed)) not in ("finished", "diverged")
    }
    done = len(runs) - len(pending)
    if done:
        say(f"{done} of {len(runs)} trainings are there already")

    def report(job: TrainingJob) -> None:
        nonlocal done
        done += 1
        trial, seed = pending[job.folder]
        run = read_study_run(folder, trial, seed, study.metric)
        outcome = run.message if run.value is None else study.metric.formatted(run.value)
        say(f"{done} of {len(runs)}  {trial.name}, seed {seed}: {outcome} in {run.seconds:.0f} s")

    todo = [_job(folder, study, trial, seed) for trial, seed in pending.values()]
    train_all(todo, options.jobs or _default_workers(study), lock, report, options.command)


def _job(folder: Path, study: Study, trial: Trial, seed: int) -> TrainingJob:
    path = run_folder(folder, trial, seed)
    settings = {**trial.settings, "train.seed": seed}
    return TrainingJob(str(path), study.data, str(folder / "base.toml"), settings)


def _default_workers(study: Study) -> int:
    """How many trainings run at once by default: one for each core; one on a GPU."""
    import torch

    device = study.recipe.train.device
    if device.startswith("cuda") or (device == "auto" and torch.cuda.is_available()):
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
