"""Unfreezing: weights that join a training stage by stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from torch import nn

from saccade.engine.descent import Descent
from saccade.engine.freezing import hold_all_but
from saccade.engine.stages import Stage

RISE = 50  # steps at most in which the rate of what joins rises to its own ...
PART = 10  # ... of so many parts of the stage, one


@dataclass(frozen=True)
class Unfreezing:
    """What learns when.

    What has learned before goes on as it was, with its moments and at its rate; what joins rises to
    its rate on a straight line from zero.
    """

    model: nn.Module
    descent: Descent  # of the weights of the first stage
    groups: Callable[[nn.Module], list[dict]]  # of the weights that learn, for an optimizer
    stages: tuple[Stage, ...]
    learning: tuple[frozenset[str], ...]  # in each, the names of the weights
    steps: int  # of an epoch

    def reach(self, epoch: int) -> None:
        """Let join all whose stage has begun in `epoch`, from 0; the same again changes nothing."""
        for stage, learning in zip(self.stages[1:], self.learning[1:], strict=True):
            if stage.first <= epoch:
                hold_all_but(self.model, learning)
                rise = min(RISE, ceil(stage.epochs * self.steps / PART))
                self.descent.join(self.groups(self.model), stage.first * self.steps, rise)

    def weights(self) -> tuple[int, int]:
        """How many numbers learn now, and how many there are."""
        counts = [(w.numel() if w.requires_grad else 0, w.numel()) for w in self.model.parameters()]
        return sum(learning for learning, _ in counts), sum(each for _, each in counts)

    def begun_in(self, epoch: int) -> tuple[int, Stage] | None:
        """The number, from 1, of the stage that begins with `epoch`, and that stage."""
        found = [(k, stage) for k, stage in enumerate(self.stages, 1) if stage.first == epoch]
        return found[-1] if found else None
