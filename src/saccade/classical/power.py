"""SignedRoot and UnitLength: what makes sums of descriptors fit for a linear classifier.

Perronnin, Sánchez, Mensink 2010, Sections 3.1 and 3.2.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SignedRoot(nn.Module):
    """sign(x) * sqrt(|x|): many small values count beside a few large ones.  Any shape -> same"""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sign(x) * x.abs().sqrt()


class UnitLength(nn.Module):
    """Each of `parts` equal stretches divided by its length; 0 stays 0.  [N,F] -> [N,F]"""

    def __init__(self, parts: int = 1) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x.unflatten(1, (self.parts, -1)), dim=2).flatten(1)

    def extra_repr(self) -> str:
        return f"parts={self.parts}"
