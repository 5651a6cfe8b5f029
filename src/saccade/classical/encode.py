"""Encoding an image's descriptors as one vector: bags of words, Fisher vectors, pyramids.

Spatial pyramid: Lazebnik, Schmid, Ponce 2006, "Beyond Bags of Features", Section 3: an image is
described as a whole, then in quarters, sixteenths, or stripes.

Bags of words: every descriptor is assigned to the nearest of a few hundred visual words (Csurka
2004), which are counted in the regions of a pyramid.  Departure: square roots of the histograms in
a linear SVM, where Lazebnik has a histogram intersection kernel.

Fisher vectors: Perronnin, Sánchez, Mensink 2010, "Improving the Fisher Kernel", L2 and power
normalisation in Sections 3.1 and 3.2: the gradient of the log likelihood of an image's descriptors
with respect to the means and deviations of a Gaussian mixture, which was fitted to those of many
images.  Written out in Sánchez, Perronnin, Mensink, Verbeek 2013, "Image Classification with the
Fisher Vector", Section 2.3.  Departures: 32 Gaussians, not 256, and no quarters among the regions,
for sets of a few hundred images; square roots of SIFT (Arandjelović, Zisserman 2012); SIFT and
colour in one classifier, where Section 4 adds the scores of two.
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
    """The regions of a grid, level by level, row by row; they overlap where it has few points."""
    for down, along in levels:
        for vertical in intervals(rows, down):
            for horizontal in intervals(columns, along):
                yield ..., vertical, horizontal


def intervals(points: int, count: int) -> list[slice]:
    """`count` intervals that cover `points` points, none of them empty."""
    return [slice(k * points // count, -(-(k + 1) * points // count)) for k in range(count)]


class SpatialPyramid(nn.Module):
    """The mean over each region, weighted by its level.  [N,K,scales,rows,columns] -> [N,R*K]

    Level l of 0 to L divides height and width by 2^l and weighs 1 / 2^(L-l+1), level 0 as much as
    level 1 (Equation 3).
    """

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.levels = tuple((2**level, 2**level) for level in range(depth + 1))

    def forward(self, x: Tensor) -> Tensor:
        x, depth = x.mean(2), len(self.levels) - 1
        means = []
        for level, division in enumerate(self.levels):
            weight = 2.0 ** (max(level, 1) - depth - 1) / (division[0] * division[1])
            means += [
                weight * x[region].mean((2, 3)) for region in regions((division,), *x.shape[-2:])
            ]
        return torch.cat(means, dim=1)

    def extra_repr(self) -> str:
        return f"depth={len(self.levels) - 1}"


class SignedSquareRoot(nn.Module):
    """Power normalisation with exponent 1/2: sign(x) * sqrt(|x|).  [...] -> same"""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sign(x) * x.abs().sqrt()


class L2Normalize(nn.Module):
    """Each of `parts` equal parts divided by its L2 norm; 0 stays 0.  [N,F] -> [N,F]"""

    def __init__(self, parts: int = 1) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x.unflatten(1, (self.parts, -1)), dim=2).flatten(1)

    def extra_repr(self) -> str:
        return f"parts={self.parts}"


PYRAMID_DEPTH = 2  # of the pyramid: 1 + 4 + 16 regions


def bag_of_words(num_classes: int = 15, *, num_words: int = 200) -> nn.Sequential:
    """A bag of visual words of SIFT descriptors.  [N,3,H,W] -> [N,num_classes]"""
    return chain(
        grey=Grey(),
        sift=DenseSift(),
        words=VisualWords(128, num_words),
        pyramid=SpatialPyramid(PYRAMID_DEPTH),
        root=SignedSquareRoot(),
        length=L2Normalize(),
        fc=nn.Linear(num_words * sum(4**level for level in range(PYRAMID_DEPTH + 1)), num_classes),
    )


class VisualWords(nn.Module):
    """Hard assignment: 1 for the nearest word, 0 for the others.  [N,D,...] -> [N,words,...]"""

    means: Tensor

    def __init__(self, inputs: int, num_words: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(num_words, inputs))

    def forward(self, x: Tensor) -> Tensor:
        similarity = x.flatten(2).mT @ self.means.mT - 0.5 * (self.means**2).sum(1)
        nearest = similarity.argmax(dim=2)[:, None]
        one_hot = torch.zeros_like(similarity.mT, memory_format=torch.contiguous_format)
        return one_hot.scatter(1, nearest, 1).unflatten(2, x.shape[2:])

    def extra_repr(self) -> str:
        words, inputs = self.means.shape
        return f"{inputs}, {words}"


class PCAProjection(nn.Module):
    """Projection on fitted principal components.  [N,D,...] -> [N,outputs,...]"""

    mean: Tensor
    components: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("components", torch.eye(outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        projected = self.components @ x.flatten(2) - (self.components @ self.mean)[:, None]
        return projected.unflatten(2, x.shape[2:])

    def extra_repr(self) -> str:
        outputs, inputs = self.components.shape
        return f"{inputs}, {outputs}"


PCA_DIMS = 64  # dimensions of a descriptor after the projection
LEVELS = ((1, 1), (3, 1))  # rows, columns


def fisher(num_classes: int = 20, *, gaussians: int = 32) -> nn.Sequential:
    """Fisher vectors of SIFT and colour statistics.  [N,3,H,W] -> [N,num_classes]"""
    groups = 2 * sum(down * along for down, along in LEVELS)
    return chain(
        describe=Concat(sift=sift_branch(gaussians), colour=colour_branch(gaussians)),
        root=SignedSquareRoot(),
        length=L2Normalize(groups),
        fc=nn.Linear(groups * 2 * gaussians * PCA_DIMS, num_classes),
    )


def sift_branch(gaussians: int) -> nn.Sequential:
    """Fisher vectors of SIFT descriptors.  [N,3,H,W] -> [N,regions*2*gaussians*64]"""
    return chain(
        grey=Grey(),
        sift=DenseSift(),
        root=SignedSquareRoot(),
        reduce=PCAProjection(128, PCA_DIMS),
        fisher=FisherVector(PCA_DIMS, gaussians, levels=LEVELS),
    )


def colour_branch(gaussians: int) -> nn.Sequential:
    """Fisher vectors of colour statistics.  [N,3,H,W] -> [N,regions*2*gaussians*64]"""
    return chain(
        colour=ColourStatistics(),
        reduce=PCAProjection(96, PCA_DIMS),
        fisher=FisherVector(PCA_DIMS, gaussians, levels=LEVELS),
    )


class FisherVector(nn.Module):
    """The concatenated Fisher vectors of an image's regions.

    [N,D,scales,rows,columns] -> [N,regions*2*K*D]; of each region K*D gradients of the means, then
    K*D of the deviations.  `levels` are the rows and columns into which the image is divided.
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
        posteriors = self.scores(x.flatten(2)).softmax(dim=1).unflatten(2, x.shape[2:])
        vectors = [
            self._gradients(x, posteriors, region) for region in regions(self.levels, *x.shape[-2:])
        ]
        return torch.cat(vectors, dim=1)

    def scores(self, x: Tensor) -> Tensor:
        """The log of each Gaussian's weight times its density.  [N,D,P] -> [N,K,P]"""
        precisions = 1 / self.variances
        constant = self.weights.log() - 0.5 * (
            (self.variances.log() + self.means**2 * precisions).sum(1)
            + self.means.shape[1] * math.log(2 * math.pi)
        )
        score = (self.means * precisions) @ x - (0.5 * precisions) @ (x * x)
        return score + constant[:, None]

    def _gradients(self, x: Tensor, posteriors: Tensor, region: Region) -> Tensor:
        """One region's normalised gradients (Sánchez 2013, Equations 17 and 18).

        x [N,D,scales,rows,columns], posteriors [N,K,scales,rows,columns] -> [N,2*K*D]
        """
        x, posteriors = x[region].flatten(2), posteriors[region].flatten(2)
        count = x.shape[2]
        total = posteriors.sum(2)[:, :, None] / count
        first = posteriors @ x.mT / count
        second = posteriors @ (x * x).mT / count
        root, deviations = self.weights.sqrt()[:, None], self.variances.sqrt()
        mean_gradient = (first - total * self.means) / (root * deviations)
        deviation_gradient = (
            second - 2 * first * self.means + total * self.means**2
        ) / self.variances - total
        return torch.cat(
            [mean_gradient.flatten(1), (deviation_gradient / (math.sqrt(2) * root)).flatten(1)],
            dim=1,
        )

    def extra_repr(self) -> str:
        gaussians, inputs = self.means.shape
        return f"{inputs}, {gaussians}, levels={self.levels}"


MAX_ITERATIONS = 100  # of expectation-maximisation
TOLERANCE = 0.01  # nats a descriptor; an iteration that gains less is the last
VARIANCE_FLOOR = 1e-3  # of the descriptors' own variance
EPSILON = 1e-6  # added to the variance, in case all descriptors are equal
BATCH_SIZE = 8192  # descriptors at a time


def k_means(descriptors: Tensor, count: int, seed: int) -> Tensor:
    """The cluster centres of k-means (Lloyd's algorithm from k-means++).  [n,D] -> [count,D]"""
    from sklearn.cluster import KMeans

    clusters = KMeans(count, max_iter=50, random_state=seed).fit(descriptors.cpu().numpy())
    return torch.from_numpy(clusters.cluster_centers_)


def fit_gaussian_mixture(row: FisherVector, descriptors: Tensor, seed: int) -> None:
    """Fit a Gaussian mixture to descriptors [n,D] by EM (Dempster, Laird, Rubin 1977).

    It starts from the cluster centres of k-means, with equal variances and weights.
    """
    variance = descriptors.var(0, correction=0) + EPSILON
    row.means.copy_(k_means(descriptors, len(row.means), seed))
    row.variances.copy_(variance.expand_as(row.means))
    row.weights.fill_(1 / len(row.weights))
    previous = -torch.inf
    for _ in range(MAX_ITERATIONS):
        likelihood = em_step(row, descriptors, VARIANCE_FLOOR * variance)
        if likelihood - previous < TOLERANCE:
            return
        previous = likelihood


def em_step(row: FisherVector, descriptors: Tensor, min_variance: Tensor) -> float:
    """One EM iteration on descriptors [n,D]; returns the mean log likelihood before it, in nats.

    `min_variance` [D].
    """
    gaussians, size = row.means.shape
    likelihood = 0.0
    totals = descriptors.new_zeros(gaussians, 1, dtype=torch.float64)
    first = descriptors.new_zeros(gaussians, size, dtype=torch.float64)
    second = torch.zeros_like(first)
    for batch in descriptors.split(BATCH_SIZE):
        score = row.scores(batch.mT[None])[0]
        posteriors = score.softmax(0)
        likelihood += float(score.logsumexp(0).double().sum())
        totals += posteriors.sum(1, keepdim=True)
        first += posteriors @ batch
        second += posteriors @ (batch * batch)
    counts = totals.clamp_min(torch.finfo(torch.float32).eps)
    mean = first / counts
    row.weights.copy_((counts / counts.sum())[:, 0])
    row.means.copy_(mean)
    row.variances.copy_((second / counts - mean * mean).maximum(min_variance))
    return likelihood / len(descriptors)
