"""Heads without iterations: nearest mean, k nearest neighbours, ridge regression.

Nearest mean: Mensink 2013, "Distance-based image classification: generalizing to new classes at
near-zero cost".  kNN: Cover, Hart 1967, "Nearest neighbor pattern classification".  Ridge: Hoerl,
Kennard 1970, "Ridge regression"; what it would say of an image that it had not seen needs no second
fit (Allen 1974, "The relationship between variable selection and data augmentation").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.models.layers.historic import KNNClassifier
from saccade.probes.head import (
    Head,
    PrincipalFeatures,
    held_out_score,
    linear_layer,
    one_hot_targets,
)


def nearest_mean(features: Tensor, targets: Tensor) -> Head:
    """The layer whose logits are minus half the squared distances to the class means.

    They are measured in units of the spread within the classes, and less a number that is the same
    for all classes.  features [N,V,D], targets [N] int64.
    """
    x = features.double().flatten(0, 1)
    columns = one_hot_targets(targets.repeat_interleave(features.shape[1]))
    centres = columns.T @ x / columns.sum(dim=0)[:, None]
    within = (x - columns @ centres).square().sum()
    free = (len(x) - len(centres)) * x.shape[1]
    around = (x - x.mean(dim=0)).square().mean()  # where no class has two images
    variance = (within / free if free and float(within) else around).clamp_min(1e-30)
    weight = centres / variance
    bias = -centres.square().sum(dim=1) / (2 * variance)
    return Head(linear_layer(weight, bias), "nearest class mean, nothing to choose")


K_VALUES = (1, 3, 5, 10, 20)


def knn(features: Tensor, targets: Tensor) -> Head:
    """The row with as many neighbours as are most often right of each image left out.

    features [N,V,D], all views of an image left out together; targets [N] int64.
    """
    images, views, _ = features.shape
    answers = one_hot_targets(targets).repeat_interleave(views, dim=0)
    row = KNNClassifier(features.flatten(0, 1), answers, 1)
    similar = F.normalize(features[:, 0].float()) @ row.bank.T
    own = torch.arange(images).repeat_interleave(views)
    similar[torch.arange(images)[:, None] == own] = -2  # below every cosine
    most = max(1, (images - 1) * views)
    ranked = similar.topk(min(max(K_VALUES), most), dim=1).indices
    counts = [k for k in K_VALUES if k <= most]
    said = [row.votes(ranked[:, :k]).exp() for k in counts]
    scores = [held_out_score(votes, targets) for votes in said]
    best = scores.index(max(scores))
    row.k.fill_(counts[best])
    words = f"the nearest {counts[best]} of {images} images, by leaving each out"
    return Head(row, words, said[best])


PENALTIES = tuple(10.0**k for k in range(-3, 8))  # of features with a mean square of 1


def ridge(features: Tensor, targets: Tensor, *, penalties: Sequence[float] = PENALTIES) -> Head:
    """The layer with the least squared error on images left out.

    features [N,V,D]: V views of each image, left out together, the plain one first.
    targets [N] int64 classes, learned as columns of 0 and 1, or [N,K] numbers.
    """
    images, views, _ = features.shape
    rotated = PrincipalFeatures.of(features.flatten(0, 1))
    columns = one_hot_targets(targets)
    mean = columns.mean(dim=0)
    y = (columns - mean).repeat_interleave(views, dim=0)
    spread = rotated.z.square().sum(dim=0)  # [R]
    found = []
    for penalty in penalties:
        weights = (rotated.z.T @ y) / (spread + penalty)[:, None]
        left_out = y - _missed(rotated.z, y, weights, spread + penalty, views)
        error = float((left_out - y).square().mean())
        found.append((error, penalty, weights, left_out))
    error, penalty, weights, left_out = min(found, key=lambda entry: entry[:2])
    plain = left_out.view(images, views, -1)[:, 0] + mean
    words = f"ridge, penalty {penalty:g} by leaving each image out"
    return Head(rotated.linear(weights, mean), words, plain)


def _missed(z: Tensor, y: Tensor, weights: Tensor, divisor: Tensor, views: int) -> Tensor:
    """By how much each image's views would be missed by a fit without them.  [N*V,K]"""
    n = len(z)
    groups = z.view(n // views, views, -1)
    own = 1 / n + (groups / divisor) @ groups.transpose(1, 2)  # [N,V,V], of the hat matrix
    rest = torch.eye(views, dtype=z.dtype) - own
    residuals = (y - z @ weights).view(n // views, views, -1)
    return torch.linalg.lstsq(rest, residuals).solution.reshape(n, -1)
