"""Classical networks, in order of year, and how their rows are fitted, one after the other.

Each row learns from what the rows before it make of the images; the last, a linear support vector
machine, from all of them.  The same images and seed give the same weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from saccade.classical.encode import (
    FisherVector,
    PCAProjection,
    VisualWords,
    fit_gaussian_mixture,
    k_means,
)
from saccade.models.layers.blocks import Concat

COSTS = (0.01, 0.1, 1.0, 10.0, 100.0)  # C: what a mistake costs beside long weights
FOLDS = 3
RANK = 1e-6  # a direction with a smaller share of the largest variance is rounding


def fit_svm(classifier: nn.Linear, features: Tensor, targets: Tensor, seed: int) -> tuple[str, ...]:
    """Fit one machine a class against all others; gives how its C was chosen, in words.

    With more features than images the images' own directions are as good as all features: the
    solution lies in them (the representer theorem), and there are fewer.
    """
    directions = row_space(features)
    x = (features @ directions if directions is not None else features).double().cpu().numpy()
    classes = targets.cpu().numpy()
    cost, note = select_c(x, classes, seed)
    machine = linear_svm(cost, seed).fit(x, classes)
    weight, bias = torch.from_numpy(machine.coef_), torch.from_numpy(machine.intercept_)
    if len(weight) == 1:  # of two classes scikit-learn knows the second alone
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    if directions is not None:
        weight = weight.to(directions) @ directions.mT
    classifier.weight.copy_(weight)
    classifier.bias.copy_(bias)
    return (note,)


def row_space(features: Tensor) -> Tensor | None:
    """Orthogonal directions in which the images lie, where those are fewer.  [N,F] -> [F,<=N]"""
    if features.shape[1] <= features.shape[0]:
        return None
    values, vectors = torch.linalg.eigh((features @ features.mT).double())
    kept = values > RANK * values[-1]
    return features.mT @ (vectors[:, kept] * values[kept].rsqrt()).float()


def linear_svm(cost: float, seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=cost, random_state=seed, max_iter=10_000)


def select_c(x: NDArray[np.float64], targets: NDArray[np.int64], seed: int) -> tuple[float, str]:
    """The C of the highest accuracy in cross-validation, the smallest among equals; in words."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    fewest = int(np.bincount(targets).min())
    if fewest < 2:
        return 1.0, "C = 1: a class with one image leaves nothing to choose it on"
    folds = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    scores = {
        cost: cross_val_score(linear_svm(cost, seed), x, targets, cv=folds).mean() for cost in COSTS
    }
    best = max(scores, key=lambda cost: scores[cost])
    share = f"{100 * scores[best]:.1f} % in {folds.n_splits}-fold cross-validation"
    return best, f"C = {best:g} of the linear SVM: {share}"


FIT_IMAGES = 500  # images from which descriptors are drawn
DRAWN = 128  # descriptors of an image
PORTION = 16  # images at a time


class IndexedImages(Protocol):
    """Images that are handed out by their places."""

    def __len__(self) -> int: ...
    def take(self, index: Tensor) -> Tensor: ...


Progress = Callable[[int, int], None]  # images done, in all


@torch.inference_mode()
def fit(
    model: nn.Sequential, images: IndexedImages, targets: Tensor, seed: int, progress: Progress
) -> tuple[str, ...]:
    """Fit `model` to images [N,C,H,W] and classes [N]; gives what is to be said about it."""
    model.eval()
    chance = torch.Generator().manual_seed(seed)
    some = torch.randperm(len(images), generator=chance)[:FIT_IMAGES].sort().values
    place = next(model.parameters()).device
    parts = [images.take(part).to(place) for part in some.split(PORTION)]
    notes = list(_fit_rows(model, parts, chance))
    *_, classifier = model.children()
    assert isinstance(classifier, nn.Linear)
    features = _features(model[:-1], images, place, progress)
    with _notes() as warned:
        notes += fit_svm(classifier, features, targets, seed)
    return *notes, *warned


def _features(
    rows: nn.Module, images: IndexedImages, place: torch.device, progress: Progress
) -> Tensor:
    """What the classifier is to see.  [N,F]"""
    found: list[Tensor] = []
    for part in torch.arange(len(images)).split(PORTION):
        found.append(rows(images.take(part).to(place)))
        progress(int(part[-1]) + 1, len(images))
    return torch.cat(found)


def _fit_rows(rows: nn.Module, parts: list[Tensor], chance: torch.Generator) -> Iterator[str]:
    """Fit the rows that learn from descriptors, each on what those before it make of `parts`."""
    every = list(rows.children())
    while every and not _learns(every[-1]):
        every.pop()
    for place, row in enumerate(every):
        if isinstance(row, Concat):
            for branch in row.children():
                yield from _fit_rows(branch, parts, chance)
        elif type(row) in LEARNERS:
            with _notes() as notes:
                LEARNERS[type(row)](row, _listed(parts), chance.initial_seed())
            yield from notes
        if place < len(every) - 1:
            parts = [_drawn(row(part), chance) for part in parts]


def _learns(row: nn.Module) -> bool:
    return any(type(module) in LEARNERS for module in row.modules())


def _drawn(x: Tensor, chance: torch.Generator) -> Tensor:
    """At most 128 descriptors an image, as scales of a single point.  [N,D,...] -> [N,D,128,1,1]

    Images that are no descriptors yet stay as they are.
    """
    if x.dim() < 5:
        return x
    x = x.flatten(2)
    some = torch.randperm(x.shape[2], generator=chance)[:DRAWN].sort().values
    return x[:, :, some, None, None]


def _listed(parts: list[Tensor]) -> Tensor:
    """All descriptors.  [[N,D,...]] -> [descriptors,D]"""
    return torch.cat([part.flatten(2).mT.flatten(0, 1) for part in parts])


@contextmanager
def _notes() -> Iterator[list[str]]:
    """What scikit-learn warns of as a list of lines, filled when the block ends."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    notes += dict.fromkeys(str(warning.message).split(". ")[0] for warning in caught)


def _fit_projection(row: PCAProjection, descriptors: Tensor, seed: int) -> None:
    """The directions of the largest variance, each with its largest number above 0."""
    mean = descriptors.double().mean(0)
    _, vectors = torch.linalg.eigh((descriptors.double() - mean).mT.cov())
    found = vectors.mT.flip(0)[: len(row.components)]
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    row.mean.copy_(mean)
    row.components.copy_(found * largest.sign())


def _fit_words(row: VisualWords, descriptors: Tensor, seed: int) -> None:
    row.means.copy_(k_means(descriptors, len(row.means), seed))


LEARNERS: dict[type, Callable[..., None]] = {
    PCAProjection: _fit_projection,
    FisherVector: fit_gaussian_mixture,
    VisualWords: _fit_words,
}
