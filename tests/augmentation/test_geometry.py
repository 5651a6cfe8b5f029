"""Geometry: hand calculations, torchvision, and that neighbours are read once."""

from __future__ import annotations

import math

import pytest
import torch
import torchvision.transforms.v2.functional as F
from torch import Tensor
from torchvision.transforms import InterpolationMode

from saccade.augmentation.augmentation import Compose, compose
from saccade.augmentation.crop import PadCrop, RandomResizedCrop
from saccade.augmentation.filters import Noise
from saccade.augmentation.geometry import (
    ComposedGeometry,
    Elastic,
    Flip,
    Perspective,
    Rotate,
    Scale,
    Shear,
    Translate,
    VerticalFlip,
    perspective,
    rotation,
)
from saccade.augmentation.warp import Warp
from saccade.data.batch import Batch


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int, *shape: int) -> Batch:
    images = torch.randint(0, 256, (count, *shape), generator=chance(9)).byte()
    return Batch(images, torch.arange(count), torch.arange(count))


def moved(warp: Warp, x: float, y: float) -> Tensor:
    """Where a point goes under every map.  -> [N,2]"""
    points = (warp.matrix * torch.tensor([x, y, 1.0])).sum(2)
    return points[:, :2] / points[:, 2:]


@pytest.mark.parametrize("degrees", [-50.0, 17.0, 135.0])
def test_a_rotation_is_torchvisions(degrees: float):
    images = batch(1, 3, 24, 31).images.float()
    seen = Warp(rotation(torch.tensor([degrees]), (24, 31)), (24, 31), (24, 31), "zeros")
    expected = F.rotate(images, degrees, InterpolationMode.BILINEAR)
    torch.testing.assert_close(seen.images(images), expected, atol=0.5, rtol=0)


def test_flipping_twice_is_no_flip_and_flipping_once_is_a_mirror():
    given = batch(4, 3, 7, 10)
    once = Flip(1)(given, chance())
    assert torch.equal(once.images, given.images.flip(3).float())
    assert torch.equal(Flip(1)(once, chance()).images, given.images.float())
    assert torch.equal(VerticalFlip(1)(given, chance()).images, given.images.flip(2).float())
    assert torch.equal(Flip(0)(given, chance()).images, given.images.float())


def test_flips_come_as_often_as_they_are_asked_for():
    signs = Flip(0.25).warp(4000, (8, 8), chance()).matrix[:, 0, 0]
    assert (signs == -1).float().mean() == pytest.approx(0.25, abs=0.03)  # four deviations


def test_a_pad_crop_keeps_values_and_moves_by_every_whole_number():
    given = batch(600, 1, 12, 12)
    warp = PadCrop(2, "zeros").warp(600, (12, 12), chance())
    moves = warp.matrix[:, :2, 2]
    assert sorted(set(moves.flatten().tolist())) == [-2, -1, 0, 1, 2]
    padded = torch.nn.functional.pad(given.images.float(), (2, 2, 2, 2))
    seen = warp.images(given.images)
    for image, (x, y) in enumerate(moves[:40].long().tolist()):
        cut = padded[image, :, 2 - y : 14 - y, 2 - x : 14 - x]
        assert torch.equal(seen[image], cut)


def test_translations_are_even_to_both_sides_up_to_their_pixels():
    moves = Translate(3).warp(4000, (8, 8), chance()).matrix[:, :2, 2]
    assert moves.abs().max() <= 3
    assert moves.mean(0).abs().max() < 0.11  # four deviations of the mean: 4 * 3 / sqrt(3 * 4000)
    assert moves.std(0) == pytest.approx([math.sqrt(3)] * 2, abs=0.06)


@pytest.mark.parametrize("kind", [Rotate(40), Scale(0.3), Shear(20)])
def test_the_middle_of_the_image_stays(kind: Rotate | Scale | Shear):
    middle = moved(kind.warp(50, (20, 30), chance()), 15, 10)
    torch.testing.assert_close(middle, torch.tensor([15.0, 10.0]).expand(50, 2))


def test_a_point_right_of_the_middle_turns_upwards_by_at_most_the_degrees():
    points = moved(Rotate(30).warp(2000, (20, 20), chance()), 20, 10) - 10
    angle = torch.atan2(-points[:, 1], points[:, 0]).rad2deg()
    assert 29 < angle.max() <= 30.01 and -30.01 <= angle.min() < -29
    torch.testing.assert_close(points.norm(dim=1), torch.full((2000,), 10.0))


def test_scale_and_shear_keep_to_their_bounds():
    right = moved(Scale(0.2).warp(2000, (20, 20), chance()), 20, 10)[:, 0] - 10
    assert 7.99 <= right.min() < 8.1 and 11.9 < right.max() <= 12.01
    below = moved(Shear(45 * 0.5).warp(2000, (20, 20), chance()), 10, 20)[:, 0] - 10
    bound = 10 * math.tan(math.radians(22.5))
    assert bound - 0.1 < below.abs().max() <= bound + 0.01


def test_a_perspective_sends_the_corners_where_it_is_told():
    corners = torch.tensor([[[0.1, 0.05], [0.95, 0.2], [0.8, 0.9], [-0.1, 1.0]]])
    warp = Warp(perspective(corners, (20, 40)), (20, 40), (20, 40))
    for corner, (x, y) in zip(corners[0], ((0, 0), (40, 0), (40, 20), (0, 20))):
        torch.testing.assert_close(moved(warp, x, y)[0], corner * torch.tensor([40, 20]))


def test_perspectives_move_corners_by_at_most_their_share():
    ends = moved(Perspective(0.1).warp(500, (20, 40), chance()), 40, 20)
    assert (ends - torch.tensor([40, 20])).abs().amax(0) == pytest.approx([4, 2], abs=0.1)


def test_elastic_displacements_are_as_large_and_as_smooth_as_they_say():
    field = Elastic(1.4, 4).warp(64, (32, 32), chance()).field
    assert field is not None
    assert field.std() == pytest.approx(1.4, rel=0.05)
    assert field.mean().abs() < 0.05
    near = (field[..., 4:] * field[..., :-4]).mean() / field.square().mean()
    assert near == pytest.approx(math.exp(-(4**2) / (4 * 4**2)), abs=0.05)  # of smoothed noise


def test_simards_alpha_34_and_sigma_4_are_the_defaults():
    assert Elastic().sigma == 4
    assert Elastic().pixels == pytest.approx(34 / (2 * 4 * math.sqrt(3 * math.pi)), abs=0.02)


def test_a_resized_crop_of_everything_is_the_image():
    given = batch(3, 3, 16, 16)
    seen = RandomResizedCrop(scale=1, ratio=1)(given, chance()).images
    assert torch.equal(seen, given.images.float())


def test_resized_crops_lie_inside_with_the_areas_and_proportions_of_the_paper():
    height, width = 1500, 2000
    matrix = RandomResizedCrop().warp(4000, (height, width), chance()).matrix
    h, w = height / matrix[:, 1, 1], width / matrix[:, 0, 0]
    x, y = -matrix[:, 0, 2] / matrix[:, 0, 0], -matrix[:, 1, 2] / matrix[:, 1, 1]
    assert x.min() > -1e-3 and y.min() > -1e-3
    assert (x + w).max() < width + 1e-2 and (y + h).max() < height + 1e-2
    area, ratio = h * w / (height * width), w / h
    assert 0.0799 < area.min() < 0.09 and area.max() > 0.95
    assert 0.747 < ratio.min() < 0.76 and 1.32 < ratio.max() < 1.337  # of whole pixels
    assert ratio.log().mean().abs() < 0.03


@pytest.mark.parametrize("size", [None, 64, 200])
def test_a_resized_crop_of_a_large_image_is_torchvisions_to_the_byte(size: int | None):
    given, kind = batch(5, 3, 120, 120), RandomResizedCrop(size=size)
    side = size or 120
    matrix = kind.warp(5, (120, 120), chance()).matrix
    seen = kind(given, chance()).images
    for row, one in enumerate(seen):
        step = side / matrix[row, 0, 0].item(), side / matrix[row, 1, 1].item()
        left, top = (-matrix[row, axis, 2] * step[axis] / side for axis in (0, 1))
        x, y, w, h = (round(value) for value in (left.item(), top.item(), *step))
        image = given.images[row]
        expected = F.resized_crop(image, y, x, h, w, [side, side], antialias=True)
        assert torch.equal(one, expected.float())


def test_cutting_bytes_and_reading_floating_point_agree_to_a_level():
    smooth = torch.nn.functional.interpolate(batch(6, 3, 5, 5).images, (128, 128), mode="bilinear")
    given = Batch(smooth, torch.arange(6), torch.arange(6))
    floats = Batch(smooth.float(), torch.arange(6), torch.arange(6))
    chain = compose([Flip(), RandomResizedCrop(), VerticalFlip()])
    cut, read = chain(given, chance()).images, chain(floats, chance()).images
    torch.testing.assert_close(cut, read, atol=2.5, rtol=0)  # at the edge one reads on beyond it
    assert (cut - read).abs().mean() < 0.3


def test_a_resized_crop_gives_the_size_it_is_asked_for():
    assert RandomResizedCrop(size=11)(batch(2, 3, 20, 30), chance()).images.shape == (2, 3, 11, 11)


def test_neighbours_are_joined_to_one_warp_and_strangers_are_not():
    chain = compose([Flip(), Rotate(), Scale(), Noise(), Translate(), Shear(border="zeros")])
    assert isinstance(chain, Compose)
    kinds = [type(part) for part in chain.augmentations]
    assert kinds == [
        ComposedGeometry,
        Noise,
        Translate,
        Shear,
    ]  # two borders cannot be read at once


def test_joined_moves_are_one_after_the_other():
    given = batch(5, 3, 16, 16)
    parts = [PadCrop(3, "zeros"), Flip(), PadCrop(2, "zeros")]
    joined = compose(parts)(given, chance()).images
    generator, seen = chance(), given
    for part in parts:
        seen = part(seen, generator)
    inner = slice(5, 11)  # what no border reached
    assert torch.equal(joined[:, :, inner, inner], seen.images[:, :, inner, inner])


def test_a_small_turn_after_a_crop_reads_the_original_beyond_the_crop():
    """One reading: no border shows where the image goes on."""
    given = Batch(torch.full((20, 1, 32, 32), 200).byte(), torch.arange(20), torch.arange(20))
    crop = RandomResizedCrop(scale=0.1, ratio=1.1)
    chain = compose([crop, Rotate(5, "zeros")])
    whole = chain(given, chance()).images.flatten(1).amin(1)
    assert (whole == 200).sum() > 5  # those far enough from the edge; alone each would show it
