"""Fisher vectors.  Perronnin, Sánchez, Mensink 2010, "Improving the Fisher Kernel".

How the descriptors of a picture would move the means and deviations of a mixture of Gaussians that
was fitted to the descriptors of many.  Written out in Sánchez, Perronnin, Mensink, Verbeek 2013,
"Image Classification with the Fisher Vector", Section 2.3.
Departures: 32 Gaussians, not 256, and no quarters among the regions, for sets of a few hundred
pictures; roots of SIFT's numbers
(Arandjelović, Zisserman 2012); SIFT and colour in one classifier, where Section 4 adds the scores
of two.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from saccade.classical.colour_statistics import ColourStatistics
from saccade.classical.grey import Grey
from saccade.classical.power import SignedRoot, UnitLength
from saccade.classical.projection import Projection
from saccade.classical.pyramid import Region, regions
from saccade.classical.sift import DenseSift
from saccade.layers.chain import chain
from saccade.layers.concat import Concat

KEPT = 64  # numbers of a descriptor after the projection
LEVELS = ((1, 1), (3, 1))  # rows, columns


def fisher(num_classes: int = 20, *, gaussians: int = 32) -> nn.Sequential:
    """SIFT and colour.  [N,3,H,W] -> [N,num_classes]"""
    parts = 2 * sum(down * along for down, along in LEVELS)
    return chain(
        describe=Concat(sift=sift_branch(gaussians), colour=colour_branch(gaussians)),
        root=SignedRoot(),
        length=UnitLength(parts),
        fc=nn.Linear(parts * 2 * gaussians * KEPT, num_classes),
    )


def sift_branch(gaussians: int) -> nn.Sequential:
    """[N,3,H,W] -> [N,regions*2*gaussians*64]"""
    return chain(
        grey=Grey(),
        sift=DenseSift(),
        root=SignedRoot(),
        reduce=Projection(128, KEPT),
        fisher=FisherVector(KEPT, gaussians, levels=LEVELS),
    )


def colour_branch(gaussians: int) -> nn.Sequential:
    """[N,3,H,W] -> [N,regions*2*gaussians*64]"""
    return chain(
        colour=ColourStatistics(),
        reduce=Projection(96, KEPT),
        fisher=FisherVector(KEPT, gaussians, levels=LEVELS),
    )


class FisherVector(nn.Module):
    """The Fisher vectors of the regions of a picture, one after the other.

    [N,D,scales,rows,columns] -> [N,regions*2*K*D]; of each region K*D numbers for the means, then
    K*D for the deviations.  `levels` are the rows and columns into which the picture is divided.
    """

    weights: Tensor
    means: Tensor
    variances: Tensor

    def __init__(
        self, inputs: int, gaussians: int, *, levels: tuple[tuple[int, int], ...] = ((1, 1),)
    ) -> None:
        super().__init__()
        self.levels = levels
        self.register_buffer("weights", torch.full((gaussians,), 1 / gaussians))
        self.register_buffer("means", torch.zeros(gaussians, inputs))
        self.register_buffer("variances", torch.ones(gaussians, inputs))

    def forward(self, x: Tensor) -> Tensor:
        shares = self.scores(x.flatten(2)).softmax(dim=1).unflatten(2, x.shape[2:])
        parts = [self._gradients(x, shares, at) for at in regions(self.levels, *x.shape[-2:])]
        return torch.cat(parts, dim=1)

    def scores(self, x: Tensor) -> Tensor:
        """The logarithm of each Gaussian's weight times its density.  [N,D,P] -> [N,K,P]"""
        precisions = 1 / self.variances
        constant = self.weights.log() - 0.5 * (
            (self.variances.log() + self.means**2 * precisions).sum(1)
            + self.means.shape[1] * math.log(2 * math.pi)
        )
        score = (self.means * precisions) @ x - (0.5 * precisions) @ (x * x)
        return score + constant[:, None]

    def _gradients(self, x: Tensor, shares: Tensor, region: Region) -> Tensor:
        """Of one region, each of unit variance (Sánchez 2013, Equations 17 and 18).  [N,2*K*D]"""
        x, shares = x[region].flatten(2), shares[region].flatten(2)
        count = x.shape[2]
        total = shares.sum(2)[:, :, None] / count
        first = shares @ x.mT / count
        second = shares @ (x * x).mT / count
        root, deviations = self.weights.sqrt()[:, None], self.variances.sqrt()
        moved = (first - total * self.means) / (root * deviations)
        spread = (second - 2 * first * self.means + total * self.means**2) / self.variances - total
        return torch.cat([moved.flatten(1), (spread / (math.sqrt(2) * root)).flatten(1)], dim=1)

    def extra_repr(self) -> str:
        gaussians, inputs = self.means.shape
        return f"{inputs}, {gaussians}, levels={self.levels}"
