"""Masks and boxes through the real loop: augmented, in micro-batches, measured on other images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.data.batch import Batch
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.data.targets import IGNORE, Boxes, Masks, Targets
from saccade.engine.loop import Step, train
from saccade.engine.optim import OPTIMIZERS
from saccade.engine.schedule import make_schedule
from saccade.engine.state import supervised
from saccade.engine.step import Stepper

SIDE = 24
AUGMENT = ("flip", "translate:3", "brightness:0.1", "contrast:0.1")


def squares(count: int, seed: int) -> tuple[Tensor, Masks, Boxes]:
    """Squares of two greys on noise, up to three an image: pixels, masks and boxes."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    images = torch.randint(0, 60, (count, 1, SIDE, SIDE), generator=generator).byte()
    masks = torch.zeros(count, SIDE, SIDE, dtype=torch.uint8)
    boxes, classes, counts = [], [], []
    for image, mask in zip(images, masks):
        counts.append(draw(0, 4))
        for _ in range(counts[-1]):
            side, kind = draw(6, 10), draw(0, 2)
            y, x = draw(0, SIDE - side), draw(0, SIDE - side)
            image[0, y : y + side, x : x + side] = (120, 230)[kind]
            mask[y : y + side, x : x + side] = kind + 1
            boxes.append((x, y, x + side, y + side))
            classes.append(kind)
    return (
        images,
        Masks(masks),
        Boxes(torch.tensor(boxes).float(), torch.tensor(classes), torch.tensor(counts)),
    )


def network(outputs: int, stride: int) -> nn.Sequential:
    def row(cin: int, cout: int, stride: int = 1) -> nn.Sequential:
        convolution = nn.Conv2d(cin, cout, 3, stride, 1)
        return nn.Sequential(convolution, nn.BatchNorm2d(cout), nn.ReLU())

    torch.manual_seed(0)
    more = (row(16, 16) for _ in range(3))
    return nn.Sequential(row(1, 16), row(16, 16, stride), *more, nn.Conv2d(16, outputs, 1))


class Segmentation:
    """A class a pixel; what a border invented is not asked for."""

    def losses(self, model: nn.Module, batch: Batch[Masks]) -> Mapping[str, Tensor]:
        classes = batch.targets.classes.long()
        return {"loss": F.cross_entropy(model(batch.images / 255), classes, ignore_index=IGNORE)}


class Detection:
    """One level of FCOS, Tian 2019: each cell inside a box says its class and distances."""

    stride = 2

    def assigned(self, targets: Boxes, cells: int) -> tuple[Tensor, Tensor]:
        """The class of each cell, 0 for none, and distances to the four sides."""
        classes = torch.zeros(len(targets), cells, cells, dtype=torch.int64)
        distances = torch.zeros(len(targets), 4, cells, cells)
        centre = (torch.arange(cells) + 0.5) * self.stride
        y, x = torch.meshgrid(centre, centre, indexing="ij")
        for box, kind, image in zip(targets.boxes, targets.classes, targets.image):
            apart = torch.stack((x - box[0], y - box[1], box[2] - x, box[3] - y))
            inside = (apart > 0).all(0)
            classes[image][inside] = kind + 1
            distances[image][:, inside] = apart[:, inside] / 8
        return classes, distances

    def losses(self, model: nn.Module, batch: Batch[Boxes]) -> Mapping[str, Tensor]:
        result = model(batch.images / 255)
        classes, distances = self.assigned(batch.targets, result.shape[2])
        inside = classes > 0
        kinds = F.cross_entropy(result[:, :3], classes)
        sides = (result[:, 3:] - distances).abs().mean(1)[inside].sum() / inside.sum().clamp(min=1)
        return {"loss": kinds + sides, "classes": kinds, "boxes": sides}


def trained(task: Any, model: nn.Module, images: Tensor, targets: Targets) -> list[float]:
    """The loss of each step of ten epochs."""
    loader = Loader(CachedImages(images), targets, 16, shuffled(len(images), seed=0))
    optimizer = OPTIMIZERS["adamw"]([{"params": list(model.parameters())}], 0.01, 0.9)
    stepper = Stepper(optimizer, make_schedule("cosine", 0.1), 10 * len(loader), micro_batch=8)
    augment = compose([parse_augmentation(text) for text in AUGMENT])
    events = train(supervised(model, task, stepper), loader, augment, epochs=10)
    losses = [float(event.losses["loss"]) for event in events if isinstance(event, Step)]
    model.eval().requires_grad_(False)
    return losses


def test_a_segmentation_is_learned_from_masks_that_move_with_the_images():
    images, masks, _ = squares(160, seed=1)
    model = network(3, stride=1)
    losses = trained(Segmentation(), model, images, masks)
    assert sum(losses[-8:]) < 0.3 * sum(losses[:8])
    images, masks, _ = squares(40, seed=2)
    result = model(images / 255).argmax(1)
    for kind in range(3):
        both = ((result == kind) & (masks.classes == kind)).sum()
        either = ((result == kind) | (masks.classes == kind)).sum()
        assert both / either > 0.85


def test_a_detection_is_learned_from_boxes_that_move_with_the_images():
    images, _, boxes = squares(160, seed=1)
    task, model = Detection(), network(7, stride=2)
    losses = trained(task, model, images, boxes)
    assert sum(losses[-8:]) < 0.3 * sum(losses[:8])
    images, _, boxes = squares(40, seed=2)
    result = model(images / 255)
    classes, distances = task.assigned(boxes, result.shape[2])
    inside = classes > 0
    assert (result[:, :3].argmax(1) == classes)[inside].float().mean() > 0.7
    off = 8 * (result[:, 3:] - distances).abs().mean(1)[inside].mean()
    assert off < 1  # pixel a side
