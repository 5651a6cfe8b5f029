"""The lines of epochs: what is said of each while a training goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from saccade.engine.loop import Position, Step
from saccade.progress import EVERY, ThrottledLines, say
from saccade.recipes.settings import Settings
from saccade.recipes.training import ENDLESS
from saccade.runs.run import Run
from saccade.tasks.catalogue import score_named
from saccade.training.view import View
from saccade.words import duration, number


class EpochLines(View):
    """A view of a training that says a line an epoch: losses, score, seconds, time left.

    At most one in `every` seconds; the first and the last always.
    """

    def __init__(
        self,
        name: str = "",  # what comes before each line, of one training among several
        every: float = EVERY,
        *,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str], Any] = say,
    ):
        self.name, self.clock = name, clock
        self.lines = ThrottledLines(every, clock=clock, tell=tell)
        self.epochs = ENDLESS
        self.began, self.start, self.ends = clock(), 0.0, float("inf")

    def settings(self, settings: Settings, notes: Sequence[str]) -> None: ...
    def decoding(self, done: int, total: int) -> None: ...
    def step(self, step: Step, losses: Mapping[str, float]) -> None: ...
    def note(self, message: str) -> None: ...

    def training(self, run: Run, steps: int, start: Position) -> None:
        train = run.recipe.train
        self.epochs, self.start = train.epochs, start.epoch + start.step / steps
        self.began = self.clock()
        if train.minutes:
            self.ends = self.began + 60 * train.minutes - seconds_before(run)

    def epoch(self, row: Mapping[str, Any]) -> None:
        self.lines.say(self.line(row))
        if row["epoch"] == self.epochs:
            self.lines.end()

    def finished(self, run: Run) -> None:
        self.close()

    def close(self) -> None:
        """Say the last line, where it was withheld."""
        self.lines.end()

    def line(self, row: Mapping[str, Any]) -> str:
        """The line of an epoch, from its event in log.jsonl."""
        epoch = f"epoch {row['epoch']}" + ("" if self.epochs == ENDLESS else f" of {self.epochs}")
        losses = [f"{k} {number(v)}" for k, v in row.items() if k.rpartition("/")[2] == "loss"]
        validation = [f"val_loss {number(row['val_loss'])}"] if "val_loss" in row else []
        left = self._left(row["epoch"])
        told = [*losses, *validation, score_of(row), duration(row["seconds"])]
        told += [f"{duration(left)} left"] if 0 < left < float("inf") else []
        return f"{self.name}{epoch}: {', '.join(told)}"

    def _left(self, done: int) -> float:
        """Seconds that the training still takes, validation among them."""
        now = self.clock()
        by_clock = max(0.0, self.ends - now)
        if self.epochs == ENDLESS:
            return by_clock
        each = (now - self.began) / (done - self.start)
        return min(by_clock, each * (self.epochs - done))


def score_of(row: Mapping[str, Any]) -> str:
    """The validation score of an epoch's event, as val_accuracy 76.5 %."""
    name = next(k for k in row if k.startswith("val_") and k != "val_loss")
    return f"{name} {score_named(name.removeprefix('val_')).format(row[name])}"


def seconds_before(run: Run) -> float:
    """The seconds that a resumed run had trained for before."""
    return sum(fact["seconds"] for fact in run.events("resumed")[-1:])
