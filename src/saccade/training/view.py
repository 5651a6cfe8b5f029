"""Whoever watches a training: one of them, or several as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from saccade.engine.loop import Position, Step
from saccade.recipes.settings import Settings
from saccade.runs.run import Run


class View(Protocol):
    """Whoever watches a training."""

    def settings(self, settings: Settings, notes: Sequence[str]) -> None:
        """The settings are resolved."""
        ...

    def decoding(self, done: int, total: int) -> None:
        """So many images of all are decoded."""
        ...

    def training(self, run: Run, steps: int, start: Position) -> None:
        """The first step, of so many an epoch, comes next."""
        ...

    def step(self, step: Step, losses: Mapping[str, float]) -> None:
        """The losses of a step were read; not those of every step are."""
        ...

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch is over; `row` is what log.jsonl says of it."""
        ...

    def note(self, message: str) -> None:
        """Something is to be said."""
        ...

    def finished(self, run: Run) -> None:
        """All that a finished run holds is written."""
        ...


class CompositeView(View):
    """Views as one: each hears of everything, one after the other."""

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
