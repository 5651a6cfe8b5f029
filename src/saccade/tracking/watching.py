"""watching: all who watch a training, the terminal and the trackers, as one view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from saccade.engine.train import Position, Step
from saccade.runs import Run
from saccade.settings import Settings
from saccade.terminal import TrainingView
from saccade.tracking.catalogue import trackers
from saccade.tracking.ledger import Ledger
from saccade.tracking.view import TrackingView
from saccade.training.logbook import View


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


@contextmanager
def watching(tracked: Sequence[str]) -> Iterator[View]:
    """The terminal, and the trackers of these names.

    Raises `UsageError` where one of them cannot work here.
    """
    found = trackers(tracked)
    with ExitStack() as stack:
        views: list[View] = [stack.enter_context(TrainingView())]
        if found:
            views.append(stack.enter_context(TrackingView(found)))
        yield Several(*views)


def tracked(run: Run) -> list[str]:
    """The names of the trackers that a run began with."""
    return list(Ledger(run.path).entries)
