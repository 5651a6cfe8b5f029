"""Views of a training: callbacks for progress, metrics and messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from saccade.engine.loop import Position, Step
from saccade.recipes.settings import Settings
from saccade.runs.run import Run


class View(Protocol):
    """Callbacks of a training, such as of a terminal or of trackers."""

    def settings(self, settings: Settings, notes: Sequence[str]) -> None:
        """The settings are resolved."""
        ...

    def decoding(self, done: int, total: int) -> None:
        """`done` of `total` images are decoded."""
        ...

    def training(self, run: Run, steps: int, start: Position) -> None:
        """The training begins at `start`, with `steps` steps per epoch."""
        ...

    def step(self, step: Step, losses: Mapping[str, float]) -> None:
        """The losses of a step were read, which happens every few steps."""
        ...

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch has ended; `row` is its event in log.jsonl."""
        ...

    def note(self, message: str) -> None:
        """A message for people."""
        ...

    def finished(self, run: Run) -> None:
        """All that a finished run holds is written."""
        ...


class CompositeView(View):
    """Several views as one; each callback goes to all, in order."""

    def __init__(self, *views: View):
        self.views = views

    def settings(self, settings: Settings, notes: Sequence[str]) -> None:
        for view in self.views:
            view.settings(settings, notes)

    def decoding(self, done: int, total: int) -> None:
        for view in self.views:
            view.decoding(done, total)

    def training(self, run: Run, steps: int, start: Position) -> None:
        for view in self.views:
            view.training(run, steps, start)

    def step(self, step: Step, losses: Mapping[str, float]) -> None:
        for view in self.views:
            view.step(step, losses)

    def epoch(self, row: Mapping[str, Any]) -> None:
        for view in self.views:
            view.epoch(row)

    def note(self, message: str) -> None:
        for view in self.views:
            view.note(message)

    def finished(self, run: Run) -> None:
        for view in self.views:
            view.finished(run)
