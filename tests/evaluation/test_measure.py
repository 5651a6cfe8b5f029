"""A trained network on other people's data: by name, or not at all; and what is told if asked."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
import saccade.errors
from saccade import cli
from saccade.data.sources import open_source
from saccade.errors import DataError, RecipeError, UsageError
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.classification import Prediction


def write_digits(folder: Path, names: dict[str, str], each: int = 6) -> Path:
    """Digits of the embedded set as files, the digit `k` in a folder called `names[k]`."""
    written = dict.fromkeys(names, 0)
    for item in open_source("digits").read("all"):
        label = str(item.label)
        if label in names and written[label] < each:
            written[label] += 1
            place = folder / names[label] / f"{written[label]}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            pixels = item.image.read()
            assert isinstance(pixels, np.ndarray)
            Image.fromarray(pixels).save(place)
    return folder


def test_a_folder_with_fewer_classes_is_matched_by_name(trained: Run, tmp_path: Path) -> None:
    """By position, class "7" of a folder holding 3, 7 and 9 alone would be scored as "1"."""
    data = write_digits(tmp_path, {"3": "3", "7": "7", "9": "9"})
    result = saccade.evaluate(trained.path, data)
    assert result.n == 18
    assert [sum(row) for row in result.confusion] == [0, 0, 0, 6, 0, 0, 0, 6, 0, 6]
    assert result.accuracy > 0.8
    missing, trained_on = result.notes
    assert missing == (
        "the data has no image of 7 of 10 classes: '0', '1', '2', '4', '5' and 2 more"
    )
    # digits of the same set
    assert trained_on.startswith("the run was trained on images that look like ")


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


def test_the_images_trained_on_can_be_measured_and_are_called_so(trained: Run) -> None:
    result = saccade.evaluate(trained.path, split="train")
    assert result.split == "train"
    assert result.n == 1797 - trained.test.n - trained.val.n
    with pytest.raises(UsageError, match="no split is called 'all'"):
        saccade.evaluate(trained.path, split="all")


def test_a_run_predicts_what_the_bundle_alone_predicts(trained: Run, tmp_path: Path) -> None:
    data = write_digits(tmp_path, {"4": "4"}, 3)
    one = trained.predict(data, top=3)
    bundle = saccade.open_bundle(trained.path / "bundle")
    assert bundle.predict(data, top=3) == one
    assert saccade.predict(trained.path, data, top=3) == one
    assert len(one) == 3
    assert all(isinstance(p, Prediction) and sum(p.probabilities) <= 1 + 1e-6 for p in one)


def test_a_run_reads_its_own_story(trained: Run) -> None:
    assert trained.classes == tuple("0123456789")
    assert [row["epoch"] for row in trained.history] == [1, 2, 3, 4]
    assert repr(trained).startswith(f"Run({trained.path}: lenet5, ")
    assert "accuracy" in trained._repr_html_()
    assert trained.recipe.train.epochs == 4
    assert trained.to_dict()["test"]["metrics"][0]["value"] == trained.test.accuracy


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


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve images of a bar, called 1, and twelve of a ring, called 0, by day and by night."""
    folder = tmp_path_factory.mktemp("bars")
    for number in range(12):
        time, ink = ("day", 255) if number % 3 else ("night", 140)
        one, zero = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
        one[:, 3:5] = ink
        zero[:, 2:6] = ink
        zero[2:6, 3:5] = 0
        for label, pixels in (("1", one), ("0", zero)):
            (folder / label).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(folder / label / f"{time}_{number:02d}.png")
    return folder


def test_the_predictions_of_every_image_are_written(
    trained: Run, bars: Path, tmp_path: Path
) -> None:
    result = saccade.evaluate(trained.path, bars, out=tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").read_text().splitlines()))
    assert len(rows) == 24
    right = [row["label"] == row["prediction"] for row in rows]
    assert result.accuracy == pytest.approx(sum(right) / 24)
    for row in rows:
        shares = {name: float(row[f"p({name})"]) for name in trained.classes}
        assert max(shares, key=lambda name: shares[name]) == row["prediction"]
        if shares[row["label"]] > 0.01:
            assert float(row["loss"]) == pytest.approx(-math.log(shares[row["label"]]), abs=1e-4)
    output = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert output == json.loads(json.dumps(result.to_dict()))
    with pytest.raises(UsageError, match=r"predictions\.csv' exists"):
        saccade.evaluate(trained.path, bars, out=tmp_path / "out")
    saccade.evaluate(trained.path, bars, out=tmp_path / "alone.csv")
    assert len((tmp_path / "alone.csv").read_text().splitlines()) == 25
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "evaluation.json",
        "predictions.csv",
        "report.html",
    ]


def test_slices_are_counted_from_the_predictions(trained: Run, bars: Path, tmp_path: Path) -> None:
    """Numbers 0, 3, 6 and 9 of each class are by night."""
    result = saccade.evaluate(trained.path, bars, by="(day|night)", out=tmp_path / "p.csv")
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert [one.name for one in result.slices] == ["day", "night"]
    for one, n in zip(result.slices, (16, 8), strict=True):
        slice_rows = [row for row in rows if one.name in row["name"]]
        assert one.metric.n == len(slice_rows) == n
        right = sum(row["label"] == row["prediction"] for row in slice_rows)
        assert one.metric.value == pytest.approx(right / n)
        assert one.metric.interval is not None and one.metric.name == result.primary.name
    lowest = "of 2 slices one is lowest by chance alone" in str(result)
    assert lowest == (result.slices[0].metric.value != result.slices[1].metric.value)


def test_seeing_images_several_ways_is_said_and_is_a_mean(trained: Run, bars: Path) -> None:
    """Bar and ring are their own mirror images, so that flipping changes nothing."""
    plain, both = (saccade.evaluate(trained.path, bars, tta=v) for v in ("", "flip"))
    assert both["log loss"].value == pytest.approx(plain["log loss"].value, abs=1e-3)
    assert both.notes[-1] == "test-time augmentation: each prediction is the mean over 2 transforms"
    ten = saccade.evaluate(trained.path, bars, tta="crops:0.875,flip")
    assert ten.notes[-1].endswith("10 transforms")
    assert ten["log loss"].value != plain["log loss"].value
    with pytest.raises(RecipeError, match="no test-time augmentation is called 'flop'"):
        saccade.evaluate(trained.path, bars, tta="flop")


def test_views_and_corruptions_are_had_together(trained: Run, bars: Path) -> None:
    """The number of images as they are is that of the same views, measured by itself."""
    result = saccade.evaluate(trained.path, bars, tta="crops:0.875", corrupt="brightness")
    alone = saccade.evaluate(trained.path, bars, tta="crops:0.875")
    assert result.robustness is not None and list(result.robustness.corrupted) == ["brightness"]
    assert result.robustness.clean == result.primary == alone.primary


def test_corruptions_are_measured_on_the_same_images(trained: Run, bars: Path) -> None:
    result = saccade.evaluate(trained.path, bars, corrupt="brightness, translate")
    assert result.robustness is not None
    assert result.robustness.clean == result.primary
    assert list(result.robustness.corrupted) == ["brightness", "translate"]
    assert all(n.n == 24 for row in result.robustness.corrupted.values() for n in row)
    assert "five severities of" in str(result)
    with pytest.raises(UsageError, match="no corruption is called 'fogg'"):
        saccade.evaluate(trained.path, bars, corrupt="fogg")


def test_everything_is_there_as_json_and_as_a_table(
    trained: Run, bars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["evaluate", str(trained.path), str(bars), "--by", "folder", "--corrupt", "scale"]
    assert cli.main([*argv, "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in output["slices"]] == ["0", "1"]
    assert list(output["robustness"]["corruptions"]) == ["scale"]
    assert "selected" not in output
    assert cli.main([*argv, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["slice"] for row in rows if row["slice"]] == ["0", "1"]
    assert [row["severity"] for row in rows if row["corruption"] == "scale"] == list("12345")
    whole = Evaluation.read(output)
    assert float(rows[0]["value"]) == whole.primary.value
    assert {row["name"] for row in rows} >= {number.name for number in whole.metrics}


def test_numbers_are_refused_by_a_classifier_in_words(
    trained: Run, bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "ages.csv"
    table.write_text(f"path,value\n{bars / '0' / 'day_01.png'},41\n")
    assert cli.main(["evaluate", str(trained.path), str(table)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        "41.0, which is for regression; this network was trained for classification" in captured.err
    )
    assert cli.main(["evaluate", str(trained.path), str(bars / "0")]) == 3
    assert "lie in no class folders" in capsys.readouterr().err


def test_images_that_the_run_was_trained_on_are_counted(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies under other names, in another folder: their contents tell."""
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))
    run = saccade.train(photos, epochs=1, out=tmp_path / "run")
    rows = list(csv.DictReader((run.path / "split.csv").read_text().splitlines()))
    for split, step, count in (("train", 6, 5), ("test", 1, 3)):
        for number, row in enumerate([r for r in rows if r["split"] == split][::step][:count]):
            place = tmp_path / "others" / row["label"] / f"{split}_{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photos / row["name"], place)
    result = saccade.evaluate(run.path, tmp_path / "others")
    assert "the run was trained on 5 of these 8 images: on these the numbers are too good" in (
        result.notes
    )
    assert not saccade.evaluate(run.path).notes
    moved = Path(shutil.copytree(photos, tmp_path / "moved"))
    shutil.copyfile(moved / rows[0]["name"], moved / rows[0]["label"] / "new.png")
    assert saccade.evaluate(run.path, own_data=moved).notes == (
        f"1 images came since the split and are not used: '{rows[0]['label']}/new.png'",
    )
