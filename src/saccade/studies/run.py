"""carry_out: train a study, or go on with it, and put its trainings side by side."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from saccade.auto.look import summarize
from saccade.auto.resolve import resolve
from saccade.command import Command
from saccade.data.sources import absolute_location, open_source
from saccade.errors import RecipeError, ResourceError, SaccadeError, Stopped, UsageError
from saccade.files import atomic_write
from saccade.progress import say
from saccade.studies.cell import progress_of, read_study_run, run_folder
from saccade.studies.load import find_study, load_study
from saccade.studies.number import StudyMetric
from saccade.studies.page import study_page, svg
from saccade.studies.result import StudyResult
from saccade.studies.study import TEXT_KEYS, Study, Trial
from saccade.studies.workers import TrainingJob, train_all

TIMEOUT = 10.0  # seconds for the processes of a killed study to leave


@dataclass(frozen=True)
class StudyOptions:
    """A study as it was asked for."""

    name: str | Path
    data: str | Path | None
    settings: Mapping[str, Any]
    seeds: int | None
    out: Path | None
    jobs: int | None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"--jobs cannot be {self.jobs}", "it takes 1 or more")

    @property
    def command(self) -> str:
        asked = Command.of(
            "study", self.name, self.data, seeds=self.seeds, with_=self.settings, out=self.out
        )
        return str(asked)


def run_study(wanted: StudyOptions) -> StudyResult:
    """Train what has not been trained yet, then write the study's table, drawing and page."""
    study = _asked_for(wanted)
    folder = wanted.out or Path("runs") / f"study-{study.name}"
    _refuse_misfits(study)
    with _alone(_opened(folder, study)) as lock:
        study.recipe.save(folder / "base.toml")
        atomic_write(folder / "study.toml", study.to_toml())
        try:
            _train(folder, study, wanted.jobs, lock)
        except Stopped as stopped:
            hint = f"go on with: {wanted.command}"
            raise Stopped(stopped.what, hint, signal=stopped.exit_code - 128) from stopped
        cells = [
            read_study_run(folder, trial, seed, study.metric)
            for seed in range(study.seeds)
            for trial in study.trials
        ]
        result = StudyResult(study, folder, tuple(cells))
        atomic_write(folder / "study.csv", result.to_csv() + "\n")
        atomic_write(folder / "study.svg", svg(result))
        atomic_write(folder / "study.html", study_page(result, wanted.command))
    return result


def _asked_for(wanted: StudyOptions) -> Study:
    """The study with the data, the seeds and the settings of whoever asks."""
    study = find_study(wanted.name)
    data = absolute_location(study.data if wanted.data is None else wanted.data)
    seeds = study.seeds if wanted.seeds is None else wanted.seeds
    return replace(study, data=str(data), seeds=seeds).with_(wanted.settings)


def _refuse_misfits(study: Study) -> None:
    """Raise where a variant cannot be trained on the images, before any is."""
    source = open_source(study.data, notify=say)
    seen = summarize(source.read(source.splits[0]))
    watched = seen.task.plain(()).metric().score.name
    if study.metric.kind.column not in ("loss", f"val_{watched}"):
        raise RecipeError(
            f"{study.metric} is not measured of {seen.task.kind}, which is watched by {watched}",
            'write metric = "final_loss" in a study of your own',
        )
    base = study.recipe.settings()
    for trial in study.trials:
        try:
            resolve("small", {**base, **trial.settings}, seen)
        except SaccadeError as error:
            raise type(error)(f"the variant '{trial.name}': {error.what}", error.hint) from error


def _opened(folder: Path, study: Study) -> Path:
    """The folder, made or found with the same study in it."""
    if not folder.exists():
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise ResourceError(f"cannot make the folder '{folder}': {error.strerror}") from error
        return folder
    if not any(folder.iterdir()):
        return folder
    if not (folder / "study.toml").is_file():
        raise UsageError(f"the folder '{folder}' holds no study", "take another --out")
    there = load_study(folder / "study.toml")
    for had, asked in zip(_trained_lines(there), _trained_lines(study)):
        if had != asked:
            raise UsageError(
                f"'{folder}' holds another study: there '{had}', asked for '{asked}'",
                "take another --out, or remove it",
            )
    return folder


def _trained_lines(study: Study) -> list[str]:
    """What makes the trainings what they are: not the words, seeds, order and what is compared."""
    bare = dict.fromkeys(TEXT_KEYS, "") | {"seeds": 1, "metric": StudyMetric("test_accuracy")}
    variants = sorted((replace(v, baseline="") for v in study.variants), key=lambda v: v.name)
    alone = replace(study, **bare, variants=tuple(variants))
    return [*alone.to_toml().splitlines(), "its end"]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """A descriptor that locks the folder against other processes for as long as it is open."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        last = time.monotonic() + TIMEOUT
        while not _locked(handle):
            if time.monotonic() > last:
                raise UsageError(
                    f"another process works on the study '{folder}'", "wait for it, or end it"
                )
            time.sleep(0.2)
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
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


def _train(folder: Path, study: Study, jobs: int | None, lock: int) -> None:
    """Every training that has not come to its end, seed by seed."""
    cells = [(trial, seed) for seed in range(study.seeds) for trial in study.trials]
    open_ones = {
        str(place): (trial, seed)
        for trial, seed in cells
        if progress_of(place := run_folder(folder, trial, seed)) not in ("finished", "diverged")
    }
    done = len(cells) - len(open_ones)
    if done:
        say(f"{done} of {len(cells)} trainings are there already")

    def trained(order: TrainingJob) -> None:
        nonlocal done
        done += 1
        trial, seed = open_ones[order.folder]
        cell = read_study_run(folder, trial, seed, study.metric)
        came = cell.message if cell.value is None else study.metric.written(cell.value)
        say(f"{done} of {len(cells)}  {trial.name}, seed {seed}: {came} in {cell.seconds:.0f} s")

    orders = [_order(folder, study, trial, seed) for trial, seed in open_ones.values()]
    train_all(orders, jobs or _cores(study), lock, trained)


def _order(folder: Path, study: Study, trial: Trial, seed: int) -> TrainingJob:
    place = run_folder(folder, trial, seed)
    settings = {**trial.settings, "train.seed": seed}
    return TrainingJob(str(place), study.data, str(folder / "base.toml"), settings)


def _cores(study: Study) -> int:
    """How many trainings go at once where nobody says: one a core; one on a GPU."""
    import torch

    device = study.recipe.train.device
    if device.startswith("cuda") or (device == "auto" and torch.cuda.is_available()):
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
