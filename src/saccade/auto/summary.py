"""A summary of a data set from a few of its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from torch import Tensor

from saccade.data.cache import ImageStore
from saccade.data.classes import labels_of
from saccade.data.decode import Preprocessing, decode
from saccade.data.header import header
from saccade.data.item import ImageArray, Item
from saccade.errors import DataError
from saccade.tasks.catalogue import LABELS, task_type
from saccade.tasks.task import Task

SAMPLE_SIZE = 48  # images, evenly spaced


@dataclass(frozen=True)
class DatasetSummary:
    """What settings with the value `auto` are chosen from."""

    short_side: int  # pixels, median
    grey: bool  # every sampled image has equal colour channels
    count: int = 0  # images in all
    files: bool = True  # they are image files, not arrays of pixels
    per_class: int = 0  # images of a class, on average; 0 where labels are numbers
    task: type[Task] = LABELS[str]  # that the labels ask for
    deep: bool = False  # a sampled image has more than 8 bits a sample


def summarize(items: Sequence[Item]) -> DatasetSummary:
    """A summary from a sample of `items`; raises `DataError` when none of those can be read."""
    short_sides, grey, deep = [], True, False
    for item in sample_of(items):
        try:
            raw = item.image.read()
            pixels = decode(raw, Preprocessing(size=32)).int()
        except (DataError, OSError):
            continue
        if isinstance(raw, bytes):
            found = header(raw)
            assert found is not None  # it was decoded
            side, deep = min(found.width, found.height), deep or found.deep
        else:
            side = min(raw.shape[:2])
        short_sides.append(side)
        grey = grey and bool((pixels - pixels[:1]).abs().max() <= 8)  # JPEG's rounding of chroma
    if not short_sides:
        raise DataError(
            f"none of the first images can be read, such as '{items[0].name}'",
            "saccade doctor says what is wrong with each image",
        )
    files = not isinstance(items[0].image, ImageArray)
    classes = {name for item in items for name in labels_of(item)}
    per_class = len(items) // len(classes) if classes else 0
    labelled = [item for item in items if item.label is not None]
    task = task_type(labelled) if labelled else DatasetSummary.task
    short_side = int(median(short_sides))
    return DatasetSummary(short_side, grey, len(items), files, per_class, task, deep)


def sample_of(items: Sequence[Item]) -> list[Item]:
    """A few of `items`, evenly spaced."""
    return _evenly_spaced(items, SAMPLE_SIZE)


def channel_statistics(
    images: ImageStore, sample_size: int = 4096
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of every channel, of values 0 to 1, to four decimals."""
    index = torch.tensor(_evenly_spaced(range(len(images)), sample_size))
    totals, squares, n = 0.0, 0.0, 0
    for rows in index.split(256):
        pixels = images.take(rows).double().div_(255).transpose(0, 1).flatten(1)
        totals, squares, n = (
            totals + pixels.sum(1),
            squares + (pixels**2).sum(1),
            n + pixels.shape[1],
        )
    mean = torch.as_tensor(totals / n)
    std = (torch.as_tensor(squares / n) - mean**2).clamp_min(0).sqrt().clamp_min(1 / 255)
    return _rounded(mean), _rounded(std)


def _evenly_spaced(items: Sequence, count: int) -> list:
    """At most `count` of `items`, evenly spaced, the first among them."""
    positions = np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).astype(int))
    return [items[i] for i in positions]


def _rounded(values: Tensor) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in values.tolist())
