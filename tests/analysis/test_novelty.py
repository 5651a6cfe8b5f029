from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from saccade.analysis.novelty import Mahalanobis, Neighbours, limit
from saccade.errors import DataError
from saccade.metrics.roc_area import roc_area


@pytest.fixture
def known() -> tuple[torch.Tensor, torch.Tensor]:
    """Features [120,6] of three classes, spread differently in each direction, and the classes."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(120) % 3
    centres = torch.randn(3, 6, generator=generator) * 5
    spread = torch.tensor([0.1, 0.5, 1.0, 1.0, 2.0, 3.0])
    return centres[targets] + torch.randn(120, 6, generator=generator) * spread, targets


def test_mahalanobis_agrees_with_scikit_learn(known) -> None:
    features, targets = known
    new = torch.randn(30, 6, generator=torch.Generator().manual_seed(1)) * 5
    means = torch.stack([features[targets == k].double().mean(0) for k in range(3)])
    inside = (features.double() - means[targets]).numpy()
    reference = LedoitWolf(assume_centered=True).fit(inside)
    squared = [reference.mahalanobis((new.double() - mean).numpy()) for mean in means]
    expected = np.sqrt(np.min(squared, axis=0))
    np.testing.assert_allclose(Mahalanobis.fit(*known).score(new), expected, rtol=1e-9)


def test_a_distance_counts_in_spreads_not_in_units() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(20_000, 2, generator=generator) * torch.tensor([1.0, 10.0])
    distance = Mahalanobis.fit(features, torch.zeros(20_000, dtype=torch.int64))
    scores = distance.score(torch.tensor([[3.0, 0.0], [0.0, 30.0], [0.0, 3.0]]))
    assert scores.tolist() == pytest.approx([3, 3, 0.3], abs=0.1)


def test_fewer_pictures_than_features_have_a_distance_all_the_same() -> None:
    features = torch.randn(8, 50, generator=torch.Generator().manual_seed(0))
    scores = Mahalanobis.fit(features, torch.arange(8) % 2).score(features)
    assert scores.isfinite().all()


def test_features_that_are_all_alike_are_refused() -> None:
    with pytest.raises(DataError, match="all alike"):
        Mahalanobis.fit(torch.ones(6, 3), torch.arange(6) % 2)


@pytest.mark.parametrize("k", [1, 10])
def test_neighbours_agree_with_scikit_learn(k, known) -> None:
    new = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))
    reference = NearestNeighbors(n_neighbors=k).fit(normalize(known[0].numpy()))
    expected = reference.kneighbors(normalize(new.numpy()))[0][:, -1]
    found = Neighbours.fit(known[0], k).score(new)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_both_scores_are_higher_for_pictures_of_something_else(known) -> None:
    strange = torch.randn(60, 6, generator=torch.Generator().manual_seed(2)) * 5
    fitted, held = known[0][:90], known[0][90:]
    for distance in (Mahalanobis.fit(fitted, known[1][:90]), Neighbours.fit(fitted)):
        scores = torch.cat([distance.score(held), distance.score(strange)])
        positive = torch.arange(len(scores)) >= len(held)
        assert float(roc_area(scores, positive, torch.ones(1, len(scores)).double())) > 0.9


def test_a_limit_by_hand() -> None:
    # of 19 known scores the largest: a twentieth lies above all with 1/20
    assert limit(torch.arange(19).flip(0)) == 18
    assert limit(torch.arange(39)) == 37
    assert limit(torch.arange(99), 0.1) == 89
    assert math.isinf(limit(torch.arange(18)))


def test_the_limit_keeps_the_share_of_false_alarms_that_it_promises() -> None:
    generator, alarms = torch.Generator().manual_seed(0), 0
    for _ in range(2000):
        scores = torch.rand(41, generator=generator)
        alarms += float(scores[40]) > limit(scores[:40], 0.1)
    assert alarms / 2000 == pytest.approx(0.1, abs=0.025)
