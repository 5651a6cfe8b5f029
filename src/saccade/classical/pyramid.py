"""SpatialPyramid: Lazebnik, Schmid, Ponce 2006, "Beyond Bags of Features", Section 3.

A picture is described as a whole, then in quarters, sixteenths, or stripes.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import EllipsisType

import torch
from torch import Tensor, nn

Region = tuple[EllipsisType, slice, slice]


def regions(levels: tuple[tuple[int, int], ...], rows: int, columns: int) -> Iterator[Region]:
    """The parts of a grid, level by level, row by row.  Where few points are they may overlap."""
    for down, along in levels:
        for vertical in parts(rows, down):
            for horizontal in parts(columns, along):
                yield ..., vertical, horizontal


def parts(points: int, count: int) -> list[slice]:
    """`count` stretches of a line, none of them empty."""
    return [slice(k * points // count, -(-(k + 1) * points // count)) for k in range(count)]


class SpatialPyramid(nn.Module):
    """The mean over each region, weighted by its level.  [N,K,scales,rows,columns] -> [N,R*K]

    Level l of 0 to L divides each side by 2^l; it weighs 1 / 2^(L-l+1), level 0 as much as level 1
    (Equation 3), so that finer agreement counts more.
    """

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.levels = tuple((2**level, 2**level) for level in range(depth + 1))

    def forward(self, x: Tensor) -> Tensor:
        x, depth = x.mean(2), len(self.levels) - 1
        found = []
        for level, cut in enumerate(self.levels):
            weight = 2.0 ** (max(level, 1) - depth - 1) / (cut[0] * cut[1])
            found += [weight * x[at].mean((2, 3)) for at in regions((cut,), *x.shape[-2:])]
        return torch.cat(found, dim=1)

    def extra_repr(self) -> str:
        return f"depth={len(self.levels) - 1}"
