"""What a few images tell of all: size, colour, brightness; and what fitted networks do not use.

A fitted network's rows have a closed form or a solver, so no setting of gradient descent counts.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from saccade.data.cache import ImageStore
from saccade.data.classes import labels_of
from saccade.data.decode import Preprocessing, decode
from saccade.data.item import ImageArray, Item
from saccade.errors import DataError, RecipeError
from saccade.models.catalogue import CLASSICAL_MODELS
from saccade.recipes.recipe import Recipe
from saccade.tasks.catalogue import LABELS, task_type
from saccade.tasks.task import Task

SAMPLED = 48  # images, evenly spaced
USED = ("model.name", "train.seed", "train.device", "train.threads")
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
    settled = Recipe().settings() | {"train.epochs": 0, "train.precision": "float32"}
    unused = [setting for setting in settled if does_nothing(setting)]
    for setting in unused:
        if setting in flags and recipe.settings()[setting] != settled[setting]:
            raise RecipeError(
                f"{setting} does nothing for {name}, whose layers are fitted in one go",
                "leave it out",
            )
    origins.update(dict.fromkeys(unused, why))
    return recipe.with_({setting: settled[setting] for setting in unused})


def does_nothing(setting: str) -> bool:
    """Whether a setting, by its full name, is of the optimizer or of what it begins from."""
    part = setting.split(".")[0]
    return setting in UNUSED_PREFIXES or (
        part in ("model", "optim", "train") and setting not in USED
    )


@dataclass(frozen=True)
class DatasetSummary:
    """What settings that say `auto` are chosen from."""

    short_side: int  # pixels, median
    grey: bool  # every image looked at has equal colour channels
    count: int = 0  # images in all
    files: bool = True  # they are image files, not arrays of pixels
    per_class: int = 0  # images of a class, on average; 0 where labels are numbers
    task: type[Task] = LABELS[str]  # that the labels ask for


def summarize(items: Sequence[Item]) -> DatasetSummary:
    """Look at a few of `items`; raises `DataError` when none of those can be read."""
    sides, grey = [], True
    for item in _spread(items, SAMPLED):
        try:
            raw = item.image.read()
            pixels = decode(raw, Preprocessing(size=32)).int()
        except (DataError, OSError):
            continue
        size = Image.open(io.BytesIO(raw)).size if isinstance(raw, bytes) else raw.shape[:2]
        sides.append(min(size))
        grey = grey and bool((pixels - pixels[:1]).abs().max() <= 8)  # JPEG's rounding of chroma
    if not sides:
        raise DataError(f"none of the first images can be read, such as '{items[0].name}'")
    files = not isinstance(items[0].image, ImageArray)
    classes = {name for item in items for name in labels_of(item)}
    per_class = len(items) // len(classes) if classes else 0
    labelled = [item for item in items if item.label is not None]
    task = task_type(labelled) if labelled else DatasetSummary.task
    return DatasetSummary(int(median(sides)), grey, len(items), files, per_class, task)


def channel_statistics(
    images: ImageStore, looked_at: int = 4096
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of every channel, of values 0 to 1, to four places."""
    index = torch.tensor(_spread(range(len(images)), looked_at))
    totals, squares, n = 0.0, 0.0, 0
    for part in index.split(256):
        pixels = images.take(part).double().div_(255).transpose(0, 1).flatten(1)
        totals, squares, n = (
            totals + pixels.sum(1),
            squares + (pixels**2).sum(1),
            n + pixels.shape[1],
        )
    mean = torch.as_tensor(totals / n)
    std = (torch.as_tensor(squares / n) - mean**2).clamp_min(0).sqrt().clamp_min(1 / 255)
    return _rounded(mean), _rounded(std)


def _spread(items: Sequence, count: int) -> list:
    """At most `count` of `items`, evenly spaced, the first among them."""
    places = np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).astype(int))
    return [items[place] for place in places]


def _rounded(values: Tensor) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in values.tolist())
