"""A trained network on other people's data: by name, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
import saccade.errors
from saccade.data.sources import open_source
from saccade.errors import DataError, UsageError
from saccade.runs import Run


def write_digits(folder: Path, names: dict[str, str], each: int = 6) -> Path:
    """Digits of the embedded set as files, the digit `k` in a folder called `names[k]`."""
    written = dict.fromkeys(names, 0)
    for item in open_source("digits").read("all"):
        label = str(item.label)
        if label in names and written[label] < each:
            written[label] += 1
            place = folder / names[label] / f"{written[label]}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            pixels = item.picture.read()
            assert isinstance(pixels, np.ndarray)
            Image.fromarray(pixels).save(place)
    return folder


def test_a_folder_with_fewer_classes_is_matched_by_name(trained: Run, tmp_path: Path) -> None:
    """By position, class "7" of a folder holding 3, 7 and 9 alone would be scored as "1"."""
    data = write_digits(tmp_path, {"3": "3", "7": "7", "9": "9"})
    found = saccade.evaluate(trained.path, data)
    assert found.n == 18
    assert [sum(row) for row in found.confusion] == [0, 0, 0, 6, 0, 0, 0, 6, 0, 6]
    assert found.accuracy > 0.8
    assert found.notes == (
        "the data has no picture of 7 of 10 classes: '0', '1', '2', '4', '5' and 2 more",
    )


def test_a_class_that_the_network_does_not_know_is_refused(trained: Run, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'seven'"):
        saccade.evaluate(trained.path, write_digits(tmp_path, {"3": "3", "7": "seven"}))


def test_a_divided_folder_is_measured_on_the_split_that_is_named(
    trained: Run, tmp_path: Path
) -> None:
    for split, each in (("train", 5), ("val", 3)):
        write_digits(tmp_path / split, {"0": "0", "1": "1"}, each)
    assert saccade.evaluate(trained.path, tmp_path, split="val").n == 6
    with pytest.raises(DataError, match="has no split test") as caught:
        saccade.evaluate(trained.path, tmp_path)
    assert "train, val" in caught.value.hint


def test_the_pictures_trained_on_can_be_measured_and_are_called_so(trained: Run) -> None:
    found = saccade.evaluate(trained.path, split="train")
    assert found.split == "train"
    assert found.n == 1797 - trained.test.n - trained.val.n
    with pytest.raises(UsageError, match="no split is called 'all'"):
        saccade.evaluate(trained.path, split="all")


def test_a_run_predicts_what_the_bundle_alone_predicts(trained: Run, tmp_path: Path) -> None:
    data = write_digits(tmp_path, {"4": "4"}, 3)
    one = trained.predict(data, top=3)
    bundle = saccade.open_bundle(trained.path / "bundle")
    assert bundle.predict(data, top=3) == one
    assert saccade.predict(trained.path, data, top=3) == one
    assert len(one) == 3
    assert all(sum(p.probabilities) <= 1 + 1e-6 for p in one)


def test_a_run_reads_its_own_story(trained: Run) -> None:
    assert trained.classes == tuple("0123456789")
    assert [row["epoch"] for row in trained.history] == [1, 2, 3, 4]
    assert repr(trained).startswith(f"Run({trained.path}: lenet5, ")
    assert "accuracy" in trained._repr_html_()
    assert trained.recipe.train.epochs == 4
    assert trained.to_dict()["test"]["numbers"][0]["value"] == trained.test.accuracy


def test_a_damaged_bundle_is_refused(digits_run: Run) -> None:
    weights = digits_run.path / "bundle" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(saccade.errors.WeightsError, match="digest differs"):
        saccade.open_bundle(digits_run.path)
    (digits_run.path / "bundle" / "config.json").write_text("{}")
    with pytest.raises(saccade.errors.WeightsError, match="lacks 'sha256'"):
        saccade.open_bundle(digits_run.path / "bundle")
