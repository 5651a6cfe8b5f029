"""Trackers: services and files that keep the numbers of a training, and what each has of it."""

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
    """A service or a kind of file; imports its library only when asked to begin."""

    name: str  # of its extra and of its package

    def check(self) -> None:
        """Raise `UsageError` where it could not begin here, such as without an account."""
        ...

    def start(self, folder: Path, settings: Mapping[str, Any], run_id: str) -> str:
        """Open the training of the run in `folder`, or go on with the one `known`; gives its id."""
        ...

    def log_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Keep numbers by name, as they are after so many steps; safe when this returns."""
        ...

    def log_artifact(self, path: Path) -> None:
        """Keep a file, or where it is."""
        ...

    def finish(self, *, finished: bool) -> None:
        """Close; the training is at its end, or stopped and perhaps to go on."""
        ...


@dataclass
class TrackerEntry:
    """How far one tracker knows a training."""

    id: str  # that the tracker gave it
    steps: int = 0  # done before its last look at a loss
    epochs: int = 0  # told


class TrackerProgress:
    """`tracking.json` of a run folder, as it is after every entry; without flushing to the disk."""

    def __init__(self, folder: Path):
        self.path = folder / "tracking.json"
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else "{}"
        self.entries = {name: TrackerEntry(**entry) for name, entry in json.loads(text).items()}

    def write(self) -> None:
        """Put the file in its place in one instant: a training may be killed at any."""
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
