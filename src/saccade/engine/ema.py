"""The exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

GAMMA = 16.97  # of Karras 2023, Section 3.1: a deviation of 5 % of the training so far


class EMA:
    """A second network whose weights follow the first's (Polyak 1992; Szegedy 2015, Section 8).

    A decay of "auto" fits any length of training: the span averaged over grows with it
    (`power_function_decay`).  Buffers, such as running statistics, are averaged too.
    """

    def __init__(self, model: nn.Module, decay: float | Literal["auto"]):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self._decay = (
            power_function_decay if decay == "auto" else partial(decay_with_warmup, float(decay))
        )
        self.steps_done = 0
        averaged, current = self.model.state_dict(), model.state_dict()
        pairs = [(averaged[name], current[name]) for name in averaged]
        moving = [pair for pair in pairs if pair[0].is_floating_point()]
        self.moving = [averaged for averaged, _ in moving], [current for _, current in moving]
        self.integers = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the current weights."""
        decay = self._decay(self.steps_done)
        torch._foreach_lerp_(*self.moving, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
        for averaged, current in self.integers:
            averaged.copy_(current)
        self.steps_done += 1

    def state_dict(self) -> dict[str, Any]:
        """The averaged weights, and the number of updates."""
        return {"model": self.model.state_dict(), "steps_done": self.steps_done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.model.load_state_dict(state["model"])
        self.steps_done = state["steps_done"]


def decay_with_warmup(decay: float, steps_done: int) -> float:
    """min(decay, (1 + t) / (10 + t)) after t steps, as in TensorFlow: less at first."""
    return min(decay, (1 + steps_done) / (10 + steps_done))


def power_function_decay(steps_done: int) -> float:
    """The decay of the power function EMA, whose span grows with the training.

    Karras 2023, "Analyzing and improving the training dynamics of diffusion models", Equation 3.1:
    (1 - 1 / t)^(gamma + 1) at step t, counted from 1.
    """
    return (1 - 1 / (steps_done + 1)) ** (GAMMA + 1)
