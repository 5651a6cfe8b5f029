"""The sheet: its size, and that it shows what training sees."""

from __future__ import annotations

import numpy as np
import torch

from saccade.audit.sheets import sheet
from saccade.augmentation.augmentation import compose
from saccade.augmentation.geometry import Flip
from saccade.augmentation.mix import Mixup


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (3, 3, 8, 8), generator=generator).byte()


def test_a_sheet_shows_each_image_as_it_is_and_then_as_training_sees_it():
    rows = {"flip": Flip(1), "nothing": compose([])}
    drawn = sheet(images(), rows, torch.Generator(), copies=2, size=16)
    pixels = np.asarray(drawn)
    left = drawn.width - 2 * 20
    for row, shown in enumerate((images()[0].flip(2), images()[1])):
        top = 4 + row * (16 + 4)
        for x, image in ((left - 28, images()[row]), (left, shown), (left + 20, shown)):
            seen = pixels[top : top + 16 : 2, x : x + 16 : 2]
            assert np.array_equal(seen, image.permute(1, 2, 0).numpy())
    assert drawn.height == 4 + 2 * 20


def test_a_mixture_is_shown_with_different_images_and_grey_ones_are_drawn():
    rows = {"mixup": Mixup(1.0)}
    drawn = sheet(images()[:, :1], rows, torch.Generator().manual_seed(0), copies=3, size=8)
    pixels = np.asarray(drawn)[4:12, -36:]
    assert len({pixels[:, 12 * view : 12 * view + 8].tobytes() for view in range(3)}) == 3
    assert (pixels[..., 0] == pixels[..., 1]).all()
