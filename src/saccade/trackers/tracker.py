"""Experiment trackers (TensorBoard, MLflow, Weights & Biases), and what each has logged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from saccade.errors import UsageError, unknown
from saccade.trackers.mlflow import MLflow
from saccade.trackers.tensorboard import TensorBoard
from saccade.trackers.wandb import WeightsAndBiases


class Tracker(Protocol):
    """An experiment tracker; imports its library only in `start`."""

    name: str  # of its extra and of its package

    def check(self) -> None:
        """Raise `UsageError` where it cannot start here, such as without an account."""
        ...

    def start(self, folder: Path, settings: Mapping[str, Any], run_id: str) -> str:
        """Start the tracker's run for `folder`, or resume `run_id`, if not ""; returns its id."""
        ...

    def log_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log metrics by name after `step` steps; they are stored when this returns."""
        ...

    def log_artifact(self, path: Path) -> None:
        """Log a file, or its path."""
        ...

    def finish(self, *, finished: bool) -> None:
        """Close the run; `finished` is False for a training that was stopped."""
        ...


@dataclass
class TrackerEntry:
    """What one tracker has logged of a training."""

    id: str  # of the tracker's run
    steps: int = 0  # logged up to here
    epochs: int = 0  # logged


class TrackerProgress:
    """`tracking.json` of a run folder: how far each tracker has logged it; not flushed to disk."""

    def __init__(self, folder: Path):
        self.path = folder / "tracking.json"
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else "{}"
        self.entries = {name: TrackerEntry(**entry) for name, entry in json.loads(text).items()}

    def write(self) -> None:
        """Replace the file atomically: a training may be killed at any time."""
        temporary = self.path.with_name(".tracking.json")
        entries = {name: asdict(entry) for name, entry in self.entries.items()}
        temporary.write_text(json.dumps(entries), encoding="utf-8")
        temporary.replace(self.path)


TRACKERS: dict[str, Callable[[], Tracker]] = {
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
}


def trackers(names: Sequence[str]) -> list[Tracker]:
    """The trackers of these names; raises `UsageError` where one cannot work here."""
    for name in names:
        if name not in TRACKERS:
            raise unknown("tracker", name, TRACKERS)
        if find_spec(name) is None:
            raise UsageError(f"{name} is not installed", f"pip install 'saccade[{name}]'")
    selected = [TRACKERS[name]() for name in dict.fromkeys(names)]
    for tracker in selected:
        tracker.check()
    return selected
