"""A last layer that was fitted in closed form, and the folds that choose its penalty."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.loader import permutation
from saccade.errors import DataError

TINY = 1e-12  # share of the largest eigenvalue below which a direction is rounding


@dataclass(frozen=True)
class Head:
    """A row that makes a network's answers of its features, and how well it held out."""

    row: nn.Module  # [N,D] -> [N,K]
    description: str  # what was chosen, and by what
    held_out_predictions: Tensor | None = None  # [N,K] of each image, by a fit that had not seen it


@dataclass(frozen=True)
class PrincipalFeatures:
    """Features in the directions that they spread in, largest first: lengths and angles are kept.

    `z [N,R]` float64 are the centred features over one common scale; `turn [D,R]` leads there.
    """

    z: Tensor
    rotation: Tensor
    mean: Tensor  # [D]
    scale: Tensor  # one number

    @classmethod
    def of(cls, features: Tensor) -> PrincipalFeatures:
        """[N,D] -> at most N and at most D directions"""
        x = features.double()
        mean = x.mean(dim=0)
        x = x - mean
        scale = x.square().mean().sqrt().clamp_min(1e-30)
        x = x / scale
        few = x.shape[0] <= x.shape[1]
        values, vectors = torch.linalg.eigh(x @ x.T if few else x.T @ x)
        kept = values > TINY * values[-1].clamp_min(TINY)
        values, vectors = values[kept].flip(0), vectors[:, kept].flip(1)
        turn = x.T @ vectors / values.sqrt() if few else vectors
        return cls(x @ turn, turn, mean, scale)

    def linear(self, weights: Tensor, bias: Tensor) -> nn.Linear:
        """The layer on the features themselves that is `weights [R,K]`, `bias [K]` on z."""
        weight = (self.rotation @ weights).T / self.scale
        return linear_layer(weight, bias - weight @ self.mean)


def linear_layer(weight: Tensor, bias: Tensor) -> nn.Linear:
    """The linear layer with these numbers, in float32.  [K,D], [K]"""
    outputs, inputs = weight.shape
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def one_hot_targets(targets: Tensor) -> Tensor:
    """Classes as columns of 0 and 1, labels and numbers as they are.  [N] or [N,K] -> [N,K]"""
    return (F.one_hot(targets) if targets.dim() == 1 else targets).double()


def held_out_score(predictions: Tensor, targets: Tensor) -> float:
    """The share of classes hit, of labels told right, or R2.  [N,K], [N] or [N,K]"""
    if targets.dim() == 1:
        return float((predictions.argmax(dim=1) == targets).double().mean())
    missed = (predictions - targets).square().sum()
    return float(1 - missed / (targets - targets.mean(dim=0)).square().sum())


FOLDS = 5


def stratified_folds(targets: Tensor, seed: int = 0) -> Tensor:
    """The portion of each image, every class spread over all of them.  [N] or [N,K] -> [N] int64

    Five portions, or as many as the smallest class has images.  Raises `DataError` for a class of
    a single image, which cannot be both learned and held out.
    """
    classes = targets if targets.dim() == 1 else torch.zeros(len(targets), dtype=torch.int64)
    smallest = int(classes.bincount().min()) if len(classes) else 0
    if smallest < 2:
        raise DataError(
            "a class has a single image: nothing can be held out to choose a penalty by",
            "set model.head=nearest_mean, which chooses none, or add an image",
        )
    portion, count = torch.empty(len(classes), dtype=torch.int64), min(FOLDS, smallest)
    dealt = 0
    for k in range(int(classes.max()) + 1):
        members = (classes == k).nonzero().flatten()
        order = torch.from_numpy(permutation(len(members), seed, k))
        portion[members[order]] = (torch.arange(len(members)) + dealt) % count
        dealt += len(members)
    return portion
