"""Which pretrained network, and which of its layers, fits the images: linear probes compared.

Each looks at the training pictures once; how well its features tell the classes apart is measured
by cross-validation, on the same portions for all.  Nothing that is held out as val or test is seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from saccade.auto.weights import prepared_as, pretrained
from saccade.data.cache import decoded
from saccade.data.grouping import groups_of
from saccade.data.item import Item
from saccade.metrics.measure import leading
from saccade.metrics.metric import Number
from saccade.models.backbone import Taps, layers_to_compare, rows_between
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.models.weights import PublicWeights
from saccade.probes.features import Decoding, Views, features
from saccade.probes.fit import fit_head
from saccade.progress import counting
from saccade.recipes.settings import Settings
from saccade.tasks.task import Task

ERRORS = 3.92  # standard errors from end to end of a 95 % interval
Progress = Callable[[int, int], None]
Found = dict[str, tuple[Any, str]]  # settings, each with the reason for it


@dataclass(frozen=True)
class Tried:
    """One layer of one network."""

    network: str
    tag: str
    layer: str
    last: bool  # nothing but the classifier comes behind it
    numbers: int  # of a picture's features
    score: Number  # the task's first, held out
    seconds: float  # the network took for all its layers

    def __str__(self) -> str:
        place = f"{self.network} up to {self.layer}"
        return f"{self.score}  {place}, {self.numbers:,} numbers, {self.seconds:.0f} s"


@dataclass(frozen=True)
class Candidates:
    """All that were tried, the best first, and what was left for lack of time."""

    tried: tuple[Tried, ...]
    left: tuple[str, ...]

    @property
    def best(self) -> Tried:
        """The best one; an earlier layer only where it beats the last by a standard error."""
        first = self.tried[0]
        last = next(t for t in self.tried if t.last and t.network == first.network)
        interval = last.score.interval
        spread = (interval.high - interval.low) / ERRORS if interval else 0.0
        return first if first.score.value > last.score.value + spread else last

    def found(self) -> Found:
        """The settings that it comes to."""
        best = self.best
        why = f"{best.score.name} {best.score} held out, the best of {len(self.tried)} compared"
        if best != self.tried[0]:
            why += "; a layer before it is no better by more than a standard error"
        chosen: Found = {"model.name": (best.network, why), "model.weights": (best.tag, why)}
        if not best.last:
            network = create_model(best.network)
            chosen["model.without"] = (rows_between(network, best.layer), f"{best.layer} is better")
        return chosen

    def notes(self) -> list[str]:
        """What was found, a line each."""
        score = self.tried[0].score
        head = f"compared on {score.n:,} training pictures, by cross-validation of a last layer on"
        lines = [f"{head} features; {score.name}:", *(f"  {tried}" for tried in self.tried)]
        if self.left:
            lines.append(f"not compared for lack of time: {', '.join(self.left)}")
        return lines


def compared(
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
        ranked = compare(entries, items, task, seconds=seconds, progress=progress)
    chosen = resolved(ranked.found())
    return replace(chosen, notes=(*chosen.notes, *ranked.notes()))


def compare(
    entries: Sequence[PublicWeights],
    items: Sequence[Item],
    task: Task,
    *,
    seconds: float,
    progress: Progress,
) -> Candidates:
    """Try every network of `entries`, the lightest first, until the `seconds` are used up."""
    began, tried, left = time.monotonic(), [], []
    for entry in sorted(entries, key=lambda e: (e.megabytes or 0, e.network)):
        if tried and time.monotonic() - began > seconds:
            left.append(entry.network)
            continue
        tried += _try(entry, items, task, progress)
    ranked = sorted(tried, key=lambda t: (-t.score.value, not t.last, t.numbers, t.network))
    return Candidates(tuple(ranked), tuple(left))


def _try(
    entry: PublicWeights, items: Sequence[Item], task: Task, progress: Progress
) -> list[Tried]:
    """The layers of one network."""
    began, preprocessing = time.monotonic(), prepared_as(entry)
    network = create_model(entry.network)
    pretrained(entry.tag, entry.network).load_into(network, None)
    layers = layers_to_compare(network)
    whole = normalized(network, preprocessing.mean, preprocessing.std)
    taps = Taps(whole, layers).to(memory_format=torch.channels_last)
    pictures = decoded(items, preprocessing)
    kept = [items[k] for k in pictures.kept]
    decoding = Decoding(kept, pictures.pictures, preprocessing)
    joined = features(taps, decoding, Views(), progress)
    targets, head = task.targets(kept), task.heads[0]
    parts = joined.split(taps.widths(preprocessing.size), dim=2)
    scores = [held_out(head, task, part, targets, groups_of(kept)) for part in parts]
    took = time.monotonic() - began
    return [
        Tried(entry.network, entry.tag, layer, k == 0, part.shape[2], score, took)
        for k, (layer, part, score) in enumerate(zip(layers, parts, scores, strict=True))
    ]


def held_out(
    head: str, task: Task, features: Tensor, targets: Tensor, groups: Tensor | None
) -> Number:
    """What a head on features [N,1,D] is worth on pictures that it has not seen."""
    said = fit_head(head, task, features, targets).said
    if said is None:
        raise ValueError(f"a head of kind {head} holds nothing out")
    metric = task.metric()
    return leading(metric, metric.rows(said, targets), groups)
