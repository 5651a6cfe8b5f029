"""Policies: what is drawn, and how often."""

from __future__ import annotations

import pytest
import torch

from saccade.augmentation.augmentation import Compose
from saccade.augmentation.geometry import Flip, VerticalFlip
from saccade.augmentation.policies import OneOf, RandAugment, TrivialAugment
from saccade.data.batch import Batch


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int) -> Batch:
    images = torch.randint(0, 256, (count, 3, 16, 16), generator=chance(3)).byte()
    return Batch(images, torch.arange(count), torch.arange(count))


def test_one_of_gives_each_part_its_share_of_whole_images():
    given = batch(900)
    seen = OneOf((Flip(1), VerticalFlip(1), Compose(())))(given, chance()).images
    for expected in (given.images.flip(3), given.images.flip(2), given.images):
        alike = (seen == expected).flatten(1).all(1)
        assert alike.float().mean() == pytest.approx(1 / 3, abs=0.07)


def test_no_strength_only_leaves_what_has_no_strength():
    """Autocontrast and equalize, 2 of 12, change; the identities of ten do not, twice: 25/36."""
    given = batch(600)
    seen = RandAugment(0)(given, chance()).images
    same = (seen - given.images).abs().flatten(1).amax(1) < 0.01
    stretched = given.images.amin((2, 3)).eq(0).all(1) & given.images.amax((2, 3)).eq(255).all(1)
    assert same[~stretched].float().mean() == pytest.approx(25 / 36, abs=0.08)


def test_more_strength_changes_more():
    given = batch(200)
    by = [(RandAugment(s)(given, chance()).images - given.images).abs().mean() for s in (3, 9, 30)]
    assert by[0] < by[1] < by[2]


def test_trivial_augment_leaves_a_twelfth_alone():
    given = batch(1200)
    seen = TrivialAugment()(given, chance()).images
    same = (seen == given.images).flatten(1).all(1).float().mean()
    # the identity, and of posterize's seven numbers of bits the last
    assert same == pytest.approx(1 / 12 + 1 / 12 / 7, abs=0.035)
