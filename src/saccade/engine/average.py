"""Average: the exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn


class Average:
    """A second network whose weights follow the first's (Polyak 1992; Szegedy 2015, Section 8).

    At step t the old average keeps min(decay, (1 + t) / (10 + t)), so that the first steps, far
    from the goal, are soon forgotten.  Buffers, such as running statistics, are averaged too.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.steps_done = 0
        mine, theirs = self.model.state_dict(), model.state_dict()
        pairs = [(mine[name], theirs[name]) for name in mine]
        self.moving = [pair for pair in pairs if pair[0].is_floating_point()]
        self.counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the weights of this instant."""
        keep = min(self.decay, (1 + self.steps_done) / (10 + self.steps_done))
        for mine, theirs in self.moving:
            mine.lerp_(theirs, 1 - keep)
        for mine, theirs in self.counts:
            mine.copy_(theirs)
        self.steps_done += 1

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "steps_done": self.steps_done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.steps_done = state["steps_done"]
