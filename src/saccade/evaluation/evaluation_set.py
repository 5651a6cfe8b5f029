"""The decoded images of an evaluation: predictions of a bundle, and slices."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from saccade.augmentation.tta import TTATransform
from saccade.data.batch import Batch
from saccade.data.cache import ImageStore, decode_all
from saccade.data.classes import natural_sort_key
from saccade.data.grouping import groups_of
from saccade.data.item import Item, Skipped
from saccade.data.loader import BatchTransform, Loader, sequential
from saccade.data.sources.groups import grouping_of, refuse_alone, refuse_idle
from saccade.engine.evaluate import CorruptionScore, EvaluationOutputs, evaluate, robustness
from saccade.errors import DataError, UsageError
from saccade.evaluation.threshold import Labelled
from saccade.metrics.measure import named_metric
from saccade.models.class_names import synset_names
from saccade.progress import progress_bar
from saccade.runs.bundle import Bundle
from saccade.runs.predictor import refuse_undefined
from saccade.runs.results import Slice
from saccade.tasks.catalogue import refuse_other_labels
from saccade.tasks.task import Task

BATCH = 256  # images


@dataclass(frozen=True)
class EvaluationSet:
    """Decoded images with their targets, in the order of the items."""

    items: tuple[Item, ...]
    images: ImageStore
    targets: Tensor  # [N,...]
    failed: tuple[Skipped, ...]

    @classmethod
    def of(cls, items: Sequence[Item], bundle: Bundle) -> EvaluationSet:
        """Decode the images of `items` for `bundle`; raises `DataError` for unknown labels."""
        items = [named_by_synset(item, bundle.task.classes) for item in items]
        refuse_other_labels(items, bundle.task)
        bundle.task.targets(items)
        with progress_bar("reading") as progress:
            result = decode_all(items, bundle.preprocessing, progress=progress)
        readable = tuple(items[k] for k in result.indices)
        if not readable:
            first = f"; {result.failed[0].name}: {result.failed[0].reason}" if items else ""
            raise DataError(
                f"no image can be read{first}", "saccade doctor says what is wrong with each image"
            )
        return cls(readable, result.images, bundle.task.targets(readable), result.failed)

    @property
    def groups(self) -> Tensor | None:
        """The group of each image, if any has one.  -> [N] int64, or None"""
        return groups_of(self.items)

    def labelled(self, bundle: Bundle) -> Labelled:
        """The network's outputs, by group."""
        return Labelled(self.evaluate(bundle), self.groups)

    def evaluate(self, bundle: Bundle, tta: Sequence[TTATransform] = ()) -> EvaluationOutputs:
        """The network's outputs, averaged over the transforms `tta`, if any.

        Raises `WeightsError` where they are no numbers.
        """
        model, task = bundle.model, bundle.task
        with progress_bar("measuring") as progress:
            loader = self._loader.with_transform(self._counted(progress))
            outputs = evaluate(model, task, loader, tta=tta, novelty=bundle.novelty)
        refuse_undefined(outputs.rows.losses, [item.name for item in self.items])
        return outputs

    def _counted(self, progress: Callable[[int, int], None]) -> BatchTransform:
        """No transform of a batch: it only tells `progress` of its images."""
        done = 0

        def count(batch: Batch) -> Batch:
            nonlocal done
            done += len(batch)
            progress(done, len(self.items))
            return batch

        return count

    def robustness(
        self, bundle: Bundle, corruptions: Sequence[str], tta: Sequence[TTATransform] = ()
    ) -> Iterator[CorruptionScore]:
        """The primary metric under each of `corruptions`, at all severities."""
        model, task = bundle.model, bundle.task
        return robustness(model, task, self._loader, corruptions, self.groups, tta)

    @property
    def _loader(self) -> Loader:
        return Loader(self.images, self.targets, BATCH, sequential(len(self.items)))


def named_by_synset(item: Item, classes: Sequence[str]) -> Item:
    """An item labelled n01440764, or "crane (n02012849)", by the name among a network's classes."""
    if not isinstance(item.label, str) or item.label in classes:
        return item
    synset = re.search(r"\bn\d{8}\b", item.label)
    name = synset_names().get(synset[0]) if synset else None
    return replace(item, label=name) if name in classes else item


MAX_SLICES = 200  # with more, each has too few images
NO_SLICE = "(none)"  # the slice of images without one


def slice_of_each(items: Sequence[Item], by: str, data: str | None) -> dict[str, str]:
    """The name of each item's slice, by the item's name; `by` and `data` as of `grouping_of`."""
    grouping = grouping_of(by, data)
    found = {item.name: grouping(item) for item in items}
    slice_names = {name: group or NO_SLICE for name, group in found.items()}
    count = len(set(slice_names.values()))
    if count > MAX_SLICES:
        raise UsageError(
            f"'{by}' makes {count} slices of {len(items)} images, more than {MAX_SLICES}",
            "name something that many images share",
        )
    refuse_idle(f"--by '{by}'", found)
    if None not in found.values():
        refuse_alone(f"--by '{by}'", found)
    return slice_names


def slices(
    task: Task,
    outputs: EvaluationOutputs,
    evaluation_set: EvaluationSet,
    slice_names: Mapping[str, str],
    name: str,
) -> tuple[Slice, ...]:
    """The metric of this name on each slice, in natural order of their names."""
    metric, rows = task.metric(), defaultdict[str, list[int]](list)
    for index, item in enumerate(evaluation_set.items):
        if item.name in slice_names:
            rows[slice_names[item.name]].append(index)
    result = []
    for slice_name in sorted(rows, key=natural_sort_key):
        index = torch.tensor(rows[slice_name])
        groups = None if evaluation_set.groups is None else evaluation_set.groups[index]
        measured = named_metric(metric, outputs.rows[index], name, groups)
        if not math.isfinite(measured.value):  # of too few images
            measured = replace(measured, value=math.nan)
        result.append(Slice(slice_name, measured))
    return tuple(result)
