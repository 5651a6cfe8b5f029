"""Corruptions against hand calculations and other implementations."""

from __future__ import annotations

import colorsys
import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage

from saccade.augmentation.corrupt.corruptions import corrupt
from saccade.augmentation.corrupt.optics import convolve, disc_kernel, motion_kernels, strength
from saccade.data.batch import Batch


def changed_by(
    images: torch.Tensor, name: str, severity: int, generator: torch.Generator
) -> torch.Tensor:
    places = torch.arange(len(images))
    return corrupt(Batch(images, places, places), name, severity, generator).images


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def flat(value: float, size: int = 32, channels: int = 3, count: int = 1) -> torch.Tensor:
    return torch.full((count, channels, size, size), value)


def test_strengths_are_those_of_the_two_published_sets_at_their_sizes():
    small, large = (0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38)
    assert strength(small, large, 5, flat(0, 32)) == 0.10
    assert strength(small, large, 5, flat(0, 28)) == 0.10
    assert math.isclose(strength(small, large, 5, flat(0, 224)), 0.38)
    assert math.isclose(strength(small, large, 5, flat(0, 512)), 0.38)


def test_strength_halfway_between_the_sizes_is_the_geometric_mean():
    halfway = torch.zeros(1, 1, 200, 85)  # 84.66 = sqrt(32 x 224)
    assert math.isclose(strength((1,) * 5, (9,) * 5, 1, halfway), 3, rel_tol=0.01)


def test_gaussian_noise_has_the_tabled_deviation():
    changed = changed_by(flat(127.5, count=20), "gaussian_noise", 1, chance()) - 127.5
    assert math.isclose(changed.std().item(), 255 * 0.04, rel_tol=0.02)
    assert abs(changed.mean().item()) < 0.2


def test_shot_noise_counts_photons():
    changed = changed_by(flat(102, count=40), "shot_noise", 5, chance())  # 0.4 x 50 = 20 photons
    photons = changed * 50 / 255
    assert torch.allclose(photons, photons.round(), atol=1e-3)
    assert math.isclose(photons.mean().item(), 20, rel_tol=0.01)
    assert math.isclose(photons.var().item(), 20, rel_tol=0.03)  # Poisson's variance is its mean


def test_impulse_noise_hits_the_tabled_share_half_of_it_black():
    changed = changed_by(flat(100, count=40), "impulse_noise", 5, chance())
    assert math.isclose((changed == 0).float().mean().item(), 0.035, rel_tol=0.05)
    assert math.isclose((changed == 255).float().mean().item(), 0.035, rel_tol=0.05)


def test_speckle_noise_leaves_black_alone():
    assert changed_by(flat(0), "speckle_noise", 5, chance()).max() == 0


def test_filtering_is_that_of_scipy():
    images = 255 * torch.rand(2, 1, 20, 24, generator=chance())
    kernel = torch.rand(5, 5, generator=chance())
    ours = convolve(images, (kernel / kernel.sum())[None])
    for mine, image in zip(ours[:, 0], images[:, 0].numpy()):
        theirs = ndimage.convolve(image, (kernel / kernel.sum()).numpy(), mode="mirror")
        np.testing.assert_allclose(mine.numpy(), theirs, atol=1e-3)


def test_each_image_may_have_its_own_kernel():
    images = torch.rand(2, 3, 16, 16, generator=chance())
    kernels = torch.zeros(2, 3, 3)
    kernels[0, 1, 1], kernels[1, 1, 2] = 1, 1  # as it is; moved to the right by one
    kept, moved = convolve(images, kernels)
    assert torch.allclose(kept, images[0], atol=1e-5)
    assert torch.allclose(moved[..., 1:], images[1][..., :-1], atol=1e-5)


def test_a_disc_has_its_area():
    kernel = disc_kernel(3.5)
    full = kernel[4, 4]
    assert math.isclose(1 / full.item(), math.pi * 3.5**2, rel_tol=0.02)
    assert math.isclose(kernel.sum().item(), 1, rel_tol=1e-5)
    assert torch.allclose(kernel, kernel.T) and torch.allclose(kernel, kernel.flip(0))


def test_a_level_streak_is_half_a_gaussian_to_the_right():
    kernel = motion_kernels(2, 1.0, torch.tensor([0.0]))[0]
    weights = torch.tensor([1, math.exp(-0.5), math.exp(-2)])
    expected = torch.zeros(5, 5)
    expected[2, 2:] = weights / weights.sum()
    assert torch.allclose(kernel, expected, atol=1e-6)


def test_brightness_is_added_to_the_value_of_hsv():
    red, green, blue = 100.0, 50.0, 25.0
    image = torch.tensor([red, green, blue]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    changed = changed_by(image, "brightness", 5, chance())[0, :, 0, 0] / 255  # + 0.3 at 32 pixels
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    expected = colorsys.hsv_to_rgb(hue, saturation, value + 0.3)
    np.testing.assert_allclose(changed.numpy(), expected, atol=1e-4)


def test_saturation_is_that_of_hsv():
    red, green, blue = 100.0, 80.0, 60.0
    image = torch.tensor([red, green, blue]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    changed = changed_by(image, "saturate", 4, chance())[0, :, 0, 0] / 255  # s -> 2 s + 0.1
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    expected = colorsys.hsv_to_rgb(hue, min(1, 2 * saturation + 0.1), value)
    np.testing.assert_allclose(changed.numpy(), expected, atol=1e-4)


def test_contrast_shrinks_the_spread_and_keeps_the_mean():
    image = 255 * torch.rand(1, 3, 32, 32, generator=chance())
    changed = changed_by(image, "contrast", 2, chance())
    assert torch.allclose(changed.mean((2, 3)), image.mean((2, 3)), atol=1e-3)
    assert torch.allclose(changed.std((2, 3)), 0.5 * image.std((2, 3)), rtol=1e-3)


def test_pixels_are_means_of_their_blocks():
    row = torch.arange(224.0)
    image = row.expand(1, 3, 224, 224)
    changed = changed_by(image, "pixelate", 5, chance())[0, 0, 0]  # 56 blocks of 4 pixels
    assert torch.allclose(changed[:8], torch.tensor([1.5] * 4 + [5.5] * 4), atol=1e-3)


def test_pixels_of_broken_blocks_are_those_of_pillow():
    coarse = 255 * torch.rand(1, 1, 20, 20, generator=chance())
    smooth = F.interpolate(coarse, (224, 224), mode="bilinear")[0, 0]
    pixels = smooth.byte().numpy()
    image = Image.fromarray(pixels)
    box = Image.Resampling.BOX
    theirs = np.asarray(image.resize((89, 89), box).resize((224, 224), box), dtype=np.float32)
    ours = changed_by(torch.from_numpy(pixels)[None, None], "pixelate", 3, chance())[0, 0].numpy()
    off = np.abs(ours - theirs).mean()  # Pillow takes whole pixels only, and rounds
    assert off < 0.5 * np.abs(pixels - theirs).mean()


def test_jpeg_is_pillow_s():
    pixels = (255 * torch.rand(3, 224, 224, generator=chance())).byte()
    written = io.BytesIO()
    array = np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
    Image.fromarray(array).save(written, "JPEG", quality=7)
    expected = torch.from_numpy(np.array(Image.open(written))).permute(2, 0, 1).float()
    assert torch.equal(changed_by(pixels[None], "jpeg", 5, chance())[0], expected)


def test_elastic_moves_points_by_the_tabled_deviation():
    ramp = torch.arange(224.0).expand(8, 1, 224, 224)
    moved = changed_by(ramp, "elastic", 5, chance()) - ramp
    inner = moved[..., 20:-20]
    assert math.isclose(inner.std().item(), 1.95, rel_tol=0.1)


def test_translations_are_whole_pixels_in_one_of_eight_directions():
    images = 255 * torch.rand(16, 1, 32, 32, generator=chance())
    changed = changed_by(images, "translate", 3, chance())
    for before, after in zip(images[:, 0], changed[:, 0]):
        moves = [(y, x) for y in (-3, 0, 3) for x in (-3, 0, 3) if (y, x) != (0, 0)]
        inner = after[6:-6, 6:-6]
        fits = [torch.equal(inner, before.roll(move, (0, 1))[6:-6, 6:-6]) for move in moves]
        assert sum(fits) == 1


def test_a_larger_image_moves_farther():
    ramp = torch.arange(224.0).expand(32, 1, 224, 224)
    moved = (changed_by(ramp, "translate", 5, chance()) - ramp)[..., 112, 112].abs().max()
    assert moved == 20  # 5 steps of round(224 / 64) = 4 pixels


def test_turns_go_to_both_sides_by_four_degrees_a_severity():
    ramp = torch.arange(64.0).expand(32, 1, 64, 64)
    changed = changed_by(ramp, "turn", 2, chance())[:, 0]
    slope = changed[:, 33:48, 32].diff(dim=1).mean(1)  # sin 8 degrees
    assert torch.allclose(slope.abs(), torch.tensor(math.sin(math.radians(8))), atol=1e-3)
    assert slope.min() < 0 < slope.max()


def test_scales_are_six_percent_a_severity_either_way():
    ramp = torch.arange(64.0).expand(32, 1, 64, 64)
    slope = changed_by(ramp, "scale", 1, chance())[:, 0, 32, 16:48].diff(dim=1).mean(1)
    assert {round(s, 3) for s in slope.tolist()} == {1.06, round(1 / 1.06, 3)}
