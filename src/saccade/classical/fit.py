"""fit: a classical network's rows, one after the other, from training pictures.

Each row learns from what the rows before it make of the pictures; the last, a linear classifier,
from all of them.  The same pictures and seed give the same weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from saccade.classical.bag_of_words import Words
from saccade.classical.fisher_vector import FisherVector
from saccade.classical.machine import fit_machine
from saccade.classical.mixture import fit_mixture, k_means
from saccade.classical.projection import Projection
from saccade.layers.concat import Concat

LOOKED_AT = 500  # pictures from which descriptors are drawn
DRAWN = 128  # descriptors of a picture
PORTION = 16  # pictures at a time


class Taken(Protocol):
    """Pictures that are handed out by their places."""

    def __len__(self) -> int: ...
    def take(self, index: Tensor) -> Tensor: ...


Progress = Callable[[int, int], None]  # pictures done, in all


@torch.inference_mode()
def fit(
    model: nn.Sequential, pictures: Taken, targets: Tensor, seed: int, progress: Progress
) -> tuple[str, ...]:
    """Fit `model` to pictures [N,C,H,W] and classes [N]; gives what is to be said about it."""
    model.eval()
    chance = torch.Generator().manual_seed(seed)
    some = torch.randperm(len(pictures), generator=chance)[:LOOKED_AT].sort().values
    place = next(model.parameters()).device
    parts = [pictures.take(part).to(place) for part in some.split(PORTION)]
    notes = list(_fit_rows(model, parts, chance))
    *_, classifier = model.children()
    assert isinstance(classifier, nn.Linear)
    features = _features(model[:-1], pictures, place, progress)
    with _notes() as warned:
        notes += fit_machine(classifier, features, targets, seed)
    return *notes, *warned


def _features(rows: nn.Module, pictures: Taken, place: torch.device, progress: Progress) -> Tensor:
    """What the classifier is to see.  [N,F]"""
    found: list[Tensor] = []
    for part in torch.arange(len(pictures)).split(PORTION):
        found.append(rows(pictures.take(part).to(place)))
        progress(int(part[-1]) + 1, len(pictures))
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
    """At most 128 descriptors a picture, as scales of a single point.  [N,D,...] -> [N,D,128,1,1]

    Pictures that are no descriptors yet stay as they are.
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


def _fit_projection(row: Projection, descriptors: Tensor, seed: int) -> None:
    """The directions of the largest variance, each with its largest number above 0."""
    mean = descriptors.double().mean(0)
    _, vectors = torch.linalg.eigh((descriptors.double() - mean).mT.cov())
    found = vectors.mT.flip(0)[: len(row.components)]
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    row.mean.copy_(mean)
    row.components.copy_(found * largest.sign())


def _fit_words(row: Words, descriptors: Tensor, seed: int) -> None:
    row.means.copy_(k_means(descriptors, len(row.means), seed))


LEARNERS: dict[type, Callable[..., None]] = {
    Projection: _fit_projection,
    FisherVector: fit_mixture,
    Words: _fit_words,
}
