"""Model selection: probes of pretrained networks, and classical models, compared.

Each sees the training images once; a head on its features, or a support vector machine, is
measured by cross-validation, on the same folds for all.  Nothing that is held out as val or test
is used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from saccade.auto.summary import channel_statistics
from saccade.auto.weights import preprocessing_of, pretrained
from saccade.classical.fit import fitted_features, held_out_decisions
from saccade.data.cache import decode_all
from saccade.data.decode import Preprocessing
from saccade.data.grouping import groups_of
from saccade.data.item import Item
from saccade.metrics.measure import primary_metric
from saccade.metrics.metric import MetricValue
from saccade.models.backbone import MultiLayerFeatures, layers_to_compare, rows_between
from saccade.models.create import create_model, input_shape
from saccade.models.layers.blocks import normalized
from saccade.models.weights import PublicWeights
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.probes.fit import fit_head
from saccade.probes.head import stratified_folds
from saccade.progress import progress_bar
from saccade.recipes.settings import Settings
from saccade.tasks.task import Task

INTERVAL_WIDTH = 3.92  # standard errors from end to end of a 95 % interval
Progress = Callable[[int, int], None]
Choices = dict[str, tuple[Any, str]]  # settings, each with the reason for it


@dataclass(frozen=True)
class ProbeResult:
    """The cross-validated score of a head on one layer of one network, or of a classical model."""

    network: str
    tag: str
    layer: str  # "": a classical model, whole
    last: bool  # nothing but the classifier comes behind it
    dim: int  # of an image's features
    score: MetricValue  # the task's first, held out
    seconds: float  # the network took for all its layers

    def __str__(self) -> str:
        layer = f"{self.network} up to {self.layer}" if self.layer else f"{self.network}, fitted"
        return f"{self.score}  {layer}, {self.dim:,} numbers, {self.seconds:.0f} s"


@dataclass(frozen=True)
class BackboneComparison:
    """The probes compared, the best first, and networks skipped for lack of time."""

    results: tuple[ProbeResult, ...]
    skipped: tuple[str, ...]
    untried: str = ""  # what a training from scratch would have trained

    @property
    def best(self) -> ProbeResult:
        """The best probe; an earlier layer only where it beats the last by a standard error."""
        first = self.results[0]
        last = next(r for r in self.results if r.last and r.network == first.network)
        interval = last.score.interval
        spread = (interval.high - interval.low) / INTERVAL_WIDTH if interval else 0.0
        return first if first.score.value > last.score.value + spread else last

    def choices(self) -> Choices:
        """The settings of the best probe."""
        best = self.best
        why = f"{best.score.name} {best.score} held out, the best of {len(self.results)} compared"
        if best != self.results[0]:
            why += "; a layer before it is no better by more than a standard error"
        chosen: Choices = {"model.name": (best.network, why), "model.weights": (best.tag, why)}
        if not best.last:
            network = create_model(best.network)
            chosen["model.without"] = (rows_between(network, best.layer), f"{best.layer} is better")
        return chosen

    def notes(self) -> list[str]:
        """The comparison, a line each."""
        score = self.results[0].score
        head = f"compared on {score.n:,} training images, by cross-validation of a last layer on"
        lines = [f"{head} features; {score.name}:", *(f"  {result}" for result in self.results)]
        if self.untried:
            lines.append(
                f"  not estimated: {self.untried} from scratch, which takes the training itself "
                f"(--model {self.untried})"
            )
        if self.skipped:
            lines.append(f"not compared for lack of time: {', '.join(self.skipped)}")
        return lines


def with_best_backbone(
    settings: Settings,
    entries: Sequence[PublicWeights],
    items: Sequence[Item],
    task: Task,
    resolve: Callable[[Choices], Settings],
    classical: Sequence[str] = (),
) -> Settings:
    """The settings with the network that a comparison chose, `resolve`d anew, with notes of it.

    Those of `entries` where the recipe begins from weights, and the `classical` models, are
    compared.  A fifth of train.minutes may go into it, or all where nothing is trained.
    """
    from_scratch = settings.recipe.model.weights == "none"
    if from_scratch and not classical:
        note = "nothing is compared: no pretrained weights are at hand"
        return replace(settings, notes=(*settings.notes, note))
    if not task.heads:
        note = f"nothing is compared: no last layer is fitted to features for {task.kind}"
        return replace(settings, notes=(*settings.notes, note))
    share = 1 if settings.recipe.train.epochs == 0 else 5
    seconds = settings.recipe.train.minutes * 60 / share or float("inf")
    with progress_bar("comparing") as progress:
        candidates = ((() if from_scratch else tuple(entries)), tuple(classical))
        comparison = compare(*candidates, items, task, seconds=seconds, progress=progress)
    if from_scratch:
        comparison = replace(comparison, untried=settings.recipe.model.name)
    choices = comparison.choices()
    resolved = resolve(choices)
    why = {name: f"auto: {reason}" for name, (_, reason) in choices.items()}
    origins = {**resolved.origins, **why}
    return replace(resolved, origins=origins, notes=(*resolved.notes, *comparison.notes()))


def compare(
    entries: Sequence[PublicWeights],
    classical: Sequence[str],
    items: Sequence[Item],
    task: Task,
    *,
    seconds: float,
    progress: Progress,
) -> BackboneComparison:
    """Try every network of `entries`, the lightest first, then the `classical` models.

    After so many `seconds` no other is begun.
    """
    start, results, skipped = time.monotonic(), [], []
    lightest = sorted(entries, key=lambda e: (e.megabytes or 0, e.network))
    tries = {entry.network: partial(_probe, entry) for entry in lightest}
    tries |= {name: partial(_classical, name) for name in classical}
    for name, attempt in tries.items():
        if results and time.monotonic() - start > seconds:
            skipped.append(name)
            continue
        results += attempt(items, task, progress)
    ranked = sorted(results, key=lambda r: (-r.score.value, not r.last, r.dim, r.network))
    return BackboneComparison(tuple(ranked), tuple(skipped))


def _probe(
    entry: PublicWeights, items: Sequence[Item], task: Task, progress: Progress
) -> list[ProbeResult]:
    """Probes of all layers of one network."""
    start, preprocessing = time.monotonic(), preprocessing_of(entry)
    network = create_model(entry.network)
    pretrained(entry.tag, entry.network).load_into(network, None)
    layers = layers_to_compare(network)
    model = normalized(network, preprocessing.mean, preprocessing.std)
    extractor = MultiLayerFeatures(model, layers).to(memory_format=torch.channels_last)
    images = decode_all(items, preprocessing)
    readable = [items[k] for k in images.indices]
    decoded = DecodedImages(readable, images.images, preprocessing)
    concatenated = features(extractor, decoded, AugmentedCopies(), progress)
    targets, head = task.targets(readable), task.heads[0]
    by_layer = concatenated.split(extractor.feature_dims(preprocessing.size), dim=2)
    scores = [cross_validated_score(head, task, x, targets, groups_of(readable)) for x in by_layer]
    seconds = time.monotonic() - start
    return [
        ProbeResult(entry.network, entry.tag, layer, k == 0, x.shape[2], score, seconds)
        for k, (layer, x, score) in enumerate(zip(layers, by_layer, scores, strict=True))
    ]


def _classical(
    name: str, items: Sequence[Item], task: Task, progress: Progress
) -> list[ProbeResult]:
    """A classical model, its rows but the last fitted to all images, without their classes."""
    start, size = time.monotonic(), input_shape(name)[1]
    images = decode_all(items, Preprocessing(size))
    readable = [items[k] for k in images.indices]
    targets = task.targets(readable)
    model = normalized(task.network(name), *channel_statistics(images.images))
    x, _ = fitted_features(model, images.images, 0, progress)
    decisions = held_out_decisions(x, targets, stratified_folds(targets), 0)
    metric = task.metric()
    rows = metric.rows(decisions.softmax(1), targets)
    score = primary_metric(metric, rows, groups_of(readable))
    return [ProbeResult(name, "none", "", True, x.shape[1], score, time.monotonic() - start)]


def cross_validated_score(
    head: str, task: Task, features: Tensor, targets: Tensor, groups: Tensor | None
) -> MetricValue:
    """The cross-validated primary metric of a head on features [N,1,D]; groups [N] or None."""
    predictions = fit_head(head, task, features, targets).held_out_predictions
    if predictions is None:
        raise ValueError(f"a head of kind {head} holds nothing out")
    metric = task.metric()
    return primary_metric(metric, metric.rows(predictions, targets), groups)
