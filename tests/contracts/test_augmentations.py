"""What every augmentation of the catalogue keeps to."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from saccade.augment.augmentation import Augmentation, compose
from saccade.augment.catalogue import AUGMENTATIONS, parse
from saccade.data.batch import Batch
from saccade.errors import RecipeError

CLASSES = 5
EVERY = pytest.mark.parametrize("name", AUGMENTATIONS)


def batch(count: int = 12, channels: int = 3, height: int = 20, width: int = 24) -> Batch:
    """Smooth colours with a little noise, so that every change shows."""
    generator = torch.Generator().manual_seed(5)
    coarse = torch.rand(count, channels, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    noise = 0.1 * torch.rand(smooth.shape, generator=generator)
    images = (255 * (smooth + noise).clamp(0, 1)).byte()
    return Batch(images, torch.arange(count) % CLASSES, torch.arange(count) + 100)


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augmentation(name: str) -> Augmentation:
    return parse(name, CLASSES)


@EVERY
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_become_floating_point_of_0_to_255_in_the_same_shape(name: str, channels: int):
    given = batch(channels=channels)
    images = augmentation(name)(given, chance()).images
    assert images.shape == given.images.shape
    assert images.dtype == torch.float32
    assert images.min() >= 0 and images.max() <= 255.01
    assert torch.isfinite(images).all()


@EVERY
def test_the_batch_that_comes_in_is_never_written_to(name: str):
    for given in (batch(), Batch(batch().images.float(), batch().targets, batch().index)):
        before = given.images.clone(), given.targets.clone(), given.index.clone()
        augmentation(name)(given, chance())
        after = given.images, given.targets, given.index
        assert all(torch.equal(old, new) for old, new in zip(before, after))


@EVERY
def test_the_same_state_of_the_generator_gives_the_same_pixels(name: str):
    once, again, other = (augmentation(name)(batch(), chance(seed)) for seed in (1, 1, 2))
    assert torch.equal(once.images, again.images)
    assert torch.equal(once.targets, again.targets)
    assert not torch.equal(once.images, other.images)


@EVERY
def test_all_chance_comes_from_the_passed_generator(name: str):
    before = torch.get_rng_state()
    augmentation(name)(batch(), chance())
    assert torch.equal(torch.get_rng_state(), before)


@EVERY
def test_bytes_and_the_same_values_in_floating_point_give_the_same_pixels(name: str):
    bytes_, floats = batch(), batch()
    floats = Batch(floats.images.float(), floats.targets, floats.index)
    one, other = (augmentation(name)(given, chance()).images for given in (bytes_, floats))
    assert torch.equal(one, other)


@EVERY
def test_every_picture_of_a_batch_draws_its_own(name: str):
    given = batch()
    alike = Batch(given.images[:1].expand(64, -1, -1, -1), torch.zeros(64).long(), torch.arange(64))
    mixed = alike if not augmentation(name).mixes else batch(64)
    images = augmentation(name)(mixed, chance()).images
    changes = images - mixed.images
    assert len(torch.unique(changes.flatten(1), dim=0)) > 1


@EVERY
def test_the_index_stays_and_targets_change_only_where_pictures_are_mixed(name: str):
    given, kind = batch(), augmentation(name)
    seen = kind(given, chance())
    assert torch.equal(seen.index, given.index)
    if kind.mixes:
        assert seen.targets.shape == (12, CLASSES)
        torch.testing.assert_close(seen.targets.sum(1), torch.ones(12))
    else:
        assert torch.equal(seen.targets, given.targets)


@EVERY
def test_a_single_picture_and_a_single_pixel_go_through(name: str):
    for given in (batch(1), batch(2, height=1, width=1)):
        images = augmentation(name)(given, chance()).images
        assert images.shape == given.images.shape
        assert torch.isfinite(images).all()


@EVERY
def test_a_value_that_cannot_be_is_refused_as_a_recipe_error(name: str):
    with pytest.raises(RecipeError, match="of augmentation"):
        parse(f"{name}:-1")


@EVERY
def test_a_name_alone_is_the_class_with_its_defaults(name: str):
    assert parse(name) == AUGMENTATIONS[name]()


@EVERY
def test_a_gpu_gives_what_the_processor_gives_from_one_generator(name: str):
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    here = augmentation(name)(batch(), chance()).images
    there = augmentation(name)(batch().to("cuda"), chance()).images.cpu()
    torch.testing.assert_close(here, there, atol=0.5, rtol=0)


def test_all_of_them_in_a_row_are_one_augmentation():
    chain = compose([augmentation(name) for name in AUGMENTATIONS])
    seen: Tensor = chain(batch(), chance()).images
    assert seen.shape == batch().images.shape
    assert chain.mixes
