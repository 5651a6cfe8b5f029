"""Heads fitted to features, and the folds of the cross-validation that chooses their penalty."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.loader import permutation
from saccade.errors import DataError

TOLERANCE = 1e-12  # of the largest eigenvalue; a smaller one is rounding


@dataclass(frozen=True)
class Head:
    """A fitted last layer, and its predictions for held-out images."""

    row: nn.Module  # [N,D] -> [N,K]
    description: str  # the hyperparameters, and how they were chosen
    held_out_predictions: Tensor | None = None  # [N,K] of each image, by a fit without it


@dataclass(frozen=True)
class PrincipalFeatures:
    """Centred features in the basis of their principal components, over one common scale.

    (x - mean) @ rotation / scale; distances and angles stay what they were, but for the scale.
    """

    z: Tensor  # [N,R] float64, R at most N and at most D, the largest variance first
    rotation: Tensor  # [D,R]
    mean: Tensor  # [D]
    scale: Tensor  # []

    @classmethod
    def of(cls, features: Tensor) -> PrincipalFeatures:
        """The principal components of features [N,D], from the smaller of the two Gram matrices."""
        x = features.double()
        mean = x.mean(dim=0)
        x = x - mean
        scale = x.square().mean().sqrt().clamp_min(1e-30)
        x = x / scale
        use_gram = x.shape[0] <= x.shape[1]
        values, vectors = torch.linalg.eigh(x @ x.T if use_gram else x.T @ x)
        significant = values > TOLERANCE * values[-1].clamp_min(TOLERANCE)
        values, vectors = values[significant].flip(0), vectors[:, significant].flip(1)
        rotation = x.T @ vectors / values.sqrt() if use_gram else vectors
        return cls(x @ rotation, rotation, mean, scale)

    def linear(self, weights: Tensor, bias: Tensor) -> nn.Linear:
        """The layer on features [N,D] that equals weights [R,K] and bias [K] on z."""
        weight = (self.rotation @ weights).T / self.scale
        return linear_layer(weight, bias - weight @ self.mean)


def linear_layer(weight: Tensor, bias: Tensor) -> nn.Linear:
    """The linear layer with these weights [K,D] and biases [K], in float32."""
    outputs, inputs = weight.shape
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def one_hot_targets(targets: Tensor) -> Tensor:
    """Classes [N] one-hot, labels and numbers [N,K] as they are.  -> [N,K] float64"""
    return (F.one_hot(targets) if targets.dim() == 1 else targets).double()


def held_out_score(predictions: Tensor, targets: Tensor) -> float:
    """Accuracy for classes [N], R2 for labels or numbers [N,K].  predictions [N,K] -> float"""
    if targets.dim() == 1:
        return float((predictions.argmax(dim=1) == targets).double().mean())
    residual = (predictions - targets).square().sum()
    return float(1 - residual / (targets - targets.mean(dim=0)).square().sum())


FOLDS = 5


def stratified_folds(targets: Tensor, seed: int = 0) -> Tensor:
    """The fold of each image in stratified k-fold cross-validation.  [N] or [N,K] -> [N] int64

    Five folds, or as many as the smallest class has images.  Raises `DataError` for a class of a
    single image, which cannot be both learned and held out.
    """
    classes = targets if targets.dim() == 1 else torch.zeros(len(targets), dtype=torch.int64)
    smallest = int(classes.bincount().min()) if len(classes) else 0
    if smallest < 2:
        raise DataError(
            "a class has a single image: nothing can be held out to choose a penalty by",
            "set model.head=nearest_mean, which chooses none, or add an image",
        )
    folds, count = torch.empty(len(classes), dtype=torch.int64), min(FOLDS, smallest)
    offset = 0
    for k in range(int(classes.max()) + 1):
        members = (classes == k).nonzero().flatten()
        order = torch.from_numpy(permutation(len(members), seed, k))
        folds[members[order]] = (torch.arange(len(members)) + offset) % count
        offset += len(members)
    return folds
