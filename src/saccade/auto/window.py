"""The window of a training: which samples are black and which white, in all of its images alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from saccade.auto.summary import DatasetSummary, sample_of
from saccade.data.item import Item
from saccade.data.pool import DecoderPool
from saccade.data.samples import AGREED, FLOATS, set_window
from saccade.data.window import MINMAX, TYPE, ends, is_ends
from saccade.errors import DataError, RecipeError
from saccade.recipes.settings import Settings

DARK = 2**16 // 8  # 16-bit images that stay below use less than an eighth of their range
HINT = "set data.window=type, or two numbers such as data.window='0 4095'"


def with_window(settings: Settings, items: Sequence[Item], summary: DatasetSummary) -> Settings:
    """The settings with data.window as "type" or "LOW HIGH", from the `items` to train on.

    Raises `RecipeError` for another window where all images have 8 bits, `DataError` where whole
    and floating-point numbers have none in common.
    """
    choice = settings.recipe.data.window
    if not summary.deep and settings.origins["data.window"].startswith("auto"):
        return settings
    if choice == TYPE:  # that of 8 bits is as good a type as any
        return settings
    measured = _measured(sample_of(items) if choice == "auto" or is_ends(choice) else items)
    if is_ends(choice) and (measured or _measured(items)):
        return settings
    kinds = {int(m[0]) for m in measured}
    if choice == "auto" and kinds <= {AGREED}:
        return _decided(settings, TYPE, "16 bits have an agreed white", *_dark(measured))
    if not measured:
        what = f"data.window={choice} has no effect: no training image has more than 8 bits"
        raise RecipeError(what, "leave data.window out")
    if choice == "auto":
        choice, measured = MINMAX, _measured(items)
        kinds = {int(m[0]) for m in measured}
    if FLOATS in kinds and len(kinds) > 1:
        raise DataError("some images hold whole numbers, others floating-point ones", HINT)
    window = set_window(measured, choice)
    if not is_ends(window):
        raise DataError(f"all samples of the training images are {window.split()[0]}", HINT)
    low, high = ends(window)
    note = (
        f"images of more than 8 bits: {low:g} is black and {high:g} white in all of them, "
        f"{choice} of {len(measured):,} training images (data.window)"
    )
    return _decided(settings, window, f"{choice} of the training images", note)


def _decided(settings: Settings, window: str, why: str, *notes: str) -> Settings:
    origins = {**settings.origins, "data.window": f"auto: {why}"}
    recipe = settings.recipe.with_({"data.window": window})
    return replace(settings, recipe=recipe, origins=origins, notes=(*settings.notes, *notes))


def _measured(items: Sequence[Item]) -> list[NDArray[np.float64]]:
    with DecoderPool() as pool:
        return [found for found in pool.measure(items) if found.size]


def _dark(measured: Sequence[NDArray[np.float64]]) -> list[str]:
    """A note where 16-bit images leave most of their range empty."""
    greatest = max((m[2] for m in measured), default=DARK)
    if greatest >= DARK:
        return []
    return [
        f"the 16-bit images reach {greatest:g} of 65535, which is nearly black: "
        "data.window=minmax uses the range that the training images have"
    ]
