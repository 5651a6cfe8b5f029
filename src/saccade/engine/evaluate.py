"""Evaluation of a network on every image of a split, and on corrupted copies of the images."""

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
from saccade.engine.memory import images_at_once
from saccade.engine.ood import Novelty
from saccade.metrics.measure import primary_metric
from saccade.metrics.metric import MetricValue
from saccade.models.backbone import HeadInputRecorder
from saccade.tasks.task import Task


@dataclass(frozen=True)
class EvaluationOutputs:
    """The rows of the metric, an image each, in the order of the split."""

    rows: Any  # `task.metric()` computes every metric from them
    novelty: Tensor | None = None  # [N] float32, 0 to 1; None where not measured


def evaluate(
    model: nn.Module,
    task: Task,
    loader: Loader,
    world: World = SINGLE_PROCESS,
    tta: Sequence[TTATransform] = (),
    novelty: Novelty | None = None,
) -> EvaluationOutputs:
    """Predict every image of `loader`, in eval mode and float32, and keep the rows of the metric.

    No more than a batch of predictions is in memory.  With `tta` a prediction is the mean over
    these transforms of the image.  The processes of a world share the work, and only the rows pass
    between them, once; each returns all rows.
    """
    metric, parts, indices, novelties = task.metric(), [], [], []
    most = at_once(model, task, loader)
    head_inputs = HeadInputRecorder(model) if novelty else None
    for prediction, shard, count in predict(head_inputs or model, task, loader, most, world, tta):
        parts.append(metric.rows(prediction, shard.targets)[torch.arange(count)])
        indices.append(shard.index[:count].cpu())
        if novelty and head_inputs:
            novelties.append(novelty.mean_score(head_inputs.features)[:count].float())
            head_inputs.features.clear()
    order = world.all_gather(torch.cat(indices)).argsort()
    mean_novelty = world.all_gather(torch.cat(novelties))[order] if novelties else None
    return EvaluationOutputs(world.all_gather(parts[0].joined(parts))[order], mean_novelty)


def at_once(model: nn.Module, task: Task, loader: Loader) -> int:
    """How many images of a batch of `loader` the task predicts together: all, or what fits."""
    first = loader.images.take(torch.zeros(1, dtype=torch.int64))
    return images_at_once(model, partial(task.predict, model), first, loader.batch_size)


@torch.inference_mode()
def predict(
    model: nn.Module,
    task: Task,
    loader: Loader,
    most: int,
    world: World = SINGLE_PROCESS,
    tta: Sequence[TTATransform] = (),
) -> Iterator[tuple[Any, Batch, int]]:
    """The task's predictions, in eval mode, of this process's shard of each batch of `loader`.

    Beside them the shard, and how many of its images count here: all, or none.  A shard of
    more than `most` images comes in parts.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    predict_images = partial(task.predict, model)
    for batch in loader.epoch(0):
        whole, counts = world.shard(batch.to(device))
        for rows in torch.arange(len(whole), device=device).split(most):
            shard = whole if len(rows) == len(whole) else whole[rows]
            prediction = (
                averaged(predict_images, shard.images, tta) if tta else predict_images(shard.images)
            )
            yield prediction, shard, counts * len(shard)
    model.train(was_training)


@dataclass(frozen=True)
class CorruptionScore:
    """The primary metric of a task under one corruption; severity 0 is the clean images."""

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
    """First the clean images, then each of `corruptions` (all by default) at every severity.

    All scores are of the same images, so a difference between two is more certain than their
    separate intervals suggest.  With `groups` [N] int64 intervals resample whole groups; with `tta`
    a prediction is the mean over these transforms of a corrupted image.
    """

    def score(loader: Loader) -> MetricValue:
        return primary_metric(task.metric(), evaluate(model, task, loader, tta=tta).rows, groups)

    yield CorruptionScore("", 0, score(loader))
    for name in corruptions or names(loader.images.shape[0]):
        for severity in SEVERITIES:
            corrupted = loader.with_transform(CorruptedImages(name, severity))
            yield CorruptionScore(name, severity, score(corrupted))
