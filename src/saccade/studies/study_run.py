"""Cell: one training of a study, as its run folder tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from pathlib import Path

from saccade.runs.run import Run
from saccade.studies.metric import StudyMetric
from saccade.studies.study import Trial


@dataclass(frozen=True)
class StudyRun:
    """A trial from one seed, finished or diverged."""

    trial: Trial
    seed: int
    run: Path
    value: float | None  # None where there is none, for the reason that `words` gives
    validation_value: float | None  # what tuned settings are chosen by
    message: str
    curve: tuple[float, ...]  # an epoch each
    seconds: float  # of training, measuring in between left out


def run_folder(study: Path, trial: Trial, seed: int) -> Path:
    return study / trial.folder / f"seed-{seed}"


def progress_of(folder: Path) -> str:
    """How far the training in `folder` is: new, begun, finished or diverged."""
    if not (folder / "log.jsonl").is_file():
        return "new"
    run = Run(folder)
    for event in ("finished", "diverged"):
        if run.events(event):
            return event
    return "begun" if run.events("started") else "new"


def read_study_run(study: Path, trial: Trial, seed: int, number: StudyMetric) -> StudyRun:
    """What the training that has come to its end says."""
    run = Run(run_folder(study, trial, seed))
    history = run.history
    curve = tuple(row[number.kind.column] for row in history)
    seconds = sum(row["seconds"] for row in history)
    if progress_of(run.path) == "diverged":
        words = f"diverged in epoch {run.events('diverged')[-1]['epoch']}"
        return StudyRun(trial, seed, run.path, None, None, words, (*curve, nan), seconds)
    value = number.of(run)
    words = "" if value is not None else f"not reached in {len(history)} epochs"
    return StudyRun(
        trial, seed, run.path, value, number.validation_value(run), words, curve, seconds
    )
