"""Descent: an optimizer with all that stands around its step, so that the loop has no `if`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from saccade.engine.schedule import Schedule

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Descent:
    """Rate by schedule, forward in lower precision, clipped gradients.

    `precision` names the type of convolutions and matrix products; weights stay float32.
    `clip` bounds the norm of the whole gradient, 0 leaves it alone.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        total_steps: int,
        *,
        precision: str = "float32",
        clip: float = 0.0,
    ):
        self.optimizer = optimizer
        self.schedule = schedule
        self.total_steps = total_steps
        self.precision = PRECISIONS[precision]
        self.clip = clip
        self.steps_done = 0
        self.full_rates = [group["lr"] for group in optimizer.param_groups]

    @property
    def lr(self) -> float:
        """The rate of the step to come, of the first group."""
        return self.full_rates[0] * self.schedule(self.steps_done / self.total_steps)

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """The context for the forward pass."""
        lower = self.precision is not torch.float32
        return torch.autocast(device.type, dtype=self.precision, enabled=lower)

    def step(self, loss: Tensor) -> None:
        """Go down the gradient of `loss` once."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.clip:
            weights = [p for group in self.optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(weights, self.clip)
        factor = self.schedule(self.steps_done / self.total_steps)
        for group, full in zip(self.optimizer.param_groups, self.full_rates, strict=True):
            group["lr"] = full * factor
        self.optimizer.step()
        self.steps_done += 1

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict()["state"], "steps_done": self.steps_done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        groups = self.optimizer.state_dict()["param_groups"]
        state_of = {int(k): v for k, v in state["optimizer"].items()}
        self.optimizer.load_state_dict({"state": state_of, "param_groups": groups})
        self.steps_done = state["steps_done"]
