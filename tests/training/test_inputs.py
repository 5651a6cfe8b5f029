"""The inputs of a training: names that are refused, and shares that are of no use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.errors import RecipeError
from saccade.training.inputs import training_inputs


def test_a_name_that_no_folder_can_have_is_refused_before_the_data_are_opened() -> None:
    with pytest.raises(RecipeError, match=r"train[.]name cannot be 'a/b'"):
        training_inputs("no-such-folder", None, {"train.name": "a/b"})


def divided_folders(root: Path, *splits: str) -> Path:
    for k, split in enumerate(splits):
        for label in "ab":
            (root / split / label).mkdir(parents=True)
            for n in range(8):
                pixels = np.random.default_rng([k, ord(label), n]).integers(0, 256, (16, 16, 3))
                image = Image.fromarray(pixels.astype(np.uint8))
                image.save(root / split / label / f"{split}{n}.png")
    return root


@pytest.mark.parametrize(
    ("splits", "idle"),
    [
        (("train", "val", "test"), {"data.val", "data.test"}),
        (("train", "test"), {"data.test"}),
        (("train", "val"), {"data.test"}),
        (("train",), set()),
    ],
)
def test_shares_of_which_nothing_was_drawn_are_of_no_use_and_noted_where_they_were_given(
    tmp_path: Path, splits: tuple[str, ...], idle: set[str]
) -> None:
    data = divided_folders(tmp_path, *splits)
    flags = {"data.val": 0.25, "data.test": 0.2, "model.name": "mlp_rgb", "data.doctor": "off"}
    inputs = training_inputs(data, None, flags)
    origins = inputs.settings.origins
    assert {n for n in ("data.val", "data.test") if origins[n].startswith("no use: ")} == idle
    assert {note.split("=")[0] for note in inputs.notes if "does nothing" in note} == idle
