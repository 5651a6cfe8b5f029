"""Colours against torchvision's functions and hand calculations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision.transforms.v2.functional as F
from torch import Tensor

from saccade.augmentation.augmentation import Compose, compose
from saccade.augmentation.colour import (
    COMPONENTS,
    Brightness,
    Colour,
    ComposedColour,
    Contrast,
    Grey,
    Hue,
    Lighting,
    Saturation,
    adjust_hue,
    recolour,
)
from saccade.data.batch import Batch
from saccade.errors import DataError


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_images(count: int = 6, low: int = 0, high: int = 256) -> Tensor:
    return torch.randint(low, high, (count, 3, 9, 11), generator=chance(4)).byte()


def as_batch(images: Tensor) -> Batch:
    return Batch(images, torch.arange(len(images)), torch.arange(len(images)))


@pytest.mark.parametrize(
    ("kind", "oracle", "read"),
    [
        (Brightness(0.8), F.adjust_brightness, lambda m: m[:, 0, 0]),
        (Contrast(0.8), F.adjust_contrast, lambda m: m[:, 0, 0]),
        (Saturation(0.8), F.adjust_saturation, lambda m: m[:, 0, 0] - m[:, 1, 0]),
    ],
)
def test_factors_do_what_torchvision_does_to_a_level(
    kind: Colour, oracle: Callable[..., Tensor], read: Callable[[Tensor], Tensor]
):
    images = make_images()
    matrix = kind.matrix(images.float().mean((2, 3)), chance())
    factors = read(matrix)
    assert 0.2 <= factors.min() < 1 < factors.max() <= 1.8
    expected = [oracle(image, factor.item()) for image, factor in zip(images, factors)]
    seen = kind(as_batch(images), chance()).images
    torch.testing.assert_close(seen, torch.stack(expected).float(), atol=2, rtol=0)
    assert (seen - torch.stack(expected)).abs().mean() < 0.8  # theirs cuts to whole levels


def test_a_third_of_a_turn_makes_red_green_green_blue_and_blue_red():
    images = make_images().float()
    seen = recolour(images, adjust_hue(torch.full((6,), 1 / 3)))
    torch.testing.assert_close(seen, images.roll(1, 1), atol=1e-3, rtol=0)
    oracle = F.adjust_hue(images.byte(), 1 / 3).float()
    torch.testing.assert_close(seen, oracle, atol=2, rtol=0)


@pytest.mark.parametrize("turn", [-0.3, -0.1, 0.05, 0.2])
def test_hues_move_as_far_as_in_hsv(turn: float):
    images = make_images(low=80, high=180).float()  # so that nothing is cut to 0 to 255
    seen = recolour(images, adjust_hue(torch.full((6,), turn)))
    coloured = (images.amax(1) - images.amin(1)) > 20
    moved = (_hue(seen) - _hue(images) - turn + 0.5) % 1 - 0.5
    assert moved[coloured].abs().max() < 3 / 360  # a hexagon's angle and a circle's: 2.3 degrees
    torch.testing.assert_close(seen.mean(1), images.mean(1))


@pytest.mark.parametrize("turn", [t / 100 for t in range(-50, 51, 5)])
def test_the_hue_of_a_colour_that_is_cut_off_is_right_to_nine_degrees(turn: float):
    """Of all colours with a side of the cube in steps of 15; HSV's hue by its definition."""
    levels = torch.arange(0, 256, 15).float()
    colours = torch.cartesian_prod(levels, levels, levels)
    colours = colours[colours.amax(1) - colours.amin(1) > 20][:, :, None, None]
    seen = recolour(colours, adjust_hue(torch.full((len(colours),), turn)))
    cut = ((seen == 0) | (seen == 255)).any(1).flatten()
    moved = ((_hue(seen) - _hue(colours) - turn + 0.5) % 1 - 0.5).flatten().abs() * 360
    assert moved[~cut].max() < 3
    assert moved[cut].max() < 9


def _hue(images: Tensor) -> Tensor:
    """HSV's hue, by its definition, as a share of the circle."""
    red, green, blue = images.unbind(1)
    high, low = images.amax(1), images.amin(1)
    width = (high - low).clamp(min=1e-6)
    sixths = torch.where(
        high == red,
        (green - blue) / width,
        torch.where(high == green, 2 + (blue - red) / width, 4 + (red - green) / width),
    )
    return sixths / 6 % 1


def test_grey_is_torchvisions_and_as_frequent_as_asked_for():
    images = make_images()
    seen = Grey(1)(as_batch(images), chance()).images
    expected = F.rgb_to_grayscale(images.float(), 3)
    torch.testing.assert_close(seen, expected, atol=0.1, rtol=0)
    assert torch.equal(Grey(0)(as_batch(images), chance()).images, images.float())
    matrix = Grey(0.3).matrix(torch.zeros(4000, 3), chance())
    assert (matrix[:, 0, 1] != 0).float().mean() == pytest.approx(0.3, abs=0.03)


def test_lighting_spreads_along_the_principal_components():
    """Krizhevsky 2012, section 4.1: covariance p diag((0.1 l)^2) p^T, here on 0 to 255."""
    matrix = Lighting().matrix(torch.zeros(20000, 3), chance())
    assert torch.equal(matrix[:, :, :3], torch.eye(3).expand(20000, 3, 3))
    p = torch.tensor(COMPONENTS)
    torch.testing.assert_close(p.T @ p, torch.eye(3), atol=1e-3, rtol=0)
    expected = p @ torch.diag((25.5 * torch.tensor([0.2175, 0.0188, 0.0045])) ** 2) @ p.T
    torch.testing.assert_close(torch.cov(matrix[:, :, 3].T), expected, atol=0.3, rtol=0.05)


def test_neighbours_are_one_matrix_that_does_what_they_do_in_turn():
    images = make_images(low=100, high=156).float()  # so that nothing is cut to 0 to 255
    parts = [Brightness(0.2), Contrast(0.2), Saturation(0.2), Hue(0.05), Lighting()]
    chain = compose(parts)
    assert isinstance(chain, Compose) and [type(part) for part in chain.augmentations] == [
        ComposedColour
    ]
    generator, seen = chance(), as_batch(images)
    for part in parts:
        seen = part(seen, generator)
    joined = chain(as_batch(images), chance()).images
    torch.testing.assert_close(joined, seen.images, atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize("kind", [Brightness(0.2), Contrast(0.2), Lighting()])
def test_a_grey_image_changes_as_its_three_alike_channels_do(kind: Colour):
    grey = make_images(low=100, high=156)[:, :1].float()
    seen = kind(as_batch(grey), chance()).images
    alike = kind(as_batch(grey.expand(-1, 3, -1, -1)), chance()).images
    torch.testing.assert_close(seen, F.rgb_to_grayscale(alike), atol=0.1, rtol=0)


def test_colours_are_cut_to_0_to_255():
    bright = as_batch(torch.full((50, 3, 2, 2), 250).byte())
    assert Brightness(1)(bright, chance()).images.max() == 255


def test_images_of_two_channels_have_no_colours():
    with pytest.raises(DataError, match="2 channels"):
        Hue()(as_batch(torch.zeros(1, 2, 3, 3)), chance())


def test_on_photographs_the_matrix_stays_near_torchvisions_jitter(shared_data):
    from PIL import Image

    paths = sorted((shared_data / "imagenet_samples").glob("*.JPEG"))[::60]
    images = torch.stack(
        [F.pil_to_tensor(Image.open(path).convert("RGB").resize((64, 64))) for path in paths]
    )
    matrix = Saturation(0.4).matrix(images.float().mean((2, 3)), chance())
    factors = matrix[:, 0, 0] - matrix[:, 1, 0]
    expected = [F.adjust_saturation(i, f.item()) for i, f in zip(images, factors)]
    difference = Saturation(0.4)(as_batch(images), chance()).images - torch.stack(expected)
    assert difference.abs().mean() < 0.8
