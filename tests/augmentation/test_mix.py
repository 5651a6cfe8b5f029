"""Mixup and CutMix by hand; their shares against scipy's Beta."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from saccade.augmentation import augmentation
from saccade.augmentation.augmentation import compose
from saccade.augmentation.geometry import Flip
from saccade.augmentation.mix import CutMix, Mixup, beta, cutmix, mixup, shares
from saccade.data.batch import Batch
from saccade.errors import RecipeError


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def two() -> Batch:
    images = torch.stack((torch.full((1, 2, 4), 40.0), torch.full((1, 2, 4), 200.0)))
    return Batch(images, torch.tensor([[1.0, 0], [0, 1]]), torch.arange(2))


def test_mixup_is_the_weighted_mean_of_images_and_targets():
    mixed = mixup(two(), torch.tensor([1, 0]), torch.tensor([0.75, 1.0]))
    assert mixed.images[0].unique().item() == 0.75 * 40 + 0.25 * 200
    assert mixed.images[1].unique().item() == 200
    assert mixed.targets.tolist() == [[0.75, 0.25], [0, 1]]


def test_cutmix_pastes_a_rectangle_and_counts_what_is_seen_of_it():
    boxes = torch.tensor([[2.0, -1, 9, 1], [0, 0, 0, 2]])
    mixed = cutmix(two(), torch.tensor([1, 0]), boxes)
    assert mixed.images[0, 0].tolist() == [[40, 40, 200, 200], [40, 40, 40, 40]]
    assert mixed.images[1].unique().item() == 200
    assert mixed.targets.tolist() == [[0.75, 0.25], [0, 1]]


def test_numbers_and_several_labels_are_mixed_as_they_are():
    given = Batch(two().images, torch.tensor([10.0, 20.0]), torch.arange(2))
    mixed = mixup(given, torch.tensor([1, 0]), torch.tensor([0.5, 0.9]))
    torch.testing.assert_close(mixed.targets, torch.tensor([15.0, 19.0]))


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0])
def test_shares_are_drawn_from_the_beta_distribution(alpha: float):
    drawn = beta(alpha, 3000, chance())
    assert torch.isfinite(drawn).all()
    # near 0 and 1 the densest values are the same in single precision: compare in between
    inner = drawn[(drawn > 1e-4) & (drawn < 1 - 1e-4)].double().numpy()
    whole = stats.beta(alpha, alpha)
    low, high = whole.cdf(1e-4), whole.cdf(1 - 1e-4)
    assert len(inner) / 3000 == pytest.approx(high - low, abs=0.04)
    test = stats.kstest(inner, lambda x: (whole.cdf(x) - low) / (high - low))
    assert test.pvalue > 0.001


def test_every_target_says_how_much_of_each_image_is_seen():
    """Images of one value each: the value must be the mean of all under the target's shares."""
    values = torch.arange(40) * 6.0
    images = values[:, None, None, None].expand(40, 1, 12, 12)
    given = Batch(images, torch.arange(40), torch.arange(40))
    for kind in (Mixup(1.0, classes=40), CutMix(1.0, classes=40)):
        mixed = kind(given, chance())
        torch.testing.assert_close(mixed.images.mean((1, 2, 3)), mixed.targets @ values)


def test_class_positions_need_the_number_of_classes():
    assert shares(torch.tensor([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    given = Batch(two().images, torch.tensor([0, 1]), torch.arange(2))
    with pytest.raises(RecipeError, match="how many classes"):
        Mixup(0.2)(given, chance())


def test_images_meet_across_the_whole_batch_even_where_the_rest_goes_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(augmentation, "CHUNK_VALUES", 1 << 20)
    count = 700  # 3 x 32 x 32: three pieces
    images = torch.zeros(count, 3, 32, 32).byte()
    given = Batch(images, torch.arange(count), torch.arange(count))
    mixed = compose([Flip(), Mixup(1.0, classes=count), Flip()])(given, chance())
    first = mixed.targets[:300].clone()
    first[torch.arange(300), torch.arange(300)] = 0
    assert first[:, 400:].sum() > 10
