"""Poisson regression on features, held to scikit-learn's."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import PoissonRegressor

from saccade.probes.head import PrincipalFeatures
from saccade.probes.logistic import poisson


def drawn(seed: int, count: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and counts over their mean, whose logarithm is linear in two of them."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, 5, generator=generator, dtype=torch.float64)
    rates = (0.8 + 0.6 * features[:, 0] - 0.4 * features[:, 1]).exp()
    counts = torch.poisson(rates, generator=generator)
    return features, (counts / counts.mean())[:, None]


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_the_layer_is_that_of_scikit_learn(penalty: float) -> None:
    features, targets = drawn(0)
    row = poisson(features[:, None], targets, penalties=(penalty,)).row
    scale = float(
        PrincipalFeatures.of(features).scale
    )  # of the features' mean square, in which we penalise
    oracle = PoissonRegressor(alpha=penalty, tol=1e-10, max_iter=1000)
    oracle.fit(((features - features.mean(0)) / scale).numpy(), targets.flatten().numpy())
    logarithms = row(features.float()).detach().flatten().exp()
    expected = oracle.predict(((features - features.mean(0)) / scale).numpy())
    torch.testing.assert_close(
        logarithms.double(), torch.from_numpy(expected), rtol=1e-3, atol=1e-4
    )


def test_what_it_says_of_images_left_out_is_a_rate_near_the_truth() -> None:
    features, targets = drawn(1)
    head = poisson(features[:, None], targets)
    assert head.held_out_predictions is not None
    assert bool((head.held_out_predictions > 0).all())
    explained = (
        1 - (head.held_out_predictions - targets).square().sum() / (targets - 1).square().sum()
    )
    assert float(explained) > 0.3
    assert head.description.startswith("Poisson, penalty ")


def test_two_views_of_an_image_are_left_out_together() -> None:
    features, targets = drawn(2, 60)
    once = poisson(features[:, None], targets, penalties=(0.1,))
    twice = poisson(features[:, None].repeat(1, 2, 1), targets, penalties=(0.1,))
    assert once.held_out_predictions is not None and twice.held_out_predictions is not None
    torch.testing.assert_close(
        once.held_out_predictions, twice.held_out_predictions, rtol=1e-4, atol=1e-5
    )
