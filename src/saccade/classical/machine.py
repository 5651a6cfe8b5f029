"""The linear support vector machine behind a classical network's features."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

COSTS = (0.01, 0.1, 1.0, 10.0, 100.0)  # C: what a mistake costs beside long weights
FOLDS = 3
RANK = 1e-6  # a direction with a smaller share of the largest variance is rounding


def fit_machine(
    classifier: nn.Linear, features: Tensor, targets: Tensor, seed: int
) -> tuple[str, ...]:
    """Fit one machine a class against all others; gives how its C was chosen, in words.

    With more features than pictures the pictures' own directions are as good as all features: the
    solution lies in them (the representer theorem), and there are fewer.
    """
    directions = span(features)
    x = (features @ directions if directions is not None else features).double().cpu().numpy()
    classes = targets.cpu().numpy()
    cost, note = best_cost(x, classes, seed)
    machine = linear_machine(cost, seed).fit(x, classes)
    weight, bias = torch.from_numpy(machine.coef_), torch.from_numpy(machine.intercept_)
    if len(weight) == 1:  # of two classes scikit-learn knows the second alone
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    if directions is not None:
        weight = weight.to(directions) @ directions.mT
    classifier.weight.copy_(weight)
    classifier.bias.copy_(bias)
    return (note,)


def span(features: Tensor) -> Tensor | None:
    """Orthogonal directions in which the pictures lie, where those are fewer.  [N,F] -> [F,<=N]"""
    if features.shape[1] <= features.shape[0]:
        return None
    values, vectors = torch.linalg.eigh((features @ features.mT).double())
    kept = values > RANK * values[-1]
    return features.mT @ (vectors[:, kept] * values[kept].rsqrt()).float()


def linear_machine(cost: float, seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=cost, random_state=seed, max_iter=10_000)


def best_cost(x: NDArray[np.float64], targets: NDArray[np.int64], seed: int) -> tuple[float, str]:
    """The C of the highest accuracy in cross-validation, the smallest among equals; in words."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    fewest = int(np.bincount(targets).min())
    if fewest < 2:
        return 1.0, "C = 1: a class with one picture leaves nothing to choose it on"
    folds = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    scores = {
        cost: cross_val_score(linear_machine(cost, seed), x, targets, cv=folds).mean()
        for cost in COSTS
    }
    best = max(scores, key=lambda cost: scores[cost])
    share = f"{100 * scores[best]:.1f} % in {folds.n_splits}-fold cross-validation"
    return best, f"C = {best:g} of the linear machine: {share}"
