"""Fitting classical models row by row, without gradient descent.

Each row is fitted to the outputs of the rows before it, on some of the images; the last, a linear
support vector machine, on all of them.  The same images and seed give the same weights.
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

C_VALUES = (0.01, 0.1, 1.0, 10.0, 100.0)  # inverse regularisation strengths to choose from
FOLDS = 3
RANK_TOLERANCE = 1e-6  # of the largest eigenvalue; a smaller one is rounding


def fit_svm(classifier: nn.Linear, features: Tensor, targets: Tensor, seed: int) -> tuple[str, ...]:
    """Fit one-vs-rest linear SVMs to features [N,F] and targets [N]; returns how C was chosen.

    With more features than images they are fitted in the row space of the features, which contains
    the solution (the representer theorem).
    """
    directions = row_space(features)
    x = (features @ directions if directions is not None else features).double().cpu().numpy()
    classes = targets.cpu().numpy()
    c, note = select_c(x, classes, seed)
    svm = linear_svm(c, seed).fit(x, classes)
    weight, bias = torch.from_numpy(svm.coef_), torch.from_numpy(svm.intercept_)
    if len(weight) == 1:  # for two classes scikit-learn fits only the second
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    if directions is not None:
        weight = weight.to(directions) @ directions.mT
    classifier.weight.copy_(weight)
    classifier.bias.copy_(bias)
    return (note,)


def row_space(features: Tensor) -> Tensor | None:
    """An orthonormal basis of the row space where N < F, else None.  [N,F] -> [F,<=N]"""
    if features.shape[1] <= features.shape[0]:
        return None
    values, vectors = torch.linalg.eigh((features @ features.mT).double())
    significant = values > RANK_TOLERANCE * values[-1]
    return features.mT @ (vectors[:, significant] * values[significant].rsqrt()).float()


def linear_svm(c: float, seed: int) -> Any:
    """scikit-learn's linear SVM, not fitted yet."""
    from sklearn.svm import LinearSVC

    return LinearSVC(C=c, random_state=seed, max_iter=10_000)


def select_c(x: NDArray[np.float64], targets: NDArray[np.int64], seed: int) -> tuple[float, str]:
    """The C of the highest cross-validated accuracy, the smallest of equals, and a note on it.

    x [N,F], targets [N]
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    smallest = int(np.bincount(targets).min())
    if smallest < 2:
        return 1.0, "C = 1: a class with one image leaves nothing to choose it on"
    folds = StratifiedKFold(min(FOLDS, smallest), shuffle=True, random_state=seed)
    scores = {
        c: cross_val_score(linear_svm(c, seed), x, targets, cv=folds).mean() for c in C_VALUES
    }
    best = max(scores, key=lambda c: scores[c])
    accuracy = f"{100 * scores[best]:.1f} % in {folds.n_splits}-fold cross-validation"
    return best, f"C = {best:g} of the linear SVM: {accuracy}"


FIT_IMAGES = 500  # images from which descriptors are drawn
DESCRIPTORS_PER_IMAGE = 128
BATCH_SIZE = 16  # images at a time


class IndexedImages(Protocol):
    """Images that can be taken by index."""

    def __len__(self) -> int: ...

    def take(self, index: Tensor) -> Tensor:
        """The images at these places.  [n] int64 -> [n,C,H,W]"""
        ...


Progress = Callable[[int, int], None]  # images done, images in all


@torch.inference_mode()
def fit(
    model: nn.Sequential, images: IndexedImages, targets: Tensor, seed: int, progress: Progress
) -> tuple[str, ...]:
    """Fit `model` to images [N,C,H,W] and classes [N]; returns notes on choices and warnings."""
    features, notes = fitted_features(model, images, seed, progress)
    *_, classifier = model.children()
    assert isinstance(classifier, nn.Linear)
    with _captured_warnings() as messages:
        notes += fit_svm(classifier, features, targets, seed)
    return *notes, *messages


@torch.inference_mode()
def fitted_features(
    model: nn.Sequential, images: IndexedImages, seed: int, progress: Progress
) -> tuple[Tensor, tuple[str, ...]]:
    """Fit all rows but the last, which sees classes; the features [N,F] of all images, and notes.

    images [N,C,H,W]
    """
    model.eval()
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(images), generator=generator)[:FIT_IMAGES].sort().values
    device = next(model.parameters()).device
    batches = [images.take(index).to(device) for index in chosen.split(BATCH_SIZE)]
    notes = tuple(_fit_rows(model, batches, generator))
    return _features(model[:-1], images, device, progress), notes


@torch.inference_mode()
def held_out_decisions(features: Tensor, targets: Tensor, folds: Tensor, seed: int) -> Tensor:
    """The signed distance of each image to each hyperplane, by SVMs fitted without its fold.

    C is the one of the highest accuracy on these folds, the smallest of equals.
    features [N,F], targets [N], folds [N] int64 -> [N,K] float64
    """
    directions = row_space(features)
    x = (features @ directions if directions is not None else features).double().cpu().numpy()
    classes, fold = targets.cpu().numpy(), folds.numpy()
    best, highest = np.empty(0), -1.0
    with _captured_warnings():
        for c in C_VALUES:
            decisions = np.zeros((len(x), int(classes.max()) + 1))
            for k in np.unique(fold):
                rest = fold != k
                svm = linear_svm(c, seed).fit(x[rest], classes[rest])
                said = svm.decision_function(x[~rest])
                decisions[~rest] = said if said.ndim == 2 else np.stack([-said, said], 1) / 2
            accuracy = float((decisions.argmax(1) == classes).mean())
            if accuracy > highest:
                best, highest = decisions, accuracy
    return torch.from_numpy(best)


def _features(
    rows: nn.Module, images: IndexedImages, device: torch.device, progress: Progress
) -> Tensor:
    """The features of all images, the classifier's inputs.  -> [N,F]"""
    outputs: list[Tensor] = []
    for index in torch.arange(len(images)).split(BATCH_SIZE):
        outputs.append(rows(images.take(index).to(device)))
        progress(int(index[-1]) + 1, len(images))
    return torch.cat(outputs)


def _fit_rows(rows: nn.Module, batches: list[Tensor], generator: torch.Generator) -> Iterator[str]:
    """Fit the rows that have a fitter, each to the outputs of those before it; yields warnings."""
    layers = list(rows.children())
    while layers and not _has_fitter(layers[-1]):
        layers.pop()
    for index, row in enumerate(layers):
        if isinstance(row, Concat):
            for branch in row.children():
                yield from _fit_rows(branch, batches, generator)
        elif type(row) in FITTERS:
            with _captured_warnings() as notes:
                FITTERS[type(row)](row, _flatten(batches), generator.initial_seed())
            yield from notes
        if index < len(layers) - 1:
            batches = [_sample(row(batch), generator) for batch in batches]


def _has_fitter(row: nn.Module) -> bool:
    return any(type(module) in FITTERS for module in row.modules())


def _sample(x: Tensor, generator: torch.Generator) -> Tensor:
    """At most 128 descriptors of each image, drawn at random.  [N,D,...] -> [N,D,128,1,1]

    What is no descriptors yet, [N,C,H,W], stays as it is.
    """
    if x.dim() < 5:
        return x
    x = x.flatten(2)
    chosen = torch.randperm(x.shape[2], generator=generator)[:DESCRIPTORS_PER_IMAGE].sort().values
    return x[:, :, chosen, None, None]


def _flatten(batches: list[Tensor]) -> Tensor:
    """All descriptors of several batches [N,D,...].  -> [descriptors,D]"""
    return torch.cat([batch.flatten(2).mT.flatten(0, 1) for batch in batches])


@contextmanager
def _captured_warnings() -> Iterator[list[str]]:
    """The first sentences of warnings, a list that is filled when the block ends."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    notes += dict.fromkeys(str(warning.message).split(". ")[0] for warning in caught)


def _fit_projection(row: PCAProjection, descriptors: Tensor, seed: int) -> None:
    """PCA of descriptors [n,D]; each component's largest value is positive."""
    mean = descriptors.double().mean(0)
    _, vectors = torch.linalg.eigh((descriptors.double() - mean).mT.cov())
    components = vectors.mT.flip(0)[: len(row.components)]
    largest = components.gather(1, components.abs().argmax(1, keepdim=True))
    row.mean.copy_(mean)
    row.components.copy_(components * largest.sign())


def _fit_words(row: VisualWords, descriptors: Tensor, seed: int) -> None:
    row.means.copy_(k_means(descriptors, len(row.means), seed))


FITTERS: dict[type, Callable[..., None]] = {
    PCAProjection: _fit_projection,
    FisherVector: fit_gaussian_mixture,
    VisualWords: _fit_words,
}
