"""Curves, blur, sharpening and noise against torchvision's functions."""

from __future__ import annotations

import pytest
import torch
import torchvision.transforms.v2.functional as F
from torch import Tensor

from saccade.augmentation.colour import (
    AutoContrast,
    Posterize,
    Solarize,
    autocontrast,
    equalize,
    posterize,
)
from saccade.augmentation.filters import Blur, Noise, Sharpen, blur, sharpen
from saccade.data.batch import Batch


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_images(count: int = 4, low: int = 30, high: int = 190) -> Tensor:
    return torch.randint(low, high, (count, 3, 40, 33), generator=chance(4)).byte()


def as_batch(images: Tensor) -> Batch:
    return Batch(images, torch.arange(len(images)), torch.arange(len(images)))


def test_posterizing_keeps_the_first_bits():
    images = make_images()
    seen = posterize(images.float(), torch.tensor([1.0, 3, 5, 8]))
    for bits, one, image in zip((1, 3, 5, 8), seen, images):
        assert torch.equal(one, F.posterize(image, bits).float())
    values = Posterize(7)(as_batch(images), chance()).images
    assert ((values % 2 == 0) | (values == images)).all()


def test_solarizing_turns_bright_values_over_and_leaves_dark_ones():
    images = make_images()
    seen = Solarize(120)(as_batch(images), chance()).images
    turned = seen != images
    assert images[turned].min() >= 120
    assert torch.equal(seen[turned], 255.0 - images[turned])
    assert torch.equal(Solarize(256)(as_batch(images), chance()).images, images.float())


def test_autocontrast_and_equalize_are_torchvisions():
    images = make_images()
    images[1, 0] = 77  # a channel of one value is kept by both
    images[2] = images[2] // 40 * 40
    stretched = autocontrast(images.float())
    torch.testing.assert_close(stretched, F.autocontrast(images).float(), atol=1, rtol=0)
    torch.testing.assert_close(equalize(images.float()), F.equalize(images).float())


def test_autocontrast_changes_as_many_images_as_asked_for():
    images = make_images(400)[:, :, :4, :4]
    changed = (AutoContrast(0.3)(as_batch(images), chance()).images != images).flatten(1).any(1)
    assert changed.float().mean() == pytest.approx(0.3, abs=0.1)


def test_a_blur_is_torchvisions_gaussian_away_from_the_edge():
    images = make_images().float()
    sigmas = (0.5, 1.0, 2.0, 3.0)
    seen = blur(images, torch.tensor(sigmas))
    for sigma, one, image in zip(sigmas, seen, images):
        expected = F.gaussian_blur(image, [25, 25], [sigma, sigma])
        inner = (slice(None), slice(13, -13), slice(13, -13))
        torch.testing.assert_close(one[inner], expected[inner], atol=0.01, rtol=0)


def test_a_blur_keeps_an_even_image_even_and_every_mean():
    assert torch.allclose(
        blur(torch.full((1, 3, 9, 5), 91.0), torch.tensor([4.0])), torch.tensor(91.0)
    )
    images = make_images().float()
    torch.testing.assert_close(Blur(2)(as_batch(images), chance()).images.mean(), images.mean())


def test_sharpening_is_torchvisions():
    images = make_images()
    factors = (0.0, 0.4, 1.0, 1.7)
    seen = sharpen(images.float(), torch.tensor(factors))
    for factor, one, image in zip(factors, seen, images):
        expected = F.adjust_sharpness(image, factor).float()
        torch.testing.assert_close(one, expected, atol=1.5, rtol=0)
    assert torch.equal(Sharpen(0)(as_batch(images), chance()).images, images.float())


def test_noise_has_no_mean_and_up_to_its_deviation():
    grey = as_batch(torch.full((300, 1, 16, 16), 128).byte())
    noise = Noise(20)(grey, chance()).images - 128
    deviations = noise.flatten(1).std(1)
    assert abs(noise.mean()) < 0.2
    assert deviations.min() < 1.5 and 18 < deviations.max() < 22
    assert deviations.mean() == pytest.approx(10, abs=1.4)  # even from 0 to 20
