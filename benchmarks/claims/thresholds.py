"""How often thresholds and prediction sets keep their word on fresh images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from claims.laws import Groups, Law, independent
from saccade.metrics.conformal import prediction_sets
from saccade.metrics.selective import Cuts, worth

FRESH = 200_000  # images that the effect of a threshold is known from


@dataclass
class Kept:
    """Of one target: how many draws got a threshold, missed the target, and what they answer."""

    draws: int = 0
    told: int = 0
    missed: int = 0
    answered: float = 0.0  # summed share of fresh images
    peer_told: int = 0
    peer_missed: int = 0
    best: float = 0.0  # the share that the best threshold answers


def precision_kept(
    law: Law, target: float, n: int, draws: int, groups: Groups | None = None
) -> Kept:
    """For thresholds of a precision; beside it the lowest that reaches it on the same images."""
    generator = torch.Generator().manual_seed(n)
    fresh, truth = law.draw(independent(FRESH, generator))
    sure, right = _answers(fresh, truth)
    everywhere = Cuts.of(sure, right)
    reached = (everywhere.correct / everywhere.answered >= target).nonzero()
    kept = Kept(best=float(everywhere.answered[reached[-1, 0]]) / FRESH if len(reached) else 0.0)
    for _ in range(draws):
        normal, group = groups.draw(generator) if groups else (independent(n, generator), None)
        confidences, correct = _answers(*law.draw(normal))
        cuts, kept.draws = Cuts.of(confidences, correct), kept.draws + 1
        value = cuts.scaled(worth(correct, group)).for_precision(target)
        if value is not None:
            answered = sure >= value
            kept.told += 1
            kept.answered += float(answered.double().mean())
            kept.missed += float(right[answered].double().mean()) < target
        shown = (cuts.correct / cuts.answered >= target).nonzero()
        if len(shown):
            kept.peer_told += 1
            answered = sure >= float(cuts.values[shown[-1, 0]])
            kept.peer_missed += float(right[answered].double().mean()) < target
    return kept


def sets_held(
    law: Law, level: float, n: int, draws: int, groups: Groups | None = None
) -> tuple[float, float]:
    """The share of fresh images whose set holds the class, on average, and the mean size."""
    generator = torch.Generator().manual_seed(n)
    fresh, truth = law.draw(independent(FRESH // 10, generator))
    held = size = 0.0
    for _ in range(draws):
        normal, group = groups.draw(generator) if groups else (independent(n, generator), None)
        probabilities, targets = law.draw(normal)
        members = prediction_sets(probabilities, targets, level, groups=group).members(fresh)
        held += float(members.gather(1, truth[:, None]).double().mean()) / draws
        size += float(members.sum(dim=1).double().mean()) / draws
    return held, size


def _answers(probabilities: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Confidence and correctness of each answer."""
    return probabilities.amax(dim=1), probabilities.argmax(dim=1) == targets
