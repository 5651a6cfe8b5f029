"""TrackingView: logs log.jsonl, and the losses and learning rates of steps, to trackers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from saccade.engine.loop import Position, Step
from saccade.recipes.settings import Settings
from saccade.runs.run import Run
from saccade.trackers.tracker import Tracker, TrackerEntry, TrackerProgress
from saccade.training.view import View


class TrackingView(View):
    """A training view that logs metrics to trackers, by the number of steps done.

    A resumed training repeats the steps after its last checkpoint; what a tracker has logged of
    these already is not logged again.
    """

    def __init__(self, trackers: Sequence[Tracker]):
        self.trackers = trackers
        self.open: list[Tracker] = []
        self.parameters: Mapping[str, Any] = {}
        self.done = 0  # steps
        self.steps = 0  # in an epoch
        self.ended = False

    def __enter__(self) -> TrackingView:
        return self

    def __exit__(self, *failure: object) -> None:
        for tracker in self.open:
            tracker.finish(finished=self.ended)

    def settings(self, settings: Settings, notes: Sequence[str]) -> None:
        self.parameters = settings.recipe.settings()

    def decoding(self, done: int, total: int) -> None: ...

    def training(self, run: Run, steps: int, start: Position) -> None:
        self.progress, self.steps = TrackerProgress(run.path), steps
        self.done = start.epoch * steps + start.step
        for tracker in self.trackers:
            entry = self.progress.entries.setdefault(tracker.name, TrackerEntry(""))
            entry.id = tracker.start(run.path, self.parameters, entry.id)
            self.open.append(tracker)
        self.progress.write()

    def step(self, step: Step, losses: Mapping[str, float]) -> None:
        self.done = step.epoch * self.steps + step.step + 1
        metrics = {f"step/{name}": value for name, value in {**losses, **step.lr}.items()}
        for tracker, entry in self._entries():
            if entry.steps < self.done:
                entry.steps = self.done
                tracker.log_metrics(self.done, metrics)
        self.progress.write()

    def epoch(self, row: Mapping[str, Any]) -> None:
        metrics = dict(flattened("epoch", row))
        for tracker, entry in self._entries():
            if entry.epochs < row["epoch"]:
                entry.epochs = row["epoch"]
                tracker.log_metrics(self.done, metrics)
        self.progress.write()

    def note(self, message: str) -> None: ...

    def finished(self, run: Run) -> None:
        metrics = {}
        for fact in run.events("evaluation"):
            metrics |= dict(flattened(fact["split"], fact))
        for tracker in self.open:
            tracker.log_metrics(self.done, metrics)
            for name in ("log.jsonl", "recipe.toml", "report.html"):
                tracker.log_artifact(run.path / name)
        self.ended = True

    def _entries(self) -> Iterator[tuple[Tracker, TrackerEntry]]:
        return ((tracker, self.progress.entries[tracker.name]) for tracker in self.open)


def flattened(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """The numbers in an event of log.jsonl, named by their path; plain lists are left out."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from flattened(f"{name}/{key}", part)
    elif isinstance(value, list | tuple) and name.endswith("interval") and len(value) == 2:
        yield from flattened(f"{name}/low", value[0])
        yield from flattened(f"{name}/high", value[1])
    elif isinstance(value, list | tuple):
        for part in value:
            if isinstance(part, Mapping) and "name" in part:
                yield from flattened(f"{name}/{part['name']}", part)
