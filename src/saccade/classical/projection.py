"""Projection: descriptors in fewer numbers, along the directions in which they vary most."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Projection(nn.Module):
    """Principal component analysis as fitted elsewhere.  [N,D,...] -> [N,outputs,...]"""

    mean: Tensor
    components: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("components", torch.eye(outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        moved = self.components @ x.flatten(2) - (self.components @ self.mean)[:, None]
        return moved.unflatten(2, x.shape[2:])

    def extra_repr(self) -> str:
        outputs, inputs = self.components.shape
        return f"{inputs}, {outputs}"
