"""From the descriptors of an image to one vector: bags of words, Fisher vectors, pyramids.

Spatial pyramid: Lazebnik, Schmid, Ponce 2006, "Beyond Bags of Features", Section 3: an image is
described as a whole, then in quarters, sixteenths, or stripes.

Bags of words: every descriptor becomes its nearest among a few hundred, the visual words (Csurka
2004); they are counted in the regions of a pyramid.  Departure: the histograms' roots in a linear
machine, where Lazebnik intersects them in a kernel.

Fisher vectors: Perronnin, Sánchez, Mensink 2010, "Improving the Fisher Kernel", signed root and
unit length in Sections 3.1 and 3.2: how the descriptors of an image would move the means and
deviations of a mixture of Gaussians that was fitted to the descriptors of many.  Written out in
Sánchez, Perronnin, Mensink, Verbeek 2013, "Image Classification with the Fisher Vector", Section
2.3.  Departures: 32 Gaussians, not 256, and no quarters among the regions, for sets of a few
hundred images; roots of SIFT's numbers (Arandjelović, Zisserman 2012); SIFT and colour in one
classifier, where Section 4 adds the scores of two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import EllipsisType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.classical.descriptors import ColourStatistics, DenseSift, Grey
from saccade.models.layers.blocks import Concat, chain

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


class SignedSquareRoot(nn.Module):
    """sign(x) * sqrt(|x|): many small values count beside a few large ones.  Any shape -> same"""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sign(x) * x.abs().sqrt()


class L2Normalize(nn.Module):
    """Each of `parts` equal stretches divided by its length; 0 stays 0.  [N,F] -> [N,F]"""

    def __init__(self, parts: int = 1) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x.unflatten(1, (self.parts, -1)), dim=2).flatten(1)

    def extra_repr(self) -> str:
        return f"parts={self.parts}"


DEPTH = 2  # of the pyramid: 1 + 4 + 16 regions


def bag_of_words(num_classes: int = 15, *, num_words: int = 200) -> nn.Sequential:
    """Counts of SIFT's words.  [N,3,H,W] -> [N,num_classes]"""
    return chain(
        grey=Grey(),
        sift=DenseSift(),
        words=VisualWords(128, num_words),
        pyramid=SpatialPyramid(DEPTH),
        root=SignedSquareRoot(),
        length=L2Normalize(),
        fc=nn.Linear(num_words * sum(4**level for level in range(DEPTH + 1)), num_classes),
    )


class VisualWords(nn.Module):
    """1 for the nearest word, 0 for all others.  [N,D,...] -> [N,words,...]"""

    means: Tensor

    def __init__(self, inputs: int, num_words: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(num_words, inputs))

    def forward(self, x: Tensor) -> Tensor:
        nearness = x.flatten(2).mT @ self.means.mT - 0.5 * (self.means**2).sum(1)
        nearest = nearness.argmax(dim=2)[:, None]
        found = torch.zeros_like(nearness.mT, memory_format=torch.contiguous_format)
        return found.scatter(1, nearest, 1).unflatten(2, x.shape[2:])

    def extra_repr(self) -> str:
        words, inputs = self.means.shape
        return f"{inputs}, {words}"


class PCAProjection(nn.Module):
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


PROJECTED = 64  # numbers of a descriptor after the projection
LEVELS = ((1, 1), (3, 1))  # rows, columns


def fisher(num_classes: int = 20, *, gaussians: int = 32) -> nn.Sequential:
    """SIFT and colour.  [N,3,H,W] -> [N,num_classes]"""
    parts = 2 * sum(down * along for down, along in LEVELS)
    return chain(
        describe=Concat(sift=sift_branch(gaussians), colour=colour_branch(gaussians)),
        root=SignedSquareRoot(),
        length=L2Normalize(parts),
        fc=nn.Linear(parts * 2 * gaussians * PROJECTED, num_classes),
    )


def sift_branch(gaussians: int) -> nn.Sequential:
    """[N,3,H,W] -> [N,regions*2*gaussians*64]"""
    return chain(
        grey=Grey(),
        sift=DenseSift(),
        root=SignedSquareRoot(),
        reduce=PCAProjection(128, PROJECTED),
        fisher=FisherVector(PROJECTED, gaussians, levels=LEVELS),
    )


def colour_branch(gaussians: int) -> nn.Sequential:
    """[N,3,H,W] -> [N,regions*2*gaussians*64]"""
    return chain(
        colour=ColourStatistics(),
        reduce=PCAProjection(96, PROJECTED),
        fisher=FisherVector(PROJECTED, gaussians, levels=LEVELS),
    )


class FisherVector(nn.Module):
    """The Fisher vectors of the regions of an image, one after the other.

    [N,D,scales,rows,columns] -> [N,regions*2*K*D]; of each region K*D numbers for the means, then
    K*D for the deviations.  `levels` are the rows and columns into which the image is divided.
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


ROUNDS = 100  # of expectation and maximisation, at most
GAIN = 0.01  # nats a descriptor; a round that gains less is the last
FLOOR = 1e-3  # of the descriptors' own variance: a Gaussian is never narrower
LEAST = 1e-6  # added to the variance, where all descriptors are one
PORTION = 8192  # descriptors at a time


def k_means(descriptors: Tensor, count: int, seed: int) -> Tensor:
    """The centres of Lloyd's algorithm from k-means++.  [n,D] -> [count,D]"""
    from sklearn.cluster import KMeans

    found = KMeans(count, max_iter=50, random_state=seed).fit(descriptors.cpu().numpy())
    return torch.from_numpy(found.cluster_centers_)


def fit_gaussian_mixture(row: FisherVector, descriptors: Tensor, seed: int) -> None:
    """Maximum likelihood by expectation and maximisation (Dempster, Laird, Rubin 1977).

    The first Gaussians sit at the k means, all as wide and as heavy.
    """
    variance = descriptors.var(0, correction=0) + LEAST
    row.means.copy_(k_means(descriptors, len(row.means), seed))
    row.variances.copy_(variance.expand_as(row.means))
    row.weights.fill_(1 / len(row.weights))
    before = -torch.inf
    for _ in range(ROUNDS):
        likelihood = em_step(row, descriptors, FLOOR * variance)
        if likelihood - before < GAIN:
            return
        before = likelihood


def em_step(row: FisherVector, descriptors: Tensor, narrowest: Tensor) -> float:
    """One round; gives the mean log likelihood, in nats, of the mixture before it."""
    gaussians, size = row.means.shape
    likelihood = 0.0
    totals = descriptors.new_zeros(gaussians, 1, dtype=torch.float64)
    first = descriptors.new_zeros(gaussians, size, dtype=torch.float64)
    second = torch.zeros_like(first)
    for part in descriptors.split(PORTION):
        score = row.scores(part.mT[None])[0]
        shares = score.softmax(0)
        likelihood += float(score.logsumexp(0).double().sum())
        totals += shares.sum(1, keepdim=True)
        first += shares @ part
        second += shares @ (part * part)
    held = totals.clamp_min(torch.finfo(torch.float32).eps)
    mean = first / held
    row.weights.copy_((held / held.sum())[:, 0])
    row.means.copy_(mean)
    row.variances.copy_((second / held - mean * mean).maximum(narrowest))
    return likelihood / len(descriptors)
