"""Lookahead.  Zhang et al. 2019, "Lookahead optimizer: k steps forward, 1 step back"."""

from __future__ import annotations

from typing import Any

import torch


class Lookahead:
    """Slow weights that follow an optimizer's fast ones, Algorithm 1.

    After every `steps` steps the slow weights go the `share` of the way to the fast ones, which
    then go on from there.  Slow weights and the count of steps are kept in the state of the
    optimizer inside, beside its own.
    """

    def __init__(self, inside: torch.optim.Optimizer, steps: int = 5, share: float = 0.5):
        self.inside = inside
        self.steps = steps
        self.share = share

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return self.inside.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.inside.zero_grad(set_to_none)

    @torch.no_grad()
    def step(self) -> None:
        state = self.inside.state
        weights = [w for g in self.param_groups for w in g["params"] if w.grad is not None]
        first = {w: w.clone() for w in weights if "slow" not in state.get(w, {})}
        self.inside.step()
        for weight in weights:
            own = state[weight]
            slow = own.setdefault("slow", first.get(weight))
            own["steps_ahead"] = own.get("steps_ahead", 0) + 1
            if own["steps_ahead"] == self.steps:
                weight.copy_(slow.lerp_(weight, self.share))
                own["steps_ahead"] = 0

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self.inside.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        return self.inside.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.inside.load_state_dict(state)
