"""A run of a study: one trial trained from one seed, read from its run folder."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from pathlib import Path

from saccade.runs.run import Run
from saccade.studies.metric import StudyMetric
from saccade.studies.study import Trial


@dataclass(frozen=True)
class StudyRun:
    """The run of a trial from one seed, finished or diverged."""

    trial: Trial
    seed: int
    run: Path
    value: float | None  # of the metric; None where there is none, for the reason in `message`
    validation_value: float | None  # by which tuned settings are chosen
    message: str
    curve: tuple[float, ...]  # a value for each epoch
    seconds: float  # of training, without evaluation


def run_folder(study: Path, trial: Trial, seed: int) -> Path:
    """The run folder of a trial and seed in the study's folder."""
    return study / trial.folder / f"seed-{seed}"


def progress_of(folder: Path) -> str:
    """The progress of the training in `folder`: new, begun, finished or diverged."""
    if not (folder / "log.jsonl").is_file():
        return "new"
    run = Run(folder)
    for event in ("finished", "diverged"):
        if run.events(event):
            return event
    return "begun" if run.events("started") else "new"


def read_study_run(study: Path, trial: Trial, seed: int, metric: StudyMetric) -> StudyRun:
    """The run of a training that has finished or diverged."""
    run = Run(run_folder(study, trial, seed))
    history = run.history
    curve = tuple(row[metric.kind.column] for row in history)
    seconds = sum(row["seconds"] for row in history)
    if progress_of(run.path) == "diverged":
        message = f"diverged in epoch {run.events('diverged')[-1]['epoch']}"
        return StudyRun(trial, seed, run.path, None, None, message, (*curve, nan), seconds)
    value = metric.of(run)
    message = "" if value is not None else f"not reached in {len(history)} epochs"
    return StudyRun(
        trial, seed, run.path, value, metric.validation_value(run), message, curve, seconds
    )
