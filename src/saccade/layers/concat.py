"""Concat: branches side by side, joined over channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Concat(nn.Module):
    """Every branch sees the same input; their channels follow one another in the order written.

    [N,C,H,W] -> [N,sum of the branches' channels,H',W']
    """

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)
