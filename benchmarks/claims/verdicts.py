"""How often the fit diagnosis is wrong: networks whose fit is known, on drawn images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from claims.laws import Law, classes, independent
from saccade.metrics.fit_diagnosis import Mistakes, fit_diagnosis
from saccade.metrics.intervals import proportion_interval
from saccade.metrics.metric import MetricValue

FALLING = [{"epoch": k, "loss": 1 / k, "val_loss": 1.2 / k} for k in range(1, 9)]


@dataclass(frozen=True)
class Fit:
    """What a network gets right of its training images and of others, and what may be said."""

    name: str
    train: Law
    val: Law
    noise: float  # share of labels that are wrong, of either
    right: frozenset[str]  # diagnoses


def fits() -> list[Fit]:
    """Networks that fit, overfit, underfit, and good ones whose labels are wrong."""
    best, good, hard = (classes(a, [0.1] * 10, images=50_000) for a in (0.995, 0.93, 0.8))
    return [
        Fit("0.995 right of both", best, best, 0.0, frozenset({"good fit"})),
        Fit("0.995 right, held out 0.8", best, hard, 0.0, frozenset({"overfitted"})),
        Fit("0.8 right of both: hard images", hard, hard, 0.0, frozenset({"underfitted"})),
        Fit("0.93 right of both: hard images", good, good, 0.0, frozenset({"underfitted"})),
        Fit("0.995 right, 10 % of labels wrong", best, best, 0.1, frozenset()),
        Fit("0.995 right, 30 % of labels wrong", best, best, 0.3, frozenset()),
        Fit("0.93 right, 20 % of labels wrong", good, good, 0.2, frozenset()),
    ]


def diagnosed(fit: Fit, n: int, draws: int) -> Counter[str]:
    """How often each diagnosis is given, of n training images and as many others."""
    generator, counts = torch.Generator().manual_seed(n), Counter()
    for _ in range(draws):
        (_, _, train), (confidences, answers, val) = (
            _answers(law, n, fit.noise, generator) for law in (fit.train, fit.val)
        )
        first, second = (
            MetricValue("accuracy", _mean(x), n, _interval(x), "%") for x in (train, val)
        )
        mistakes = Mistakes.of(confidences, answers, val)
        counts[fit_diagnosis(FALLING, first, second, mistakes=mistakes).kind] += 1
    return counts


def _answers(
    law: Law, n: int, noise: float, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Confidences, predicted classes, and whether they are the given ones.  -> [N] each"""
    probabilities, targets = law.draw(independent(n, generator))
    wrong = torch.rand(n, generator=generator) < noise
    step = torch.randint(1, probabilities.shape[1], (n,), generator=generator)
    given = torch.where(wrong, (targets + step) % probabilities.shape[1], targets)
    confidences, answers = probabilities.max(dim=1)
    return confidences, answers, answers == given


def _mean(correct: Tensor) -> float:
    return float(correct.double().mean())


def _interval(correct: Tensor):
    return proportion_interval(int(correct.sum()), len(correct))
