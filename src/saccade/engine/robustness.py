"""robustness: a network on the same pictures under every corruption and severity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from saccade.data.augment.views import Map
from saccade.data.corrupt.catalogue import names
from saccade.data.corrupt.pictures import Corrupted
from saccade.data.corrupt.strength import SEVERITIES
from saccade.data.loader import Loader
from saccade.engine.evaluate import evaluate
from saccade.metrics.measured import Number
from saccade.tasks.task import Task


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
