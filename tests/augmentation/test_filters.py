"""Erase and Cutout: which pixels go, by hand."""

from __future__ import annotations

import math

import torch

from saccade.augmentation.filters import Cutout, RandomErasing, rectangles
from saccade.data.batch import Batch


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def white(count: int, height: int, width: int) -> Batch:
    images = torch.full((count, 3, height, width), 255).byte()
    return Batch(images, torch.arange(count), torch.arange(count))


def test_a_rectangle_holds_the_pixels_whose_middle_it_holds():
    inside = rectangles(torch.tensor([[1.0, 0, 3, 1], [-5, 1, 2, 9]]), (3, 4))
    assert inside.int().tolist() == [
        [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]],
    ]


def test_erased_rectangles_have_the_areas_of_the_paper():
    images = RandomErasing(1, fill="zeros")(white(2000, 40, 40), chance()).images
    gone = (images[:, 0] == 0).float()
    area = gone.mean((1, 2))
    assert 0.015 < area.min() < 0.03 and 0.3 < area.max() < 0.36  # whole pixels of 0.02 to 0.33
    heights, widths = gone.amax(2).sum(1), gone.amax(1).sum(1)
    assert torch.equal(heights * widths, gone.sum((1, 2)))  # one full rectangle each
    large = area > 0.1
    ratio = (heights / widths)[large].log()
    assert ratio.abs().max() < math.log(1 / 0.3) + 0.2
    assert ratio.mean().abs() < 0.1


def test_erasing_happens_as_often_as_asked_for_and_everywhere():
    images = RandomErasing(0.4, fill="zeros")(white(3000, 16, 16), chance()).images
    gone = images[:, 0] == 0
    assert abs(gone.flatten(1).any(1).float().mean() - 0.4) < 0.04
    assert gone.any(0).all()


def test_a_cutout_is_a_square_that_the_edge_may_cut():
    images = Cutout(6, fill="zeros")(white(2000, 20, 30), chance()).images
    gone = (images[:, 0] == 0).flatten(1).sum(1)
    assert gone.max() == 36 and gone.min() == 9  # its middle stands on the last pixel of a corner
    assert (images[:, 0] == 0).any(0).all()


def test_what_is_gone_is_filled_with_the_mean_or_with_noise():
    images = torch.zeros(1, 1, 4, 4)
    images[..., :2] = 100
    given = Batch(images, torch.zeros(1), torch.zeros(1).long())
    mean = Cutout(100)(given, chance()).images
    assert torch.equal(mean, torch.full((1, 1, 4, 4), 50.0))
    noise = Cutout(100, fill="noise")(given, chance()).images
    assert noise.unique().numel() == 16 and noise.max() <= 255
