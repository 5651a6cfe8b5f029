"""Muon.  Jordan 2024, "Muon: an optimizer for hidden layers in neural networks"."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # of Muon's quintic; slope 3.4 at zero, fixed near 1
NEWTON_SCHULZ_STEPS = 5
UPDATE_RMS = 0.2  # root mean square of an AdamW step, in learning rates


class Muon(torch.optim.Optimizer):
    """Muon: orthogonalised momentum for matrices, AdamW for all else; decoupled weight decay.

    Jordan 2024, "Muon: an optimizer for hidden layers in neural networks".  A convolution's kernel
    [cout,cin,k,k] counts as a matrix of cout rows.

    Departures: a step has the size of AdamW's, 0.2 sqrt(max(rows, columns)) times the orthogonal
    matrix (Liu 2025, "Muon is scalable for LLM training", Equation 4), so that one learning rate
    serves matrices and vectors; the first and the last matrix of a network are no exceptions.

    A step costs 5 (4 r^2 c + 2 r^3) operations for a matrix of r by c, r the smaller, whatever the
    batch: little beside large batches, much beside small ones in wide networks.
    """

    def __init__(
        self,
        params: list[dict],
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
    ):
        defaults = {"lr": lr, "momentum": momentum, "betas": betas, "weight_decay": 0.0}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # there are no closures here
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                direction = self._orthogonal if weight.ndim > 1 else self._adam
                step = direction(weight.grad, self.state[weight], group)
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(step, alpha=-group["lr"])

    def _orthogonal(self, gradient: Tensor, state: dict, group: dict) -> Tensor:
        """Orthogonalised Nesterov momentum.  [cout,...] -> the same"""
        mean = state.setdefault("mean", torch.zeros_like(gradient))
        mean.lerp_(gradient, 1 - group["momentum"])
        matrix = gradient.lerp(mean, group["momentum"]).flatten(1)
        scale = UPDATE_RMS * sqrt(max(matrix.shape))
        return orthogonal(matrix).to(gradient).reshape(gradient.shape) * scale

    def _adam(self, gradient: Tensor, state: dict, group: dict) -> Tensor:
        """Adam's step (Kingma 2014, Algorithm 1).  [n] -> [n]"""
        if not state:
            zeros = torch.zeros_like(gradient)
            state.update(steps=0, mean=zeros, square=zeros.clone())
        beta1, beta2 = group["betas"]
        state["steps"] += 1
        state["mean"].lerp_(gradient, 1 - beta1)
        state["square"].lerp_(gradient.square(), 1 - beta2)
        mean = state["mean"] / (1 - beta1 ** state["steps"])
        square = state["square"] / (1 - beta2 ** state["steps"])
        return mean / (square.sqrt() + 1e-8)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly U V^T of the singular value decomposition U S V^T, by Newton-Schulz iteration.

    Singular values end between about 0.7 and 1.2, which serves as well as 1 (Jordan 2024).  On a
    GPU in bfloat16, which is faster there.  [rows,columns] -> the same
    """
    a, b, c = NEWTON_SCHULZ
    x = matrix.bfloat16() if matrix.is_cuda else matrix.float()
    tall = matrix.shape[0] > matrix.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
