"""Whoever watches a training: one of them, or several as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from saccade.engine.loop import Position, Step
from saccade.recipes.settings import Settings
from saccade.runs.run import Run


class View(Protocol):
    """Whoever watches a training."""

    def settings(self, settings: Settings, notes: Sequence[str]) -> None: ...
    def decoding(self, done: int, total: int) -> None: ...
    def training(self, run: Run, steps: int, start: Position) -> None: ...
    def step(self, step: Step, loss: float) -> None: ...
    def epoch(self, row: Mapping[str, Any]) -> None: ...
    def note(self, words: str) -> None: ...
    def finished(self, run: Run) -> None: ...


class Several:
    """Views that are told the same, one after the other."""

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

    def step(self, step: Step, loss: float) -> None:
        for view in self.views:
            view.step(step, loss)

    def epoch(self, row: Mapping[str, Any]) -> None:
        for view in self.views:
            view.epoch(row)

    def note(self, words: str) -> None:
        for view in self.views:
            view.note(words)

    def finished(self, run: Run) -> None:
        for view in self.views:
            view.finished(run)
