"""Grow: the sizes of the stages by hand, and pixels beside torchvision's resize."""

from __future__ import annotations

import pytest
import torch
import torchvision.transforms.v2.functional as theirs

from saccade.augmentation.crop import ProgressiveResizing, stage_sizes
from saccade.data.batch import Batch


def batch(side: int) -> Batch:
    images = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
    return Batch(images, torch.arange(2), torch.arange(2))


@pytest.mark.parametrize(
    "whole, share, expected",
    [
        (224, 0.5, (128, 160, 192, 224)),  # 112, 149.3, 186.7 in units of 32
        (32, 0.5, (16, 20, 28, 32)),  # 16, 21.3, 26.7 in units of 4
        (176, 0.7, (128, 128, 160, 176)),  # 123.2, 140.8, 158.4
        (227, 1.0, (227, 227, 227, 227)),
        (227, 0.9, (192, 224, 224, 227)),  # 204.3, 211.9, 219.4
        (28, 0.1, (4, 12, 20, 28)),  # 2.8, 11.2, 19.6
        (3, 0.5, (3, 3, 3, 3)),
    ],
)
def test_sizes_rise_evenly_to_the_whole(whole: int, share: float, expected: tuple[int, ...]):
    assert stage_sizes(whole, share) == expected


@pytest.mark.parametrize(
    "done, side", [(0, 16), (0.249, 16), (0.25, 20), (0.5, 28), (0.75, 32), (1, 32)]
)
def test_a_stage_is_a_quarter_of_the_training(done: float, side: int):
    seen = ProgressiveResizing(0.5, lambda: done)(batch(32), torch.Generator())
    assert seen.images.shape == (2, 3, side, side)


def test_pixels_are_torchvisions_antialiased_bilinear_ones():
    given = batch(32)
    seen = ProgressiveResizing(0.5, lambda: 0)(given, torch.Generator()).images
    expected = theirs.resize(given.images.float(), [16, 16], antialias=True)
    torch.testing.assert_close(seen, expected)
    assert seen.min() >= 0 and seen.max() <= 255


def test_nothing_is_drawn_and_nothing_is_written():
    given, generator = batch(32), torch.Generator().manual_seed(1)
    before, state = given.images.clone(), generator.get_state()
    seen = ProgressiveResizing(0.5, lambda: 0)(given, generator)
    assert torch.equal(generator.get_state(), state)
    assert torch.equal(given.images, before)
    assert torch.equal(seen.targets, given.targets)
