"""Classical recipes behind the verbs: what is refused, and a run like any other."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from saccade.api import evaluate, models, predict, show, train
from saccade.auto.resolve import resolve
from saccade.auto.summary import DatasetSummary
from saccade.errors import RecipeError, UsageError
from saccade.runs.run import Run

SEEN = DatasetSummary(short_side=100, grey=False, count=200)


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of sixteen noisy images, told apart by colour and by the noise's grain."""
    import numpy as np
    from PIL import Image

    folder, chance = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    for grain, (name, colour) in enumerate({"a": 60, "b": 120, "c": 180}.items(), start=1):
        (folder / name).mkdir()
        for number in range(16):
            coarse = chance.normal(colour, 40, (48 // grain, 48 // grain, 3)).clip(0, 255)
            pixels = coarse.astype(np.uint8).repeat(grain, 0).repeat(grain, 1)
            Image.fromarray(pixels).save(folder / name / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def run(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(colours, model="fisher", size=48, out=tmp_path_factory.mktemp("runs") / "fisher")


def test_a_model_that_is_fitted_brings_its_recipe_and_has_no_epochs():
    settings = resolve(None, {"model.name": "bag_of_words"}, SEEN)
    assert settings.recipe.train.epochs == 0
    assert settings.origins["optim.lr"] == "no use: bag_of_words is fitted in one go"
    assert settings.notes == ("recipe classical: bag_of_words is fitted, not trained",)
    assert settings.recipe.data.size == 128


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("optim.lr", "0.1"),
        ("train.epochs", "3"),
        ("data.augment", "flip"),
        ("model.freeze", "sift"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(setting: str, value: str):
    with pytest.raises(RecipeError, match=f"{setting} does nothing for fisher"):
        resolve(None, {"model.name": "fisher", setting: value}, SEEN)


def test_another_recipe_loses_what_it_says_of_descent():
    settings = resolve("photos", {"model.name": "fisher"}, SEEN)
    assert settings.recipe == resolve("classical", {}, SEEN).recipe


def test_hog_refuses_a_size_that_it_is_not_made_for():
    with pytest.raises(UsageError, match="does not fit hog"):
        resolve(None, {"model.name": "hog", "data.size": 96}, SEEN)


def test_the_run_is_one_like_any_other(run: Run):
    assert run.history == []
    assert run.test.accuracy > 0.8
    with (run.path / "predictions.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == run.test.n
    (started,) = run.events("started")
    assert any("in 3-fold cross-validation" in note for note in started["notes"])
    report = (run.path / "report.html").read_text()
    assert "fisher" in report and "fitted in one go" in report
    assert "0 epochs" not in report


def test_its_bundle_predicts_and_measures_as_the_run_did(run: Run, colours: Path):
    assert evaluate(run.path).accuracy == run.test.accuracy
    (said,) = predict(run.path, colours / "b" / "03.png", top=1)
    assert said.best == "b"


def test_its_anatomy_names_the_rows(run: Run):
    shown: Any = show(run.path, expand=True)
    names = [row.name for row in shown.walk()]
    assert "describe.sift.fisher" in names and names[-1] == "fc"


def test_the_models_are_listed_with_their_papers():
    entries = {entry.name: entry.paper for entry in models().entries}
    assert entries["fisher"] == "Fisher vectors, Perronnin et al. 2010"
    assert entries["bag_of_words"] == "Bags of visual words, Lazebnik et al. 2006"
    assert entries["hog"] == "Histograms of oriented gradients, Dalal and Triggs 2005"
