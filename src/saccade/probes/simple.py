"""Heads in closed form: nearest mean, k nearest neighbours, ridge regression.

Nearest mean: Mensink 2013, "Distance-based image classification: generalizing to new classes at
near-zero cost".  kNN: Cover, Hart 1967, "Nearest neighbor pattern classification".  Ridge: Hoerl,
Kennard 1970, "Ridge regression"; its leave-one-out predictions need no second fit (Allen 1974, "The
relationship between variable selection and data augmentation").
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

    Distances are in units of the standard deviation within classes, less a constant that is the
    same for all classes.  features [N,V,D], targets [N] int64.
    """
    x = features.double().flatten(0, 1)
    one_hot = one_hot_targets(targets.repeat_interleave(features.shape[1]))
    centres = one_hot.T @ x / one_hot.sum(dim=0)[:, None]
    within = (x - one_hot @ centres).square().sum()
    degrees_of_freedom = (len(x) - len(centres)) * x.shape[1]
    total_variance = (x - x.mean(dim=0)).square().mean()  # where no class has two images
    variance = (
        within / degrees_of_freedom if degrees_of_freedom and float(within) else total_variance
    ).clamp_min(1e-30)
    weight = centres / variance
    bias = -centres.square().sum(dim=1) / (2 * variance)
    return Head(linear_layer(weight, bias), "nearest class mean, nothing to choose")


K_VALUES = (1, 3, 5, 10, 20)


def knn(features: Tensor, targets: Tensor) -> Head:
    """A kNN classifier with the k of the highest leave-one-out accuracy.

    features [N,V,D], all copies of an image left out together; targets [N] int64.
    """
    images, copies, _ = features.shape
    labels = one_hot_targets(targets).repeat_interleave(copies, dim=0)
    row = KNNClassifier(features.flatten(0, 1), labels, 1)
    similarity = F.normalize(features[:, 0].float()) @ row.bank.T
    image_index = torch.arange(images).repeat_interleave(copies)
    similarity[torch.arange(images)[:, None] == image_index] = -2  # below every cosine
    largest = max(1, (images - 1) * copies)
    ranked = similarity.topk(min(max(K_VALUES), largest), dim=1).indices
    k_values = [k for k in K_VALUES if k <= largest]
    predictions = [row.votes(ranked[:, :k]).exp() for k in k_values]
    scores = [held_out_score(votes, targets) for votes in predictions]
    best = scores.index(max(scores))
    row.k.fill_(k_values[best])
    description = f"the nearest {k_values[best]} of {images} images, by leaving each out"
    return Head(row, description, predictions[best])


PENALTIES = tuple(10.0**k for k in range(-3, 8))  # of features with a mean square of 1


def ridge(features: Tensor, targets: Tensor, *, penalties: Sequence[float] = PENALTIES) -> Head:
    """Ridge regression with the penalty of the least leave-one-out squared error.

    features [N,V,D]: V copies of each image, left out together, the plain one first.
    targets [N] int64 classes, fitted one-hot, or [N,K] numbers.
    """
    images, copies, _ = features.shape
    principal = PrincipalFeatures.of(features.flatten(0, 1))
    columns = one_hot_targets(targets)
    mean = columns.mean(dim=0)
    y = (columns - mean).repeat_interleave(copies, dim=0)
    eigenvalues = principal.z.square().sum(dim=0)  # [R]
    fits = []
    for penalty in penalties:
        weights = (principal.z.T @ y) / (eigenvalues + penalty)[:, None]
        left_out = y - _loo_residuals(principal.z, y, weights, eigenvalues + penalty, copies)
        error = float((left_out - y).square().mean())
        fits.append((error, penalty, weights, left_out))
    error, penalty, weights, left_out = min(fits, key=lambda entry: entry[:2])
    predictions = left_out.view(images, copies, -1)[:, 0] + mean
    description = f"ridge, penalty {penalty:g} by leaving each image out"
    return Head(principal.linear(weights, mean), description, predictions)


def _loo_residuals(z: Tensor, y: Tensor, weights: Tensor, divisor: Tensor, copies: int) -> Tensor:
    """Leave-one-out residuals, all V copies of an image left out together.

    z [N*V,R], y [N*V,K], weights [R,K], divisor [R] -> [N*V,K]
    """
    n = len(z)
    groups = z.view(n // copies, copies, -1)
    hat = 1 / n + (groups / divisor) @ groups.transpose(1, 2)  # [N,V,V], of the hat matrix
    complement = torch.eye(copies, dtype=z.dtype) - hat
    residuals = (y - z @ weights).view(n // copies, copies, -1)
    return torch.linalg.lstsq(complement, residuals).solution.reshape(n, -1)
