"""Mixtures of Gaussians with diagonal covariances, and the k means that they start from."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.classical.fisher_vector import FisherVector

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


def fit_mixture(row: FisherVector, descriptors: Tensor, seed: int) -> None:
    """Maximum likelihood by expectation and maximisation (Dempster, Laird, Rubin 1977).

    The first Gaussians sit at the k means, all as wide and as heavy.
    """
    variance = descriptors.var(0, correction=0) + LEAST
    row.means.copy_(k_means(descriptors, len(row.means), seed))
    row.variances.copy_(variance.expand_as(row.means))
    row.weights.fill_(1 / len(row.weights))
    before = -torch.inf
    for _ in range(ROUNDS):
        likelihood = maximise(row, descriptors, FLOOR * variance)
        if likelihood - before < GAIN:
            return
        before = likelihood


def maximise(row: FisherVector, descriptors: Tensor, narrowest: Tensor) -> float:
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
