"""What every augmentation of the catalogue keeps to: pixels, chance, and where targets are."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import saccade
from saccade.augmentation.augmentation import Augmentation, Photometric, RandomChoice, compose
from saccade.augmentation.catalogue import AUGMENTATIONS, parse_augmentation
from saccade.augmentation.crop import ProgressiveResizing
from saccade.augmentation.geometry import Geometry
from saccade.augmentation.policies import OneOf
from saccade.data.batch import Batch
from saccade.data.targets import IGNORE, Boxes, Captions, Images, Masks, NoTargets, joined
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
    return parse_augmentation(name, CLASSES)


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
def test_every_image_of_a_batch_draws_its_own(name: str):
    given = batch()
    alike = Batch(given.images[:1].expand(64, -1, -1, -1), torch.zeros(64).long(), torch.arange(64))
    mixed = alike if not augmentation(name).mixes else batch(64)
    images = augmentation(name)(mixed, chance()).images
    changes = images - mixed.images
    assert len(torch.unique(changes.flatten(1), dim=0)) > 1


@EVERY
def test_the_index_stays_and_targets_change_only_where_images_are_mixed(name: str):
    given, kind = batch(), augmentation(name)
    seen = kind(given, chance())
    assert torch.equal(seen.index, given.index)
    if kind.mixes:
        assert seen.targets.shape == (12, CLASSES)
        torch.testing.assert_close(seen.targets.sum(1), torch.ones(12))
    else:
        assert torch.equal(seen.targets, given.targets)


@EVERY
def test_a_single_image_and_a_single_pixel_go_through(name: str):
    for given in (batch(1), batch(2, height=1, width=1)):
        images = augmentation(name)(given, chance()).images
        assert images.shape == given.images.shape
        assert torch.isfinite(images).all()


@EVERY
def test_a_value_that_cannot_be_is_refused_as_a_recipe_error(name: str):
    with pytest.raises(RecipeError, match="of augmentation"):
        parse_augmentation(f"{name}:-1")


@EVERY
def test_a_name_alone_is_the_class_with_its_defaults(name: str):
    assert parse_augmentation(name) == AUGMENTATIONS[name]()


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


# ---- targets are where the pixels are

SIDE = 48
COUNT = 48
MIXING = [name for name in AUGMENTATIONS if parse_augmentation(name, CLASSES).mixes]
COMPOSED: dict[str, Callable[[], Augmentation]] = {
    **{name: lambda name=name: augmentation(name) for name in AUGMENTATIONS if name not in MIXING},
    "progressive resizing": lambda: ProgressiveResizing(0.5, lambda: 0.0),
    "either": lambda: RandomChoice((augmentation("flip"), augmentation("rotate"))),
    "one of": lambda: OneOf((augmentation("flip"), augmentation("scale"), augmentation("hue"))),
    "several in one": lambda: compose(
        [augmentation(text) for text in ("resized_crop:0.3", "rotate:20", "brightness", "flip")]
    ),
    "several, resized": lambda: compose(
        [
            augmentation("elastic"),
            augmentation("rand_augment"),
            ProgressiveResizing(0.5, lambda: 0.3),
        ]
    ),
}
PHOTOMETRIC = [name for name, kind in AUGMENTATIONS.items() if Photometric in kind.__mro__]
SINGLE = pytest.mark.parametrize("name", COMPOSED)


def blobs() -> Batch[Boxes]:
    """A white rectangle on black somewhere in each image: its box, its mask, the image again."""
    generator = torch.Generator().manual_seed(8)
    low = torch.randint(8, 20, (COUNT, 2), generator=generator)
    high = low + torch.randint(12, 20, (COUNT, 2), generator=generator)
    images = torch.zeros(COUNT, 3, SIDE, SIDE, dtype=torch.uint8)
    for image, (x0, y0), (x1, y1) in zip(images, low.tolist(), high.tolist()):
        image[:, y0:y1, x0:x1] = 255
    boxes, ones = torch.cat((low, high), dim=1).float(), torch.ones(COUNT, dtype=torch.int64)
    return Batch(images, Boxes(boxes, ones, ones, images[:, 0] // 255), torch.arange(COUNT))


def seen_of(name: str, targets: Any) -> Batch:
    return COMPOSED[name]()(Batch(blobs().images, targets, torch.arange(COUNT)), chance())


def white(seen: Tensor) -> Tensor:
    """Which pixels are of the rectangle: as bright as its middle.  [N,C,h,w] -> [N,h,w] bool"""
    grey = seen.mean(1)
    low, high = grey.amin((1, 2), keepdim=True), grey.amax((1, 2), keepdim=True)
    return grey > (low + high) / 2


def outlines(inside: Tensor) -> Tensor:
    """Pixels with an unlike one beside them: there interpolation may decide.  [N,h,w] bool"""
    padded = torch.nn.functional.pad(inside[:, None].float(), (1,) * 4, mode="replicate")
    most = torch.nn.functional.max_pool2d(padded, 3, 1)
    return (most + torch.nn.functional.max_pool2d(-padded, 3, 1))[:, 0] > 0


GEOMETRIC = [name for name, kind in AUGMENTATIONS.items() if Geometry in kind.__mro__]
MOVING = [name for name in COMPOSED if name in GEOMETRIC or name not in AUGMENTATIONS]


@pytest.mark.parametrize("name", [*GEOMETRIC, "progressive resizing", "either"])
def test_images_as_targets_see_what_the_images_see(name: str):
    seen = seen_of(name, Images(blobs().images))
    assert torch.equal(seen.images, seen.targets.values.float())


@pytest.mark.parametrize("name", MOVING)
def test_masks_are_where_the_pixels_are(name: str):
    """All but the outline, where a pixel is of both."""
    seen = seen_of(name, Masks(blobs().images[:, 0] // 255))
    bright, mask = white(seen.images), seen.targets.classes
    known = (mask != IGNORE) & ~outlines(mask == 1) & ~outlines(bright)
    wrong = (((mask == 1) != bright) & known).flatten(1).any(1)
    shown = (mask == 1).flatten(1).any(1)  # of a crop beside the rectangle all is as bright
    tones = 0.25 if name == "several, resized" else 0.0  # which may turn black and white over
    assert wrong[shown].float().mean() <= tones
    assert shown.float().mean() > 0.9


@pytest.mark.parametrize("name", MOVING)
def test_boxes_are_around_the_pixels(name: str):
    """To a pixel and a half; one of a turned rectangle that the edge has cut may be larger."""
    targets = seen_of(name, blobs().targets).targets
    size = torch.tensor(targets.masks.shape[1:]).flip(0)
    for box, mask in zip(targets.boxes, targets.masks, strict=True):
        rows, columns = mask.nonzero().unbind(1)
        low = torch.stack((columns.min(), rows.min()))
        high = torch.stack((columns.max(), rows.max())) + 1
        assert (box[:2] <= low + 1.5).all() and (box[2:] >= high - 1.5).all()
        if (box[:2] > 0).all() and (box[2:] < size).all():
            torch.testing.assert_close(box, torch.cat((low, high)).float(), atol=1.5, rtol=0)
    assert targets.counts.sum() > 0.9 * COUNT


@SINGLE
def test_masks_of_instances_and_masks_of_classes_move_alike(name: str):
    whole = blobs()
    boxes = seen_of(name, whole.targets).targets
    masks = seen_of(name, Masks(whole.images[:, 0] // 255)).targets.classes
    assert torch.equal(boxes.masks == 1, masks[boxes.image] == 1)


@SINGLE
def test_every_noun_goes_through_and_stays_with_its_image(name: str):
    counts = torch.tensor([0, 3] * (COUNT // 2))
    words = Captions(1 + torch.arange(int(counts.sum()))[:, None], counts)
    seen = seen_of(name, words).targets
    assert torch.equal(seen.tokens, words.tokens) and torch.equal(seen.counts, words.counts)
    assert seen_of(name, NoTargets(COUNT)).targets == NoTargets(COUNT)
    classes = torch.arange(COUNT)
    assert torch.equal(seen_of(name, classes).targets, classes)
    nobody = blobs()[:0]
    assert len(COMPOSED[name]()(nobody, chance()).targets) == 0


@pytest.mark.parametrize("name", PHOTOMETRIC)
def test_what_changes_colours_leaves_targets_alone(name: str):
    for targets in (blobs().targets, Masks(blobs().images[:, 0]), Images(blobs().images)):
        assert seen_of(name, targets).targets is targets


@pytest.mark.parametrize("name", PHOTOMETRIC)
def test_what_changes_colours_leaves_things_where_they_are(name: str):
    """A change of one pixel of the image shows near to that pixel, and nowhere else."""
    flat = torch.full((COUNT, 3, 33, 33), 100.0)
    flat[:, :, 0, 0], flat[:, :, -1, -1] = 20, 220  # so that curves have ends
    dot = flat.clone()
    dot[:, :, 20, 12] = 140
    places = torch.arange(COUNT)
    one, other = (
        augmentation(name)(Batch(images, places, places), chance()).images for images in (flat, dot)
    )
    apart = (one - other).abs().amax(1)
    apart[:, 17:24, 9:16] = 0
    limit = 0.5 if name != "equalize" else 255.0  # which counts pixels: any may go another way
    assert apart.max() <= limit


@pytest.mark.parametrize("name", MIXING)
@pytest.mark.parametrize("kind", ["Masks", "Boxes", "Images", "Captions", "NoTargets"])
def test_what_mixes_images_refuses_what_cannot_be_mixed(name: str, kind: str):
    nouns = {
        "Masks": Masks(blobs().images[:, 0]),
        "Boxes": blobs().targets,
        "Images": Images(blobs().images),
        "Captions": Captions(torch.ones(0, 3).long(), torch.zeros(COUNT).long()),
        "NoTargets": NoTargets(COUNT),
    }
    given = Batch(blobs().images, nouns[kind], torch.arange(COUNT))
    with pytest.raises(RecipeError, match=f"cannot mix what these images carry: {kind}") as caught:
        augmentation(name)(given, chance())
    assert "hint: leave them out of data.augment" in str(caught.value)


def test_a_batch_in_pieces_has_the_targets_of_all_pieces_in_order(monkeypatch: pytest.MonkeyPatch):
    from saccade.augmentation import augmentation as module

    whole = blobs()
    monkeypatch.setattr(module, "CHUNK_VALUES", 7 * whole.images[0].numel())
    seen = compose([augmentation("flip:1")])(whole, chance())
    x0, y0, x1, y1 = whole.targets.boxes.unbind(1)
    assert torch.equal(seen.targets.boxes, torch.stack((SIDE - x1, y0, SIDE - x0, y1), dim=1))
    assert torch.equal(joined([seen.targets[:20], seen.targets[20:]]).boxes, seen.targets.boxes)


# ---- nobody moves images by hand

WRITERS = {
    "Photometric.__call__",  # colours only: never sees targets
    "warped",  # images and targets by one warp
    "mixup",
    "cutmix",
    "Compose.__call__",  # to floating point
    "_in_chunks",
    "OneOf.__call__",
    "photometric.corruption",
    "corrupt",  # to floating point
    "CorruptedImages.__call__",  # to bytes
}


def writers(node: ast.AST, place: tuple[str, ...] = ()) -> set[str]:
    """The functions that make a batch, or give one other images."""
    found = set()
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.ClassDef | ast.FunctionDef)
        inner = (*place, child.name) if named else place  # type: ignore[attr-defined]
        if isinstance(child, ast.Call):
            words = {word.arg for word in child.keywords}
            called = ast.unparse(child.func)
            if called == "Batch" or (called == "replace" and "images" in words):
                found.add(".".join(inner))
        found |= writers(child, inner)
    return found


def test_images_of_a_batch_are_replaced_in_these_few_places_only():
    """So a new augmentation that moves things has to go through a warp, which moves targets."""
    room = Path(saccade.__file__).parent / "augmentation"
    found = set()
    for path in room.rglob("*.py"):
        found |= writers(ast.parse(path.read_text()))
    assert found == WRITERS
