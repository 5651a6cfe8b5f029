"""The window of a training is decided once, on its training images, and said."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from saccade.auto.resolve import resolve
from saccade.auto.summary import summarize
from saccade.auto.window import with_window
from saccade.data.item import EncodedImage, Item
from saccade.errors import DataError, RecipeError
from saccade.recipes.settings import Settings, preprocessing_of


def item(values: NDArray[Any]) -> Item:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, metadata=None)
    return Item(f"{values.dtype}-{values.max()}", "a", EncodedImage(stream.getvalue()))


def images(*greatest: float, kind: str, least: float = 0) -> list[Item]:
    return [item(np.array([[least, most], [most, least]], kind)) for most in greatest]


def decided(items: list[Item], window: str = "auto") -> Settings:
    flags = {} if window == "auto" else {"data.window": window}
    summary = summarize(items)
    settings = resolve("small", flags, summary)
    return with_window(replace(settings, notes=()), items, summary)


def test_floats_have_the_range_of_all_training_images_and_it_is_said():
    settings = decided(images(3, 800, kind="f4", least=-1000))
    assert settings.recipe.data.window == "-1000 800"
    assert preprocessing_of(settings.recipe).window == "-1000 800"
    (note,) = settings.notes
    assert "-1000 is black and 800 white in all of them, minmax of 2 training images" in note


def test_signed_numbers_have_no_agreed_white_either():
    assert decided(images(9, 70, kind="i2", least=-5)).recipe.data.window == "-5 70"


def test_16_bits_keep_their_agreed_white_and_dark_ones_are_noted():
    assert decided(images(65535, kind="u2")).notes == ()
    settings = decided(images(900, 4095, kind="u2"))
    assert settings.recipe.data.window == "type"
    (note,) = settings.notes
    assert "reach 4095 of 65535" in note and "data.window=minmax" in note
    assert decided(images(900, 4095, kind="u2"), "minmax").recipe.data.window == "0 4095"


def test_what_a_person_gives_stays():
    items = images(900, 4095, kind="u2")
    for window in ("type", "0 1000"):
        assert decided(items, window).recipe.data.window == window
    found = decided(items, "percentiles 0 50").recipe.data.window
    assert found == "0 450"  # the middle of four zeros, 900 twice and 4095 twice


def test_8_bits_need_no_window_and_one_without_effect_is_refused():
    items = images(9, 255, kind="u1")
    assert decided(items).recipe.data.window == "type"
    assert decided(items, "type").recipe.data.window == "type"  # as a run's recipe.toml has it
    for window in ("minmax", "0 4095"):
        with pytest.raises(RecipeError, match="has no effect: no training image has more than 8"):
            decided(items, window)


def test_whole_and_floating_point_numbers_have_no_window_in_common():
    with pytest.raises(DataError, match=r"some images hold whole numbers[^\n]*\n.*window=type"):
        decided([*images(9, kind="u2"), *images(1, kind="f4")])


def test_images_of_one_value_have_none():
    with pytest.raises(DataError, match="all samples of the training images are 7"):
        decided(images(7, kind="f4", least=7))
