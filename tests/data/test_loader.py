"""Loader: batches in a given order, from any step on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import Tensor

from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, sequential, shuffled
from saccade.data.targets import Boxes, NoTargets


@dataclass
class Numbered:
    """Images that show their own number; remembers which thread took them."""

    n: int
    prefetch: int = 0
    shape: tuple[int, int, int] = (1, 2, 2)
    takers: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return self.n

    def take(self, index: Tensor) -> Tensor:
        self.takers.append(threading.current_thread().name)
        if self.n == 13 and 5 in index:
            raise OSError("the disk is gone")
        return index.byte().view(-1, 1, 1, 1).expand(-1, *self.shape)


def loader(n: int, batch_size: int, prefetch: int = 0) -> Loader:
    return Loader(Numbered(n, prefetch), torch.arange(n) * 10, batch_size, shuffled(n, seed=0))


@pytest.mark.parametrize("prefetch", [0, 1, 3])
@pytest.mark.parametrize("n", [1, 2, 4, 5, 6, 7, 8, 9, 21, 100])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 200])
def test_an_epoch_brings_every_image_once_with_its_target(n: int, batch_size: int, prefetch: int):
    batches = loader(n, batch_size, prefetch)
    seen = list(batches.epoch(3))
    assert len(seen) == len(batches)
    index = torch.cat([batch.index for batch in seen])
    assert torch.equal(index, shuffled(n, seed=0)(3))
    assert torch.equal(torch.cat([batch.targets for batch in seen]), index * 10)
    assert torch.equal(torch.cat([batch.images for batch in seen])[:, 0, 0, 0], index.byte())


def test_a_single_image_left_over_joins_the_batch_before():
    assert [len(batch) for batch in loader(9, 4).epoch(0)] == [4, 5]
    assert [len(batch) for batch in loader(10, 4).epoch(0)] == [4, 4, 2]
    assert [len(batch) for batch in loader(3, 1).epoch(0)] == [1, 1, 1]
    assert [len(batch) for batch in loader(1, 4).epoch(0)] == [1]
    assert list(loader(0, 4).epoch(0)) == []


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("start", [0, 1, 3, 6])
def test_an_epoch_goes_on_from_any_step(start: int, prefetch: int):
    batches = loader(21, 4, prefetch)
    whole = [batch.index.tolist() for batch in batches.epoch(2)]
    assert [batch.index.tolist() for batch in batches.epoch(2, start)] == whole[start:]


def test_images_at_hand_are_taken_without_a_thread():
    images = Numbered(8, prefetch=0)
    list(Loader(images, torch.arange(8), 4, sequential(8)).epoch(0))
    assert set(images.takers) == {threading.current_thread().name}


def test_a_batch_is_taken_only_when_asked_for_or_prefetched():
    images = Numbered(40, prefetch=2)
    batches = Loader(images, torch.arange(40), 4, sequential(40)).epoch(0)
    next(batches)
    for thread in threading.enumerate():
        if thread.name.startswith("saccade-loader"):
            thread.join(0.2)
    assert len(images.takers) <= 3
    batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_an_epoch_left_half_way_leaves_no_thread(steps: int):
    before = threading.active_count()
    for _ in range(5):
        batches = loader(40, 4, prefetch=2).epoch(0)
        for _ in range(steps):
            next(batches)
        del batches
    assert threading.active_count() == before


def test_an_error_while_preparing_reaches_the_one_who_asks():
    before = threading.active_count()
    batches = Loader(Numbered(13, prefetch=2), torch.arange(13), 2, sequential(13)).epoch(0)
    assert next(batches).index.tolist() == [0, 1]
    assert next(batches).index.tolist() == [2, 3]
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)
    assert threading.active_count() == before


def test_a_batch_may_be_changed_without_changing_the_images():
    rows = torch.zeros(4, 1, 2, 2, dtype=torch.uint8)
    for batch in Loader(CachedImages(rows), torch.arange(4), 2, sequential(4)).epoch(0):
        batch.images.fill_(9)
    assert rows.max() == 0


def test_targets_of_several_numbers_keep_their_columns():
    targets = torch.rand(6, 3)
    batch = next(Loader(Numbered(6), targets, 4, sequential(6)).epoch(0))
    assert torch.equal(batch.targets, targets[:4])


def boxes(counts: list[int]) -> Boxes:
    """Each box has the number of its image for a class."""
    number = torch.tensor(counts)
    image = torch.arange(len(counts)).repeat_interleave(number)
    return Boxes(torch.zeros(len(image), 4), image, number)


@pytest.mark.parametrize("prefetch", [0, 2])
def test_boxes_come_with_their_images_none_too(prefetch: int):
    targets = boxes([2, 0, 1, 3, 0, 0, 4])
    for batch in Loader(Numbered(7, prefetch), targets, 3, shuffled(7, seed=1)).epoch(0):
        assert batch.targets.counts.tolist() == targets.counts[batch.index].tolist()
        assert torch.equal(batch.index[batch.targets.image], batch.targets.classes)


def test_a_network_that_makes_images_needs_no_targets():
    sizes = [
        len(batch.targets) for batch in Loader(Numbered(9), NoTargets(9), 4, sequential(9)).epoch(0)
    ]
    assert sizes == [4, 5]


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_change_is_made_to_each_batch_as_it_is_taken(prefetch: int):
    plain = loader(9, 4, prefetch)
    changed = plain.with_transform(lambda batch: replace(batch, images=batch.images + 1))
    for one, other in zip(plain.epoch(1), changed.epoch(1), strict=True):
        assert torch.equal(one.images + 1, other.images)
        assert torch.equal(one.index, other.index)
