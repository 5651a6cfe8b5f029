from __future__ import annotations

import numpy as np
import pytest
import torch

from saccade.auto.summary import channel_statistics, summarize
from saccade.data.cache import CachedImages
from saccade.data.item import ImageArray, Item
from saccade.errors import DataError


def items(*arrays: np.ndarray) -> list[Item]:
    return [Item(str(k), "a", ImageArray(array)) for k, array in enumerate(arrays)]


def test_a_glance_tells_sizes_and_colour() -> None:
    grey = np.full((20, 30), 7, np.uint8)
    colour = np.zeros((40, 30, 3), np.uint8)
    colour[..., 0] = 200
    assert summarize(items(grey, grey)).grey
    assert summarize(items(grey, np.dstack([grey] * 3))).grey
    seen = summarize(items(grey, colour, colour))
    assert (seen.grey, seen.short_side) == (False, 30)


def test_images_that_cannot_be_read_are_passed_over() -> None:
    broken = Item("broken", "a", ImageArray(np.zeros((2, 2), np.float32)))  # type: ignore[arg-type]
    assert summarize([broken, *items(np.zeros((9, 9), np.uint8))]).short_side == 9
    with pytest.raises(DataError, match="'broken'"):
        summarize([broken])


def test_brightness_is_mean_and_deviation_by_channel() -> None:
    chance = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 256, (700, 3, 5, 5), generator=chance, dtype=torch.uint8)
    mean, std = channel_statistics(CachedImages(rows))
    values = rows.double() / 255
    assert mean == pytest.approx(values.mean((0, 2, 3)).tolist(), abs=5e-5)
    assert std == pytest.approx(values.std((0, 2, 3), correction=0).tolist(), abs=5e-5)
    assert channel_statistics(CachedImages(torch.zeros(3, 1, 2, 2, dtype=torch.uint8))) == (
        (0.0,),
        (0.0039,),
    )
