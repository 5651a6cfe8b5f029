"""What the tests of metrics share: answers of many shapes, and plain ways to ask for a number."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic


@pytest.fixture
def valued() -> Callable:
    """The value of a statistic of N images, each as it is."""

    def value(statistic: Statistic, n: int) -> float:
        return float(statistic(torch.ones(1, n, dtype=torch.float64))[0])

    return value


@pytest.fixture
def quietly() -> Callable:
    """Another library's answer without its warnings on undefined numbers."""

    def call(function, *args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)

    return call


def _answers(n: int, num_classes: int, seed: int, levels: int | None, there: int | None):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(n, num_classes, generator=generator, dtype=torch.float64) ** 3
    if levels:
        scores = (scores * levels).ceil()
    targets = torch.randint(0, there or num_classes, (n,), generator=generator)
    return scores / scores.sum(dim=1, keepdim=True), targets


CASES = {
    "plain": (200, 7, 0, None, None),
    "two classes": (150, 2, 1, None, None),
    "ties": (300, 4, 2, 3, None),
    "absent classes": (120, 6, 3, None, 3),
    "few": (7, 5, 4, 2, None),
}


@pytest.fixture(params=CASES.values(), ids=list(CASES))
def answers(request) -> tuple[Tensor, Tensor]:
    """Probabilities [N,K] float64 and true classes [N] of several kinds."""
    return _answers(*request.param)


@pytest.fixture
def labels() -> tuple[Tensor, Tensor]:
    """Probabilities [150,5] of labels and the labels, 0 or 1; the last one is nowhere."""
    generator = torch.Generator().manual_seed(5)
    probabilities = torch.rand(150, 5, generator=generator).mul(20).round().div(20)
    targets = (torch.rand(150, 5, generator=generator) < probabilities * 0.7).float()
    targets[:, 4] = 0
    return probabilities, targets
