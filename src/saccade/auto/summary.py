"""A summary of a data set from a few of its images; and the settings that fitted models ignore.

A fitted model has a closed form or a solver, so no setting of gradient descent matters to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from saccade.data.cache import ImageStore
from saccade.data.classes import labels_of
from saccade.data.decode import Preprocessing, decode
from saccade.data.header import header
from saccade.data.item import ImageArray, Item
from saccade.errors import DataError, RecipeError
from saccade.models.catalogue import CLASSICAL_MODELS
from saccade.recipes.recipe import Recipe
from saccade.tasks.catalogue import LABELS, task_type
from saccade.tasks.task import Task

SAMPLE_SIZE = 48  # images, evenly spaced
USED_SETTINGS = ("model.name", "train.seed", "train.device", "train.threads")
UNUSED_PREFIXES = (
    "data.augment",
    "data.progressive_resizing",
    "data.sampling",
    "data.augmented_copies",
)


def is_fitted(recipe: Recipe) -> bool:
    """Whether nothing of the recipe's network is learned by gradient descent."""
    return recipe.model.name in CLASSICAL_MODELS


def without_training(recipe: Recipe, flags: Mapping[str, Any], origins: dict[str, str]) -> Recipe:
    """The recipe without epochs; `origins` says of every setting that does nothing that it does so.

    Raises `RecipeError` where such a setting is among the `flags`.
    """
    name, why = recipe.model.name, f"no use: {recipe.model.name} is fitted in one go"
    defaults = Recipe().settings() | {"train.epochs": 0, "train.precision": "float32"}
    unused = [setting for setting in defaults if is_unused(setting)]
    for setting in unused:
        if setting in flags and recipe.settings()[setting] != defaults[setting]:
            raise RecipeError(
                f"{setting} does nothing for {name}, whose layers are fitted in one go",
                "leave it out",
            )
    origins.update(dict.fromkeys(unused, why))
    return recipe.with_({setting: defaults[setting] for setting in unused})


def is_unused(setting: str) -> bool:
    """Whether a setting, by its full name, is of the optimizer or of what it begins from."""
    table = setting.split(".")[0]
    return setting in UNUSED_PREFIXES or (
        table in ("model", "optim", "train") and setting not in USED_SETTINGS
    )


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
        raise DataError(f"none of the first images can be read, such as '{items[0].name}'")
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
