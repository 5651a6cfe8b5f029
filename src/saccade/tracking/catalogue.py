"""Trackers by name, those of a new training and those of one that goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from saccade.errors import UsageError, unknown
from saccade.tracking.mlflow import MLflow
from saccade.tracking.tensorboard import TensorBoard
from saccade.tracking.tracker import Tracker
from saccade.tracking.wandb import WeightsAndBiases

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
    found = [TRACKERS[name]() for name in dict.fromkeys(names)]
    for tracker in found:
        tracker.check()
    return found
