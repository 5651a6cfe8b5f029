"""Which pretrained network, and which of its layers, fits the images: linear probes compared.

Each looks at the training images once; how well its features tell the classes apart is measured
by cross-validation, on the same portions for all.  Nothing that is held out as val or test is seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from saccade.auto.weights import preprocessing_of, pretrained
from saccade.data.cache import decode_all
from saccade.data.grouping import groups_of
from saccade.data.item import Item
from saccade.metrics.measure import primary_metric
from saccade.metrics.metric import MetricValue
from saccade.models.backbone import MultiLayerFeatures, layers_to_compare, rows_between
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.models.weights import PublicWeights
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.probes.fit import fit_head
from saccade.progress import counting
from saccade.recipes.settings import Settings
from saccade.tasks.task import Task

ERRORS = 3.92  # standard errors from end to end of a 95 % interval
Progress = Callable[[int, int], None]
Found = dict[str, tuple[Any, str]]  # settings, each with the reason for it


@dataclass(frozen=True)
class ProbeResult:
    """One layer of one network."""

    network: str
    tag: str
    layer: str
    last: bool  # nothing but the classifier comes behind it
    dim: int  # of an image's features
    score: MetricValue  # the task's first, held out
    seconds: float  # the network took for all its layers

    def __str__(self) -> str:
        place = f"{self.network} up to {self.layer}"
        return f"{self.score}  {place}, {self.dim:,} numbers, {self.seconds:.0f} s"


@dataclass(frozen=True)
class BackboneComparison:
    """All that were tried, the best first, and what was left for lack of time."""

    results: tuple[ProbeResult, ...]
    untried: tuple[str, ...]

    @property
    def best(self) -> ProbeResult:
        """The best one; an earlier layer only where it beats the last by a standard error."""
        first = self.results[0]
        last = next(t for t in self.results if t.last and t.network == first.network)
        interval = last.score.interval
        spread = (interval.high - interval.low) / ERRORS if interval else 0.0
        return first if first.score.value > last.score.value + spread else last

    def found(self) -> Found:
        """The settings that it comes to."""
        best = self.best
        why = f"{best.score.name} {best.score} held out, the best of {len(self.results)} compared"
        if best != self.results[0]:
            why += "; a layer before it is no better by more than a standard error"
        chosen: Found = {"model.name": (best.network, why), "model.weights": (best.tag, why)}
        if not best.last:
            network = create_model(best.network)
            chosen["model.without"] = (rows_between(network, best.layer), f"{best.layer} is better")
        return chosen

    def notes(self) -> list[str]:
        """What was found, a line each."""
        score = self.results[0].score
        head = f"compared on {score.n:,} training images, by cross-validation of a last layer on"
        lines = [f"{head} features; {score.name}:", *(f"  {tried}" for tried in self.results)]
        if self.untried:
            lines.append(f"not compared for lack of time: {', '.join(self.untried)}")
        return lines


def with_best_backbone(
    settings: Settings,
    entries: Sequence[PublicWeights],
    items: Sequence[Item],
    task: Task,
    resolved: Callable[[Found], Settings],
) -> Settings:
    """The settings with the network that a comparison chose, `resolved` again; notes tell of it.

    A fifth of train.minutes may go into it, or all where nothing is trained.
    """
    if settings.recipe.model.weights == "none":
        note = "nothing is compared: no pretrained weights are at hand"
        return replace(settings, notes=(*settings.notes, note))
    if not task.heads:
        note = f"nothing is compared: no last layer is fitted to features for {task.kind}"
        return replace(settings, notes=(*settings.notes, note))
    share = 1 if settings.recipe.train.epochs == 0 else 5
    seconds = settings.recipe.train.minutes * 60 / share or float("inf")
    with counting("comparing") as progress:
        ranked = compare_backbones(entries, items, task, seconds=seconds, progress=progress)
    chosen = resolved(ranked.found())
    return replace(chosen, notes=(*chosen.notes, *ranked.notes()))


def compare_backbones(
    entries: Sequence[PublicWeights],
    items: Sequence[Item],
    task: Task,
    *,
    seconds: float,
    progress: Progress,
) -> BackboneComparison:
    """Try every network of `entries`, the lightest first, until the `seconds` are used up."""
    began, tried, left = time.monotonic(), [], []
    for entry in sorted(entries, key=lambda e: (e.megabytes or 0, e.network)):
        if tried and time.monotonic() - began > seconds:
            left.append(entry.network)
            continue
        tried += _try(entry, items, task, progress)
    ranked = sorted(tried, key=lambda t: (-t.score.value, not t.last, t.numbers, t.network))
    return BackboneComparison(tuple(ranked), tuple(left))


def _try(
    entry: PublicWeights, items: Sequence[Item], task: Task, progress: Progress
) -> list[ProbeResult]:
    """The layers of one network."""
    began, preprocessing = time.monotonic(), preprocessing_of(entry)
    network = create_model(entry.network)
    pretrained(entry.tag, entry.network).load_into(network, None)
    layers = layers_to_compare(network)
    whole = normalized(network, preprocessing.mean, preprocessing.std)
    taps = MultiLayerFeatures(whole, layers).to(memory_format=torch.channels_last)
    images = decode_all(items, preprocessing)
    kept = [items[k] for k in images.indices]
    decoding = DecodedImages(kept, images.images, preprocessing)
    joined = features(taps, decoding, AugmentedCopies(), progress)
    targets, head = task.targets(kept), task.heads[0]
    parts = joined.split(taps.feature_dims(preprocessing.size), dim=2)
    scores = [held_out(head, task, part, targets, groups_of(kept)) for part in parts]
    took = time.monotonic() - began
    return [
        ProbeResult(entry.network, entry.tag, layer, k == 0, part.shape[2], score, took)
        for k, (layer, part, score) in enumerate(zip(layers, parts, scores, strict=True))
    ]


def held_out(
    head: str, task: Task, features: Tensor, targets: Tensor, groups: Tensor | None
) -> MetricValue:
    """What a head on features [N,1,D] is worth on images that it has not seen."""
    said = fit_head(head, task, features, targets).held_out_predictions
    if said is None:
        raise ValueError(f"a head of kind {head} holds nothing out")
    metric = task.metric()
    return primary_metric(metric, metric.rows(said, targets), groups)
