"""Either: one of the parts for the whole batch, as often as the other."""

from __future__ import annotations

import pytest
import torch

from saccade.augmentation.augmentation import RandomChoice
from saccade.augmentation.catalogue import parse_augmentation
from saccade.augmentation.geometry import Flip, VerticalFlip
from saccade.augmentation.mix import CutMix, Mixup
from saccade.data.batch import Batch
from saccade.errors import RecipeError


def batch() -> Batch:
    images = torch.arange(2 * 1 * 2 * 2.0).view(2, 1, 2, 2)
    return Batch(images, torch.arange(2), torch.arange(2))


def test_a_text_with_a_bar_is_either():
    assert parse_augmentation("mixup:0.4|cutmix:1", classes=7) == RandomChoice(
        (Mixup(0.4, 7), CutMix(1, 7))
    )


def test_what_stands_beside_a_bar_has_to_be_an_augmentation():
    with pytest.raises(RecipeError, match="no augmentation is called 'cutmx'"):
        parse_augmentation("mixup|cutmx")


def test_the_whole_batch_has_one_draw_and_each_part_half_of_the_batches():
    either = RandomChoice((Flip(1), VerticalFlip(1)))
    generator = torch.Generator().manual_seed(0)
    across = batch().images.flip(3)
    down = batch().images.flip(2)
    seen = [either(batch(), generator).images for _ in range(400)]
    count = sum(torch.equal(images, across) for images in seen)
    assert count + sum(torch.equal(images, down) for images in seen) == 400
    assert abs(count - 200) < 4 * 10  # four deviations of 400 throws of a coin


def test_the_same_state_draws_the_same_part_and_the_next_state_may_draw_another():
    either = RandomChoice((Flip(1), VerticalFlip(1)))
    one, other = (torch.Generator().manual_seed(3) for _ in range(2))
    first = [either(batch(), one).images for _ in range(8)]
    second = [either(batch(), other).images for _ in range(8)]
    assert all(torch.equal(a, b) for a, b in zip(first, second))
    assert len({tuple(images.flatten().tolist()) for images in first}) == 2


def test_a_batch_goes_through_whole_so_that_pieces_do_not_draw_for_themselves():
    assert RandomChoice((Flip(), VerticalFlip())).mixes
