"""Several labels and numbers, from a table to a finished run and back; all tiny."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade import api
from saccade.data.doctor.doctor import examine
from saccade.data.sources import open_source
from saccade.errors import DataError, RecipeError, SaccadeError, Stopped
from saccade.runs.run import Run, open_bundle
from saccade.tasks.multilabel import Multilabel
from saccade.tasks.regression import Regression
from saccade.training.logbook import Logbook

COUNT = 72
TINY = {
    "model.name": "lenet5",
    "train.epochs": 3,
    "train.batch_size": 16,
    "data.doctor": "off",
    "data.augment": (),
    "optim.lr": 0.003,
}


def drawn(number: int) -> tuple[Image.Image, list[str], float]:
    """An image, the labels of the patches in it, and the brightness of its background."""
    chance = np.random.default_rng(number)
    pixels = chance.integers(0, 40, (32, 32)).astype(np.float64)
    there = [name for bit, name in enumerate(("bar", "box")) if number >> bit & 1]
    level = 20 + 120 * chance.random()
    pixels += level
    if "bar" in there:
        pixels[4:28, 4:8] = 255
    if "box" in there:
        pixels[12:24, 14:26] = 0
    return Image.fromarray(pixels.astype(np.uint8)), there, level


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`several.csv` with labels, `numbers.csv` with values of places, and the images of both."""
    folder = tmp_path_factory.mktemp("tables")
    several, numbers = [("path", "labels")], [("path", "value", "rent", "place")]
    for number in range(COUNT):
        image, names, level = drawn(number)
        image.save(folder / f"{number}.png")
        several.append((f"{number}.png", "|".join(names)))
        numbers.append((f"{number}.png", f"{level:.3f}", f"{10 * level:.1f}", f"p{number // 3}"))
    for name, rows in (("several.csv", several), ("numbers.csv", numbers)):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def labelled(tables: Path) -> Run:
    return api.train(tables / "several.csv", with_=TINY, out=tables / "labelled")


@pytest.fixture(scope="module")
def estimated(tables: Path) -> Run:
    return api.train(tables / "numbers.csv", with_=TINY, out=tables / "estimated")


def rows_of(run: Run) -> list[dict[str, str]]:
    with (run.path / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_column_of_labels_makes_a_run_with_thresholds(labelled: Run) -> None:
    assert labelled.classes == ("bar", "box")
    assert labelled.test.task == "multilabel"
    assert labelled.test.primary.name == "mean average precision"
    assert labelled.test.primary.baseline == pytest.approx(0.5, abs=0.15)
    assert [row.name for row in labelled.test.per_class] == ["bar", "box"]
    task = labelled.bundle.task
    assert isinstance(task, Multilabel)
    assert set(labelled.events("calibration")[-1]["thresholds"].values()) == set(task.thresholds)


def test_predictions_of_labels_are_those_over_their_thresholds(labelled: Run) -> None:
    task, rows = labelled.bundle.task, rows_of(labelled)
    assert len(rows) == labelled.test.n
    assert isinstance(task, Multilabel)
    for row in rows:
        over = [c for c, t in zip(task.classes, task.thresholds) if float(row[f"p({c})"]) >= t]
        assert row["prediction"] == "|".join(over)


def test_the_card_counts_each_label_on_its_own(labelled: Run) -> None:
    card = (labelled.path / "bundle" / "README.md").read_text()
    with (labelled.path / "split.csv").open(newline="") as file:
        train = [row["label"].split("|") for row in csv.DictReader(file) if row["split"] == "train"]
    for name in ("bar", "box"):
        assert f"| {name} | {sum(name in labels for labels in train)} |" in card
    assert f"{len(train)} images to train on" in card
    assert "2 labels" in card


def test_a_column_of_numbers_makes_a_run_with_a_margin(estimated: Run) -> None:
    assert estimated.classes == ()
    assert [n.name for n in estimated.test.metrics[:2]] == ["R2", "R2 per place"]
    assert estimated.test["R2 per place"].n * 3 == estimated.test.n
    task = estimated.bundle.task
    assert isinstance(task, Regression)
    assert task.margin == estimated.events("calibration")[-1]["margin"]
    assert estimated.origins["train.label_smoothing"] == "auto: as regression allows"


def test_a_network_learns_the_brightness_that_was_drawn(tables: Path) -> None:
    longer = TINY | {"train.epochs": 12, "train.ema": 0.0}
    run = api.train(tables / "numbers.csv", with_=longer, out=tables / "longer")
    assert run.test["R2"].value > 0.8
    assert run.test["R2"].interval is None
    assert "groups are too few to tell of others" in run.test["R2"].reason
    assert run.test["R2 per place"].value > 0.8


def test_all_images_of_a_place_lie_on_one_side(estimated: Run) -> None:
    sides: dict[str, set[str]] = {}
    with (estimated.path / "split.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            sides.setdefault(row["group"], set()).add(row["split"])
    assert len(sides) == COUNT // 3
    assert all(len(side) == 1 for side in sides.values())


def test_predictions_of_numbers_have_no_columns_of_classes(estimated: Run) -> None:
    rows = rows_of(estimated)
    assert list(rows[0]) == ["name", "label", "prediction", "loss"]
    task = estimated.bundle.task
    assert isinstance(task, Regression)
    for row in rows:
        missed = (float(row["prediction"]) - float(row["label"])) / task.scale
        assert float(row["loss"]) == pytest.approx(missed**2, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("which", ["labelled", "estimated"])
def test_measuring_anew_gives_the_numbers_of_the_run(which: str, request) -> None:
    run = request.getfixturevalue(which)
    assert api.evaluate(run.path).metrics == run.test.metrics
    assert json.loads(json.dumps(api.evaluate(run.path).to_dict()))["task"] == run.test.task


@pytest.mark.parametrize("which", ["labelled", "estimated"])
def test_the_report_opens_with_the_leading_number(which: str, request) -> None:
    run = request.getfixturevalue(which)
    leading = run.test.primary
    page = (run.path / "report.html").read_text().replace("\u00a0", " ")
    assert leading.name in page
    assert str(leading).partition(" (")[0] in page


def test_prediction_of_labels_and_of_numbers(labelled: Run, estimated: Run, tables: Path) -> None:
    row = rows_of(labelled)[0]
    answer = api.predict(labelled.path, tables / row["name"])[0]
    assert "|".join(answer.labels) == row["prediction"]
    row = rows_of(estimated)[0]
    answers = api.predict(estimated.path / "bundle", tables / row["name"])
    assert answers[0].value == pytest.approx(float(row["prediction"]), rel=1e-5)
    assert answers.to_csv().splitlines()[0] == "name,value,margin,error"


def test_another_column_is_learned_by_naming_it_and_its_kind(tables: Path) -> None:
    run = api.train(f"{tables / 'numbers.csv'}::rent=number", with_=TINY, out=tables / "rent")
    task, labels = run.bundle.task, [float(row["label"]) for row in rows_of(run)]
    assert isinstance(task, Regression)
    assert task.mean == pytest.approx(10 * 80, rel=0.15)  # ten times the brightness, 20 to 140
    assert max(labels) > 300
    assert api.evaluate(run.path).metrics == run.test.metrics


@pytest.mark.parametrize("table", ["several.csv", "numbers.csv"])
def test_a_stopped_training_goes_on_as_if_it_had_not_been(
    tables: Path, tmp_path: Path, table: str, request, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = request.getfixturevalue("labelled" if table == "several.csv" else "estimated")
    close = Logbook._end_epoch

    def interrupted(book: Logbook, *event: object) -> None:
        close(book, *event)  # type: ignore[arg-type]
        raise book.stop(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Logbook, "_end_epoch", interrupted)
        with pytest.raises(Stopped, match="in epoch 2 of 3"):
            api.train(tables / table, with_=TINY, out=tmp_path / "stopped")
    resumed = api.resume(tmp_path / "stopped")
    ours, theirs = (open_bundle(run.path).model.state_dict() for run in (resumed, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert resumed.test == whole.test


def test_mixed_images_have_mixed_labels_and_numbers(tables: Path) -> None:
    mixed = TINY | {"data.augment": ("mixup:0.2|cutmix:1",), "train.epochs": 1}
    for table in ("several.csv", "numbers.csv"):
        run = api.train(tables / table, with_=mixed, out=tables / f"mixed-{table}")
        assert np.isfinite(run.history[0]["loss"])


def test_rare_labels_can_be_weighed(tables: Path) -> None:
    weighed = TINY | {"train.class_weights": "auto", "train.epochs": 1}
    run = api.train(tables / "several.csv", with_=weighed, out=tables / "weighed")
    assert run.recipe.train.class_weights == "auto"


@pytest.mark.parametrize(
    ("table", "setting", "words"),
    [
        ("several.csv", {"data.sampling": "balanced"}, "one class for each image"),
        ("numbers.csv", {"data.sampling": "balanced"}, "one class for each image"),
        ("numbers.csv", {"train.class_weights": "auto"}, "this is regression"),
        ("numbers.csv", {"train.label_smoothing": 0.1}, "this is regression"),
    ],
)
def test_settings_for_classes_are_refused(tables: Path, table: str, setting, words: str) -> None:
    with pytest.raises(SaccadeError, match=words):
        api.train(tables / table, with_=TINY | setting, out=tables / "refused")
    assert not (tables / "refused").exists()


def test_a_number_that_is_none_is_refused_with_its_row(tables: Path) -> None:
    (tables / "bad.csv").write_text("path,value\n0.png,1.5\n1.png,nan\n")
    with pytest.raises(DataError, match=r"row 3 of .* has 'nan' for a number"):
        open_source(tables / "bad.csv")


def test_labels_and_numbers_of_another_kind_cannot_be_measured(
    labelled: Run, estimated: Run, tables: Path
) -> None:
    with pytest.raises(DataError, match=r"png' has the label \d"):
        api.evaluate(labelled.path, tables / "numbers.csv")
    with pytest.raises(DataError, match=r"png' has the label \("):
        api.evaluate(estimated.path, tables / "several.csv")


def test_a_plan_is_made_of_labels_and_of_numbers(tables: Path) -> None:
    for table, outputs in (("several.csv", 2), ("numbers.csv", 1)):
        plan = api.plan(tables / table, with_=TINY)
        assert plan.to_dict()["parameters"] == 60_856 + 85 * outputs  # LeNet-5 less its last row


def test_near_copies_may_have_numbers_of_their_own_but_not_exact_ones(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    pixels = np.kron(chance.integers(0, 200, (8, 8)), np.ones((8, 8))).astype(np.uint8)
    for name, array in (("a", pixels), ("b", pixels + 2), ("c", pixels)):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    (tmp_path / "near.csv").write_text("path,value\na.png,1.0\nb.png,1.1\n")
    (tmp_path / "exact.csv").write_text("path,value\na.png,1.0\nc.png,1.1\n")
    near, exact = (examine(open_source(tmp_path / f"{name}.csv")) for name in ("near", "exact"))
    assert "different_labels" not in {f.kind for f in near.findings}
    assert "different_labels" in {f.kind for f in exact.findings}


def test_a_head_on_features_is_fitted_to_labels_and_numbers(tables: Path, estimated: Run) -> None:
    fitted = {"model.name": "lenet5", "data.doctor": "off", "model.weights": str(estimated.path)}
    for table, head in (("several.csv", "logistic"), ("numbers.csv", "ridge")):
        run = api.train(
            tables / table, with_=fitted, recipe="features", out=tables / f"head-{table}"
        )
        assert run.recipe.model.head == head
        assert run.test.n > 0


def test_a_head_for_classes_is_refused_for_numbers(tables: Path, estimated: Run) -> None:
    wrong = TINY | {"model.head": "logistic", "model.weights": str(estimated.path)}
    with pytest.raises(RecipeError, match=r"model\.head cannot be logistic for regression"):
        api.train(tables / "numbers.csv", with_=wrong, out=tables / "refused")
