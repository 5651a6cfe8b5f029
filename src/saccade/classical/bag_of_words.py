"""Bags of words.  Lazebnik, Schmid, Ponce 2006, "Beyond Bags of Features".

Every descriptor becomes its nearest among a few hundred, the visual words (Csurka 2004); they are
counted in the regions of a pyramid.
Departure: the histograms' roots in a linear machine, where the paper intersects them in a kernel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saccade.classical.grey import Grey
from saccade.classical.power import SignedRoot, UnitLength
from saccade.classical.pyramid import SpatialPyramid
from saccade.classical.sift import DenseSift
from saccade.layers.chain import chain

DEPTH = 2  # of the pyramid: 1 + 4 + 16 regions


def bag_of_words(num_classes: int = 15, *, words: int = 200) -> nn.Sequential:
    """Counts of SIFT's words.  [N,3,H,W] -> [N,num_classes]"""
    return chain(
        grey=Grey(),
        sift=DenseSift(),
        words=Words(128, words),
        pyramid=SpatialPyramid(DEPTH),
        root=SignedRoot(),
        length=UnitLength(),
        fc=nn.Linear(words * sum(4**level for level in range(DEPTH + 1)), num_classes),
    )


class Words(nn.Module):
    """1 for the nearest word, 0 for all others.  [N,D,...] -> [N,words,...]"""

    means: Tensor

    def __init__(self, inputs: int, words: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(words, inputs))

    def forward(self, x: Tensor) -> Tensor:
        nearness = x.flatten(2).mT @ self.means.mT - 0.5 * (self.means**2).sum(1)
        nearest = nearness.argmax(dim=2)[:, None]
        found = torch.zeros_like(nearness.mT, memory_format=torch.contiguous_format)
        return found.scatter(1, nearest, 1).unflatten(2, x.shape[2:])

    def extra_repr(self) -> str:
        words, inputs = self.means.shape
        return f"{inputs}, {words}"
