"""Lion.  Chen et al. 2023, "Symbolic discovery of optimization algorithms", Algorithm 2."""

from __future__ import annotations

import torch


class Lion(torch.optim.Optimizer):
    """The sign of a mixture of the gradient and its mean, with decoupled decay.

    Every weight moves by `lr`, whatever its gradient; the paper advises a rate 3 to 10 times
    smaller than AdamW's, and a decay as much larger (Section 5).
    """

    def __init__(self, params: list[dict], lr: float, betas: tuple[float, float] = (0.9, 0.99)):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # there are no closures here
        for group in self.param_groups:
            mixing, keeping = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                mean = state.setdefault("mean", torch.zeros_like(weight))
                direction = mean.lerp(weight.grad, 1 - mixing).sign_()
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(direction, alpha=-group["lr"])
                mean.lerp_(weight.grad, 1 - keeping)
