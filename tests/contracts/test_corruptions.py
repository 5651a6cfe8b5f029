"""What every corruption of the catalogue keeps to."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.augmentation.corrupt.corruptions import CORRUPTIONS, FAMILIES, corrupt, names
from saccade.augmentation.corrupt.optics import SEVERITIES
from saccade.data.batch import Batch
from saccade.data.targets import IGNORE, Masks
from saccade.errors import UsageError

EVERY = pytest.mark.parametrize("name", CORRUPTIONS)
SIZES = pytest.mark.parametrize("size", [(28, 28), (32, 40), (96, 72), (224, 224)], ids=str)


def images(count: int, channels: int, size: tuple[int, int]) -> Tensor:
    """Clouds of colour with shores and a little grain: large shapes, edges, fine detail."""
    generator = torch.Generator().manual_seed(3)
    clouds = torch.zeros(count, channels, *size)
    for cells, weight in ((3, 90.0), (6, 45.0), (12, 22.0), (24, 11.0)):
        coarse = torch.rand(count, channels, cells, cells, generator=generator)
        clouds += weight * F.interpolate(coarse, size, mode="bilinear", align_corners=False)
    clouds += 60 * (clouds > clouds.mean((2, 3), keepdim=True))
    return (clouds + 8 * torch.rand(count, channels, *size, generator=generator)).byte()


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def corrupted(images: Tensor, name: str, severity: int, generator: torch.Generator) -> Tensor:
    places = torch.arange(len(images))
    return corrupt(Batch(images, places, places), name, severity, generator).images


def distance(name: str, severity: int, images: Tensor) -> float:
    """Root of the mean squared change."""
    changed = corrupted(images, name, severity, chance())
    return float((changed - images.float()).square().mean().sqrt())


@EVERY
@SIZES
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_stay_0_to_255_in_the_same_shape(name: str, size: tuple[int, int], channels: int):
    given = images(2, channels, size)
    for severity in (1, 5):
        changed = corrupted(given, name, severity, chance())
        assert changed.shape == given.shape
        assert changed.dtype == torch.float32
        assert changed.min() >= -0.01 and changed.max() <= 255.01
        assert torch.isfinite(changed).all()


@EVERY
@pytest.mark.parametrize("value", [0.0, 255.0])
def test_black_and_white_images_stay_in_range(name: str, value: float):
    changed = corrupted(torch.full((2, 3, 32, 32), value), name, 5, chance())
    assert changed.min() >= -0.01 and changed.max() <= 255.01
    assert torch.isfinite(changed).all()


@EVERY
def test_the_images_that_come_in_are_never_written_to(name: str):
    given = images(2, 3, (32, 32)).float()
    before = given.clone()
    corrupted(given, name, 5, chance())
    assert torch.equal(given, before)


@EVERY
def test_the_same_generator_gives_the_same_images(name: str):
    given = images(4, 3, (32, 32))
    assert torch.equal(corrupted(given, name, 3, chance()), corrupted(given, name, 3, chance()))


@EVERY
@pytest.mark.parametrize("size", [(28, 28), (32, 32), (64, 64), (128, 128), (224, 224)], ids=str)
def test_a_higher_severity_is_farther_from_the_image(name: str, size: tuple[int, int]):
    given = images(24 if size[0] < 100 else 6, 3, size)
    found = [distance(name, severity, given) for severity in SEVERITIES]
    assert found[0] > 0
    assert found == sorted(found), found


@pytest.mark.parametrize("name", names(1))
def test_grey_images_are_changed_too(name: str):
    assert distance(name, 5, images(4, 1, (28, 28))) > 1


def test_colour_is_left_out_for_grey_images_unless_named():
    assert "saturate" not in names(1)
    assert names(1, "saturate") == ("saturate",)
    assert set(names(3)) == set(CORRUPTIONS)


def test_families_and_names_may_be_mixed():
    noise = tuple(FAMILIES["noise"])
    assert names(3, "noise fog shot_noise") == (*noise, "fog")


def test_unknown_names_and_severities_are_refused():
    given = images(1, 3, (32, 32))
    with pytest.raises(UsageError, match="no corruption is called 'gausian_noise'") as caught:
        corrupted(given, "gausian_noise", 1, chance())
    assert "gaussian_noise" in caught.value.hint
    with pytest.raises(UsageError, match="no corruption is called 'fogg'"):
        names(3, "fogg")
    with pytest.raises(UsageError, match="severity cannot be 6"):
        corrupted(given, "fog", 6, chance())


@EVERY
def test_masks_stay_or_move_with_their_images(name: str):
    """A bright square: where it is seen afterwards its mask is, but for its outline."""
    images = torch.full((12, 3, 64, 64), 40, dtype=torch.uint8)
    images[:, :, 20:40, 24:44] = 200
    masks = Masks((images[:, 0] > 100).byte())
    seen = corrupt(Batch(images, masks, torch.arange(12)), name, 3, chance())
    if name not in (*FAMILIES["shift"], "elastic"):
        assert seen.targets is masks
        return
    bright, mask = seen.images.mean(1) > 120, seen.targets.classes
    assert not torch.equal(mask, masks.classes)
    assert ((mask == 1) != bright)[mask != IGNORE].float().mean() < 0.01
