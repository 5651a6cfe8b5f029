"""Evaluation: every held-out image once, as it is or under every corruption and severity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from saccade.augmentation.corrupt.corruptions import CorruptedImages, names
from saccade.augmentation.corrupt.optics import SEVERITIES
from saccade.augmentation.tta import TTATransform, averaged
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.engine.distributed.world import SINGLE_PROCESS, World
from saccade.engine.ood import Novelty
from saccade.metrics.measure import leading
from saccade.metrics.metric import MetricValue
from saccade.models.backbone import HeadInputs
from saccade.tasks.task import Task


@dataclass(frozen=True)
class EvaluationOutputs:
    """What is kept of what a network predicts of each image, in the order of the split."""

    rows: Any  # of the task's metric: `task.metric()` gives every number of them
    novelty: Tensor | None = None  # [N] float32, 0 to 1, where it was asked for


def evaluate(
    model: nn.Module,
    task: Task,
    loader: Loader,
    world: World = SINGLE_PROCESS,
    tta: Sequence[TTATransform] = (),
    novelty: Novelty | None = None,
) -> EvaluationOutputs:
    """Predict every image of `loader`, in eval mode and float32, and keep the rows of the metric.

    No more than a batch of predictions is in memory.  With `maps` a prediction is the mean over the
    image under each of them.  The processes of a world share the work, and only the rows pass
    between them, once; each has the whole result.
    """
    metric, parts, places, strange = task.metric(), [], [], []
    inside = HeadInputs(model) if novelty else None
    for prediction, part, own in predict(inside or model, task, loader, world, tta):
        parts.append(metric.rows(prediction, part.targets)[torch.arange(own)])
        places.append(part.index[:own].cpu())
        if novelty and inside:
            strange.append(novelty.mean_score(inside.features)[:own].float())
            inside.features.clear()
    order = world.all_gather(torch.cat(places)).argsort()
    shares = world.all_gather(torch.cat(strange))[order] if strange else None
    return EvaluationOutputs(world.all_gather(parts[0].joined(parts))[order], shares)


@torch.inference_mode()
def predict(
    model: nn.Module,
    task: Task,
    loader: Loader,
    world: World = SINGLE_PROCESS,
    tta: Sequence[TTATransform] = (),
) -> Iterator[tuple[Any, Batch, int]]:
    """What the task says, in eval mode, of this process's part of each batch of `loader`.

    Beside it the part, and how many of its images are counted here: all, or none.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    for batch in loader.epoch(0):
        part, counts = world.shard(batch.to(device))
        of_images = partial(task.predict, model)
        prediction = averaged(of_images, part.images, tta) if tta else of_images(part.images)
        yield prediction, part, counts * len(part)
    model.train(was_training)


@dataclass(frozen=True)
class CorruptionScore:
    """The first number of a task under one corruption; severity 0 is the images as they are."""

    corruption: str  # "" for none
    severity: int
    metric: MetricValue


def robustness(
    model: nn.Module,
    task: Task,
    loader: Loader,
    corruptions: Sequence[str] = (),
    groups: Tensor | None = None,
    tta: Sequence[TTATransform] = (),
) -> Iterator[CorruptionScore]:
    """First the images as they are, then each of `corruptions`, all without, at all severities.

    Every one is of the same images, so a difference between two is more certain than their
    intervals, each by itself, make it look.  With `groups` [N] int64, images that belong
    together, intervals draw whole groups; with `maps` a corrupted image is seen under each.
    """

    def measured(loader: Loader) -> MetricValue:
        return leading(task.metric(), evaluate(model, task, loader, tta=tta).rows, groups)

    yield CorruptionScore("", 0, measured(loader))
    for name in corruptions or names(loader.images.shape[0]):
        for severity in SEVERITIES:
            corrupted = loader.with_transform(CorruptedImages(name, severity))
            yield CorruptionScore(name, severity, measured(corrupted))
