"""compose: nothing, pieces, and every piece in its place."""

from __future__ import annotations

import torch
from pytest import MonkeyPatch

from saccade.augmentation import augmentation
from saccade.augmentation.augmentation import compose
from saccade.augmentation.crop import RandomResizedCrop
from saccade.augmentation.filters import Noise
from saccade.augmentation.geometry import Flip
from saccade.data.batch import Batch


def batch(count: int, *shape: int) -> Batch:
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (count, *shape), generator=generator).byte()
    return Batch(images, torch.arange(count), torch.arange(count) + 7)


def test_composing_nothing_only_makes_pixels_floating_point():
    given = batch(3, 1, 5, 5)
    seen = compose([])(given, torch.Generator())
    assert seen.images.dtype == torch.float32
    assert torch.equal(seen.images, given.images.float())
    assert torch.equal(seen.targets, given.targets) and torch.equal(seen.index, given.index)


def test_an_empty_batch_goes_through():
    given = batch(0, 3, 8, 8)
    assert compose([Flip(), Noise()])(given, torch.Generator()).images.shape == (0, 3, 8, 8)


def test_a_batch_of_several_pieces_comes_out_whole_and_in_order(monkeypatch: MonkeyPatch):
    monkeypatch.setattr(augmentation, "CHUNK_VALUES", 1 << 20)
    given = batch(50, 3, 160, 160)  # pieces of 13
    seen = compose([Flip(1)])(given, torch.Generator())
    assert torch.equal(seen.images, given.images.flip(3).float())
    assert torch.equal(seen.index, given.index)
    given = Batch(given.images.float(), given.targets, given.index)
    smaller = compose([RandomResizedCrop(scale=1, ratio=1, size=80)])(
        given, torch.Generator()
    ).images
    expected = torch.nn.functional.avg_pool2d(given.images.float(), 2)
    torch.testing.assert_close(smaller, expected, atol=0.05, rtol=0)


def test_the_pieces_of_a_batch_do_not_draw_the_same(monkeypatch: MonkeyPatch):
    monkeypatch.setattr(augmentation, "CHUNK_VALUES", 1 << 20)
    given = Batch(torch.zeros(800, 3, 32, 32).byte(), torch.zeros(800), torch.zeros(800).long())
    images = compose([Noise(50)])(given, torch.Generator().manual_seed(0)).images
    assert len(torch.unique(images[:, 0, 0, :4], dim=0)) > 700
