"""Warps against a plain loop over pixels, and against cases by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.augmentation.geometry import affine, centred, perspective, rotation, translation
from saccade.augmentation.warp import Warp, WarpKind, inverse, product


def noise(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(3)).byte()


def one(value: float) -> Tensor:
    return torch.tensor([value])


def settle(index: int, length: int, border: str) -> int | None:
    if 0 <= index < length:
        return index
    if border == "zeros":
        return None
    if border == "edge":
        return min(max(index, 0), length - 1)
    while not 0 <= index < length:
        index = -1 - index if index < 0 else 2 * length - 1 - index
    return index


def plain(image: NDArray, matrix: NDArray, border: str) -> NDArray:
    """The image warped pixel by pixel: back through the matrix, then between four neighbours."""
    height, width = image.shape
    back = np.linalg.inv(matrix.astype(np.float64))
    result = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            x, y, depth = back @ (column + 0.5, row + 0.5, 1)
            x, y = x / depth - 0.5, y / depth - 0.5
            for j, along in ((math.floor(y), 1 - y % 1), (math.floor(y) + 1, y % 1)):
                for i, across in ((math.floor(x), 1 - x % 1), (math.floor(x) + 1, x % 1)):
                    at = settle(j, height, border), settle(i, width, border)
                    if at[0] is not None and at[1] is not None:
                        result[row, column] += along * across * image[at]
    return result


SQUARE = (9, 12)
MAPS = {
    "moved": translation(one(1.25), one(-2.5)),
    "turned": rotation(one(33), SQUARE),
    "smaller": centred(one(0.7), 0, 0, 0.7, SQUARE),
    "slanted": centred(one(1), 0.3, -0.2, 1, SQUARE),
    "aside": perspective(torch.tensor([[[0.1, 0], [0.9, 0.1], [1.05, 1], [0, 0.85]]]), SQUARE),
}


@pytest.mark.parametrize("border", ["edge", "zeros", "reflect"])
@pytest.mark.parametrize("name", MAPS)
def test_a_warp_is_what_a_plain_loop_over_pixels_finds(name: str, border: str):
    image = noise(1, 1, *SQUARE)
    seen = Warp(MAPS[name], SQUARE, SQUARE, border, WarpKind.PROJECTIVE).images(image)
    expected = plain(image[0, 0].numpy(), MAPS[name][0].numpy(), border)
    np.testing.assert_allclose(seen[0, 0].numpy(), expected, atol=0.01)
    if name != "aside":  # places are rounded to 1/1024 pixel: at most 255 * 4 / 2048 off
        seen = Warp(MAPS[name], SQUARE, SQUARE, border, WarpKind.AFFINE).images(image)
        np.testing.assert_allclose(seen[0, 0].numpy(), expected, atol=0.5)


@pytest.mark.parametrize("side", [8, 32, 256])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_rotation_by_quarter_turns_is_rot90_to_the_last_bit(side: int, turns: int):
    images = noise(2, 3, side, side)
    turned = Warp(rotation(one(90.0 * turns).expand(2), (side, side)), (side, side), (side, side))
    assert torch.equal(turned.images(images), images.rot90(turns, (2, 3)).float())


@pytest.mark.parametrize("side", [7, 28, 224])
def test_a_quarter_turn_of_any_side_is_rot90_to_a_fiftieth_of_a_level(side: int):
    images = noise(2, 3, side, side)
    turned = Warp(rotation(one(90.0).expand(2), (side, side)), (side, side), (side, side), "zeros")
    expected = images.rot90(1, (2, 3)).float()
    torch.testing.assert_close(turned.images(images), expected, atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", [WarpKind.MOVE, WarpKind.AFFINE])
def test_a_move_by_whole_pixels_is_a_roll_with_a_border(kind: WarpKind):
    images, size = noise(2, 3, 16, 16), (16, 16)
    rolled = images.roll((-2, 3), (2, 3)).float()
    move = translation(torch.tensor([3.0, 3.0]), torch.tensor([-2.0, -2.0]))
    for border in ("zeros", "edge", "reflect"):
        seen = Warp(move, size, size, border, kind).images(images)
        assert torch.equal(seen[:, :, :-2, 3:], rolled[:, :, :-2, 3:])
        column = images[:, :, 2:, :3].float()  # what stood in the first columns, two rows below
        if border == "zeros":
            assert not seen[:, :, :, :3].any() and not seen[:, :, -2:].any()
        elif border == "edge":
            assert torch.equal(seen[:, :, :-2, :3], column[..., :1].expand(-1, -1, -1, 3))
        else:
            assert torch.equal(seen[:, :, :-2, :3], column.flip(3))


@pytest.mark.parametrize("border", ["edge", "zeros", "reflect"])
@pytest.mark.parametrize("side", [95, 96])  # below and from where images are read one by one
def test_moved_and_mirrored_bytes_are_those_that_indices_find(side: int, border: str):
    images, size = noise(6, 3, side, side + 5), (side, side + 5)
    x, y = torch.tensor([[3, 0, -7, 200, -200, -4], [-2, 5, 0, 3, -300, 99]])
    signs = torch.tensor([[1, -1, -1, 1, 1, -1], [1, 1, -1, -1, 1, -1]]).float()
    turn = Warp(centred(signs[0], 0, 0, signs[1], size), size, size, "", WarpKind.MIRROR)
    moved = turn.then(Warp(translation(x.float(), y.float()), size, size, border, WarpKind.MOVE))
    mode: Any = {"edge": "edge", "zeros": "constant", "reflect": "symmetric"}[border]
    for image, seen in enumerate(moved.images(images)):
        axes = [axis + 1 for axis, sign in ((1, signs[0]), (0, signs[1])) if sign[image] < 0]
        wide = np.pad(images[image].flip(axes).numpy(), ((0, 0), (300, 300), (300, 300)), mode)
        down, across = 300 - int(y[image]), 300 - int(x[image])
        expected = wide[:, down : down + size[0], across : across + size[1]]
        assert np.array_equal(seen.numpy(), expected)


def test_a_turn_there_and_back_is_read_once_and_loses_nothing():
    images, size = noise(1, 3, 32, 32), (32, 32)
    there, back = (Warp(rotation(one(angle), size), size, size, "zeros") for angle in (30, -30))
    torch.testing.assert_close(there.then(back).images(images), images.float(), atol=0.3, rtol=0)
    assert (back.images(there.images(images)) - images).abs().mean() > 10  # read twice


def test_the_inverse_of_a_map_takes_points_back():
    for matrix in MAPS.values():
        both = product(inverse(matrix), matrix)
        torch.testing.assert_close(both / both[:, 2:, 2:], torch.eye(3)[None], atol=1e-5, rtol=0)


def test_an_image_made_half_as_large_takes_the_mean_of_four_pixels():
    images = noise(2, 3, 8, 12)
    half = affine(torch.full((2,), 0.5), 0, 0, 0.5, 0, 0)
    means = images.float().unflatten(3, (6, 2)).unflatten(2, (4, 2)).mean((3, 5))
    torch.testing.assert_close(Warp(half, (8, 12), (4, 6)).images(images), means)


def test_a_field_of_one_pixel_to_the_right_shows_what_was_one_pixel_to_the_right():
    images, size = noise(1, 1, 8, 8), (8, 8)
    field = torch.zeros(1, 2, 8, 8)
    field[:, 0] = 1
    seen = Warp(torch.eye(3)[None], size, size, field=field).images(images)
    assert torch.equal(seen[..., :-1], images[..., 1:].float())


def test_masks_take_the_nearest_class_and_say_what_lies_outside():
    mask, size = torch.tensor([[[1, 2], [3, 4]]]), (2, 2)
    turned = Warp(rotation(one(90), size), size, size).masks(mask, outside=0)
    assert turned.tolist() == [[[2, 4], [1, 3]]]
    moved = Warp(translation(one(1.2), one(0)), size, size).masks(mask, outside=255)
    assert moved.tolist() == [[[255, 1], [255, 3]]]


def test_boxes_turn_with_the_image_that_is_theirs():
    size = (10, 20)
    matrices = torch.cat((rotation(one(180), size), translation(one(5), one(-3))))
    boxes = torch.tensor([[1.0, 2, 4, 8], [1, 2, 4, 8], [16, 0, 20, 2]])
    moved = Warp(matrices, size, size).boxes(boxes, torch.tensor([0, 1, 1]))
    expected = torch.tensor([[16.0, 2, 19, 8], [6, -1, 9, 5], [21, -3, 25, -1]])
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=0)


def test_a_box_turned_by_a_quarter_goes_where_its_pixels_go():
    size, box = (10, 10), torch.tensor([[1.0, 2, 4, 8]])
    turn = Warp(rotation(one(90), size), size, size)
    torch.testing.assert_close(turn.boxes(box, torch.tensor([0])), torch.tensor([[2.0, 6, 8, 9]]))
    mask = torch.zeros(1, 10, 10, dtype=torch.long)
    mask[:, 2:8, 1:4] = 1
    rows, columns = turn.masks(mask, 0)[0].nonzero().unbind(1)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (2, 6, 8, 9)


def test_a_box_under_a_field_is_found_where_its_mask_is_found():
    size, box = (40, 40), torch.tensor([[10.0, 12, 30, 26]])
    y = torch.arange(40) / 40
    field = torch.stack((3 * torch.sin(6 * y)[:, None].expand(40, 40), torch.full((40, 40), 2.0)))
    warp = Warp(rotation(one(20), size), size, size, field=field[None])
    mask = torch.zeros(1, 40, 40, dtype=torch.long)
    mask[:, 12:26, 10:30] = 1
    rows, columns = warp.masks(mask, 0)[0].nonzero().unbind(1)
    ends = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = warp.boxes(box, torch.tensor([0]))[0]
    torch.testing.assert_close(found, torch.stack(ends).float(), atol=1.0, rtol=0)


def test_the_maps_of_some_images_are_those_of_the_whole_batch():
    images, size = noise(4, 3, 12, 14), (12, 14)
    field = 2 * torch.rand(4, 2, 12, 14, generator=torch.Generator().manual_seed(1))
    warp = Warp(rotation(torch.tensor([10.0, 20, 30, 40]), size), size, size, field=field)
    for rows in (slice(1, 3), torch.tensor([2, 0, 2]), torch.tensor([True, False, False, True])):
        assert torch.equal(warp[rows].images(images[rows]), warp.images(images)[rows])


def test_the_way_back_undoes_a_warp_inside_the_image():
    images = torch.arange(20.0).expand(2, 1, 20, 20) * 10
    for matrix in (rotation(torch.tensor([30.0, -70]), (20, 20)), translation(one(3), one(1))):
        warp = Warp(matrix.expand(2, 3, 3), (20, 20), (20, 20))
        back = warp.inverted().images(warp.images(images))
        torch.testing.assert_close(back[..., 7:13, 7:13], images[..., 7:13, 7:13], atol=1, rtol=0)


def test_a_whole_image_made_smaller_is_torchs_antialiased_resize_and_its_mask_the_nearest_pixel():
    images, source, size = noise(2, 3, 12, 16), (12, 16), (6, 4)
    half = affine(torch.full((2,), 4 / 16), 0, 0, 6 / 12, 0, 0)
    warp = Warp(half, source, size, "", WarpKind.RESIZE)
    expected = torch.nn.functional.interpolate(
        images.float(), size, mode="bilinear", antialias=True
    )
    assert torch.equal(warp.images(images), expected)
    nearest = torch.nn.functional.interpolate(images[:, :1], size, mode="nearest-exact")
    assert torch.equal(warp.masks(images[:, 0], 0), nearest[:, 0])
