from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from saccade.engine.ood import Novelty
from saccade.metrics.ranking import roc_auc


@pytest.fixture
def features() -> torch.Tensor:
    """Features [120,6] of three classes, spread differently in each direction."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(120) % 3
    centres = torch.randn(3, 6, generator=generator) * 5
    spread = torch.tensor([0.1, 0.5, 1.0, 1.0, 2.0, 3.0])
    return centres[targets] + torch.randn(120, 6, generator=generator) * spread


def test_images_of_something_else_are_more_novel(features) -> None:
    outliers = torch.randn(60, 6, generator=torch.Generator().manual_seed(2)) * 5
    train, held_out, new = features.split((60, 30, 30))
    shares = Novelty.fit(train, held_out).score(torch.cat([new, outliers]))
    positive = torch.arange(len(shares)) >= len(new)
    assert float(roc_auc(shares, positive)(torch.ones(1, len(shares)).double())) > 0.9


def test_novelty_is_the_share_of_held_out_images_nearer_to_a_training_image(features) -> None:
    train, held_out = features[:90], features[90:]
    new = torch.randn(40, 6, generator=torch.Generator().manual_seed(3)) * 4
    nearest = NearestNeighbors(n_neighbors=1).fit(normalize(train.numpy()))
    scale, scores = (nearest.kneighbors(normalize(x.numpy()))[0][:, 0] for x in (held_out, new))
    expected = [(scale < score).sum() / 31 for score in scores]
    result = Novelty.fit(train, held_out).score(new)
    # features are kept to three digits: one of thirty held-out images may change sides
    np.testing.assert_allclose(result, expected, atol=1.01 / 31)
    assert float((result - torch.tensor(expected)).abs().mean()) < 0.003


def test_novelty_by_hand() -> None:
    """One training image along x; held-out ones 90, 30 and 60 degrees away."""
    angles = torch.tensor([90.0, 30.0, 60.0]).deg2rad()
    held_out = torch.stack([angles.cos(), angles.sin()], dim=1) * torch.tensor(
        [[1.0], [7.0], [0.2]]
    )
    novelty = Novelty.fit(torch.tensor([[5.0, 0.0]]), held_out)
    new = torch.tensor([[3.0, 0.0], [1.0, 1.0], [0.0, -1.0], [-1.0, 0.0]])  # 0, 45, 90, 180
    assert novelty.score(new).tolist() == [0, 1 / 4, 2 / 4, 3 / 4]
    assert novelty.highest == 3 / 4
    assert novelty.mean_score([new[:2], new[2:]]).tolist() == [(0 + 2 / 4) / 2, (1 / 4 + 3 / 4) / 2]


def test_no_more_images_like_the_held_out_ones_are_novel_than_promised() -> None:
    generator, beyond = torch.Generator().manual_seed(0), 0
    train = torch.randn(30, 4, generator=generator)
    for _ in range(1000):
        novelty = Novelty.fit(train, torch.randn(40, 4, generator=generator))
        beyond += float(novelty.score(torch.randn(1, 4, generator=generator))) > 0.9
    # above 0.9 of 41 are 37 of 40 held-out ones or more, so the last 4 of 41 places
    assert beyond / 1000 == pytest.approx(4 / 41, abs=0.03) and 4 / 41 < 0.1


def test_wide_features_are_remembered_of_fewer_images() -> None:
    novelty = Novelty.fit(torch.rand(900, 10_000), torch.rand(3, 10_000))
    assert novelty.bank.shape == (400, 10_000)  # of two bytes: eight million in all
    assert novelty.bytes == 8_000_000 + 3 * 8


@pytest.mark.parametrize("images", [1, 3, 200])
def test_distances_are_those_that_pytorch_calculates(images: int) -> None:
    generator = torch.Generator().manual_seed(0)
    train, held_out, others = (torch.randn(n, 84, generator=generator) for n in (300, 90, images))
    novelty = Novelty.fit(train, held_out)
    bank = novelty.bank.double()

    def nearest(features: torch.Tensor) -> torch.Tensor:
        return torch.cdist(F.normalize(features.double()), bank).amin(1)

    torch.testing.assert_close(novelty.known, nearest(held_out).sort().values, rtol=0, atol=1e-12)
    nearer = (novelty.known < nearest(others)[:, None]).sum(1)
    assert novelty.score(others).tolist() == (nearer / 91).double().tolist()
