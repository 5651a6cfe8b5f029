"""Every noun of targets by hand: length, rows, joining, moving; a batch of any of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from saccade.augmentation.geometry import affine, rotation, translation
from saccade.augmentation.warp import Warp, WarpKind, warped
from saccade.data.batch import Batch
from saccade.data.targets import (
    IGNORE,
    Boxes,
    Captions,
    Images,
    Masks,
    NoTargets,
    Targets,
    joined,
    moved,
)
from saccade.errors import DataError

SIZE = (4, 6)  # height and width, pixels
PLANES = torch.arange(3 * 4 * 6).view(3, 4, 6)

# the second of three images has no box
BOXES = Boxes(
    torch.tensor([[0.0, 0, 2, 2], [1, 1, 3, 4], [4, 0, 6, 4]]),
    torch.tensor([7, 8, 9]),
    torch.tensor([2, 0, 1]),
    torch.tensor([1, 2, 3]).view(3, 1, 1).expand(3, 4, 6).byte(),
)
NOUNS: dict[str, Targets] = {
    "classes": torch.tensor([4, 5, 6]),
    "labels": torch.eye(3),
    "numbers": torch.tensor([[0.5], [1.5], [2.5]]),
    "masks": Masks(PLANES.byte()),
    "images": Images(PLANES[:, None].float()),
    "boxes": BOXES,
    "captions": Captions(torch.tensor([[5, 6, 0], [7, 0, 0], [8, 9, 4]]), torch.tensor([0, 2, 1])),
    "nothing": NoTargets(3),
}
EVERY = pytest.mark.parametrize("noun", NOUNS)
ROWS: dict[str, tuple[Any, list[int]]] = {
    "a slice": (slice(1, 3), [1, 2]),
    "every second": (slice(None, None, 2), [0, 2]),
    "positions": (torch.tensor([2, 0, 2]), [2, 0, 2]),
    "a choice": (torch.tensor([True, False, True]), [0, 2]),
    "none": (slice(0, 0), []),
}


def one_by_one(targets: Targets) -> list[Any]:
    """What is said of each image, as plain numbers, by loops of this test."""
    if isinstance(targets, NoTargets):
        return [None] * len(targets)
    if isinstance(targets, Boxes | Captions):
        names = ("boxes", "classes", "masks") if isinstance(targets, Boxes) else ("tokens",)
        found, start = [], 0
        for count in targets.counts.tolist():
            parts = [getattr(targets, name)[start : start + count].tolist() for name in names]
            found.append(parts)
            start += count
        assert all(len(getattr(targets, name)) == start for name in names)
        return found
    if isinstance(targets, Masks):
        return targets.classes.tolist()
    return (targets.values if isinstance(targets, Images) else targets).tolist()  # type: ignore


@EVERY
@pytest.mark.parametrize("rows", ROWS)
def test_rows_are_those_of_the_images_chosen_in_their_order(noun: str, rows: str):
    targets, (chosen, places) = NOUNS[noun], ROWS[rows]
    whole = one_by_one(targets)
    assert len(targets[chosen]) == len(places)
    assert one_by_one(targets[chosen]) == [whole[place] for place in places]


@EVERY
def test_parts_joined_are_the_whole(noun: str):
    targets = NOUNS[noun]
    whole = joined([targets[:1], targets[1:1], targets[1:]])
    assert type(whole) is type(targets) and len(whole) == 3
    assert one_by_one(whole) == one_by_one(targets)


@EVERY
def test_another_device_gets_all_of_them(noun: str):
    there: Any = NOUNS[noun].to("meta", non_blocking=True)
    assert len(there) == 3
    tensors = [there] if isinstance(there, Tensor) else vars(there).values()
    assert all(part.device.type == "meta" for part in tensors if isinstance(part, Tensor))


@EVERY
def test_a_batch_of_any_noun_has_rows_and_goes_to_a_device(noun: str):
    batch = Batch(torch.zeros(3, 1, *SIZE), NOUNS[noun], torch.tensor([10, 11, 12]))
    some = batch[torch.tensor([2, 1])]
    assert len(some) == len(some.targets) == 2
    assert some.index.tolist() == [12, 11]
    assert len(batch.to("meta").targets) == 3


@EVERY
def test_a_warp_that_does_nothing_leaves_all_where_it_is(noun: str):
    still = Warp(torch.eye(3).expand(3, 3, 3), SIZE, SIZE, "edge", WarpKind.MOVE)
    assert one_by_one(moved(NOUNS[noun], still)) == one_by_one(NOUNS[noun])


@EVERY
def test_an_empty_batch_moves_too(noun: str):
    nobody = Warp(torch.eye(3).expand(0, 3, 3), SIZE, SIZE)
    batch = Batch(torch.zeros(0, 1, *SIZE), NOUNS[noun][:0], torch.arange(0))
    assert len(warped(batch, nobody).targets) == 0


@pytest.mark.parametrize("noun", ["classes", "labels", "numbers", "captions", "nothing"])
def test_what_lies_nowhere_in_the_image_is_left_alone(noun: str):
    mirror = Warp(affine(-torch.ones(3), 0, 0, 1, 6, 0), SIZE, SIZE, "", WarpKind.MIRROR)
    assert moved(NOUNS[noun], mirror) is NOUNS[noun]


def test_masks_images_and_boxes_are_mirrored_with_their_images():
    mirror = Warp(affine(-torch.ones(3), 0, 0, 1, 6, 0), SIZE, SIZE, "", WarpKind.MIRROR)
    masks, images = NOUNS["masks"], NOUNS["images"]
    assert isinstance(masks, Masks) and isinstance(images, Images)
    assert torch.equal(moved(masks, mirror).classes, masks.classes.flip(2))
    assert torch.equal(moved(images, mirror).values, images.values.flip(3))
    assert moved(BOXES, mirror).boxes.tolist() == [[4, 0, 6, 2], [3, 1, 5, 4], [0, 0, 2, 4]]
    assert moved(BOXES, mirror).counts.tolist() == [2, 0, 1]


def moves(x: list[float], y: list[float]) -> Warp:
    return Warp(translation(torch.tensor(x), torch.tensor(y)), SIZE, SIZE)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_of_pixels_that_a_border_invents_a_mask_knows_nothing(dtype: torch.dtype):
    mask = Masks(torch.ones(1, 4, 6, dtype=dtype))
    found = moved(mask, moves([2], [-1])).classes
    expected = torch.full((1, 4, 6), IGNORE, dtype=dtype)
    expected[:, :3, 2:] = 1
    assert torch.equal(found, expected)


def test_boxes_are_cut_at_the_edge_and_leave_with_what_they_frame():
    """Moved left by 3.9: of 4 pixels' width 0.1 stay, a share of 0.025, of 3 pixels' 1.1."""
    boxes = Boxes(
        torch.tensor([[0.0, 0, 4, 2], [2, 1, 5, 3], [0, 0, 6, 4]]),
        torch.tensor([1, 2, 3]),
        torch.tensor([2, 1]),
        torch.ones(3, 4, 6).byte(),
    )
    found = moved(boxes, moves([-3.9, 0], [0, 0]))
    torch.testing.assert_close(found.boxes, torch.tensor([[0, 1, 1.1, 3], [0, 0, 6, 4]]))
    assert found.classes.tolist() == [2, 3] and found.counts.tolist() == [1, 1]
    assert found.masks is not None and len(found.masks) == 2
    gone = moved(boxes, moves([-9, 0], [0, 0]))
    assert gone.counts.tolist() == [0, 1] and gone.classes.tolist() == [3]


@pytest.mark.parametrize(("pixels", "count"), [(5.3, 1), (5.5, 0)])
def test_a_box_of_which_less_than_a_tenth_is_seen_is_dropped(pixels: float, count: int):
    whole = Boxes(torch.tensor([[0.0, 0, 6, 4]]), torch.tensor([0]), torch.tensor([1]))
    assert moved(whole, moves([pixels], [0])).counts.tolist() == [count]  # 0.7 / 6, 0.5 / 6


def test_the_mask_of_each_instance_turns_with_the_image_that_is_its_own():
    masks = torch.zeros(2, 8, 8, dtype=torch.uint8)
    masks[:, 1:3, 2:7] = 1
    box = torch.tensor([[2.0, 1, 7, 3]]).repeat(2, 1)
    boxes = Boxes(box, torch.tensor([0, 1]), torch.tensor([0, 1, 1]), masks)
    turn = Warp(rotation(torch.tensor([45.0, 0, 90]), (8, 8)), (8, 8), (8, 8))
    found = moved(boxes, turn)
    assert found.masks is not None
    assert torch.equal(found.masks[0], masks[0])
    assert torch.equal(found.masks[1], masks[1].rot90(1))
    torch.testing.assert_close(found.boxes[1], torch.tensor([1.0, 1, 3, 6]))


def test_captions_of_different_lengths_are_joined_by_zeros_at_their_ends():
    short = Captions(torch.tensor([[3, 4]]), torch.tensor([1]))
    long = Captions(torch.tensor([[5, 6, 7, 8]]), torch.tensor([1]))
    assert joined([short, long]).tokens.tolist() == [[3, 4, 0, 0], [5, 6, 7, 8]]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Masks(torch.zeros(1, 5, 6)),
        lambda: Images(torch.zeros(1, 3, 4, 7)),
        lambda: Boxes(
            torch.zeros(1, 4), torch.zeros(1), torch.ones(1).long(), torch.zeros(1, 8, 8)
        ),
    ],
)
def test_planes_of_another_size_than_their_images_are_refused(wrong: Callable[[], Any]):
    with pytest.raises(DataError, match=r"have \d x \d pixels, and their images 6 x 4"):
        moved(wrong(), moves([1], [0]))


def test_a_gpu_moves_what_the_processor_moves():
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    warp = moves([1.0, 0, -1], [0.0, 1, 0])
    for noun in NOUNS.values():
        there = moved(noun.to("cuda"), warp)[torch.tensor([2, 0]).cuda()].to("cpu")
        assert one_by_one(there) == one_by_one(moved(noun, warp)[torch.tensor([2, 0])])
