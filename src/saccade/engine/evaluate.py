"""evaluate: every held-out picture once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from saccade.augment.corrupt.corruptions import Corrupted, names
from saccade.augment.corrupt.optics import SEVERITIES
from saccade.augment.tta import Map, seen
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.engine.distributed.world import ALONE, World
from saccade.engine.ood import Novelty
from saccade.metrics.metric import Number
from saccade.models.backbone import HeadInputs
from saccade.tasks.task import Task


@dataclass(frozen=True)
class Evaluated:
    """What a network says of each picture, and how good that is."""

    scores: dict[str, float | Tensor]  # the task's metrics by name
    predictions: Tensor  # [N,...] float32 on the CPU, in the order of the split
    targets: Tensor  # [N,...] on the CPU, in the same order
    novelty: Tensor | None = None  # [N] float32, 0 to 1, where it was asked for


def evaluate(
    model: nn.Module,
    task: Task,
    loader: Loader,
    world: World = ALONE,
    maps: Sequence[Map] = (),
    novelty: Novelty | None = None,
) -> Evaluated:
    """Predict every picture of `loader`, in eval mode and float32, and measure.

    With `maps` a prediction is the mean over the picture under each of them.  The processes of a
    world share the work; each has the whole result.
    """
    metrics, parts, targets, places, strange = task.metrics(), [], [], [], []
    inside = HeadInputs(model) if novelty else None
    for prediction, batch in predict(inside or model, task, loader, world, maps):
        for metric in metrics.values():
            metric.update(prediction, batch)
        parts.append(prediction.cpu())
        targets.append(batch.targets.cpu())
        places.append(batch.index.cpu())
        if novelty and inside:
            share = novelty.mean_share(inside.features).to(prediction)
            strange.append(world.joined(share, len(batch)).cpu())
            inside.features.clear()
    order = torch.cat(places).argsort()
    scores = {name: metric.result() for name, metric in metrics.items()}
    shares = torch.cat(strange)[order] if strange else None
    return Evaluated(scores, torch.cat(parts)[order], torch.cat(targets)[order], shares)


@torch.inference_mode()
def predict(
    model: nn.Module, task: Task, loader: Loader, world: World = ALONE, maps: Sequence[Map] = ()
) -> Iterator[tuple[Tensor, Batch]]:
    """What the task says of each batch of `loader`, in eval mode, beside the batch."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    for batch in loader.epoch(0):
        batch = batch.to(device)
        part, _ = world.part(batch)
        views = seen(part.images, maps) if maps else [part.images]
        said = torch.stack([task.predict(model, images) for images in views]).mean(dim=0)
        yield world.joined(said, len(batch)), batch
    model.train(was_training)


# robustness: a network on the same pictures under every corruption and severity.


@dataclass(frozen=True)
class Measurement:
    """The first number of a task under one corruption; severity 0 is the pictures as they are."""

    corruption: str  # "" for none
    severity: int
    number: Number


def robustness(
    model: nn.Module,
    task: Task,
    loader: Loader,
    corruptions: Sequence[str] = (),
    groups: Tensor | None = None,
    maps: Sequence[Map] = (),
) -> Iterator[Measurement]:
    """First the pictures as they are, then each of `corruptions`, all without, at all severities.

    Every one is of the same pictures, so a difference between two is more certain than their
    intervals, each by itself, make it look.  With `groups` [N] int64, pictures that belong
    together, intervals draw whole groups; with `maps` a corrupted picture is seen under each.
    """

    def measured(loader: Loader) -> Number:
        found = evaluate(model, task, loader, maps=maps)
        return task.leading(found.predictions, found.targets, groups)

    yield Measurement("", 0, measured(loader))
    for name in corruptions or names(loader.pictures.shape[0]):
        for severity in SEVERITIES:
            corrupted = loader.of(Corrupted(loader.pictures, name, severity))
            yield Measurement(name, severity, measured(corrupted))
