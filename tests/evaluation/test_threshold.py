"""From which confidence on there is an answer: chosen on validation, measured elsewhere."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import saccade
from saccade import cli
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.data.split_table import read_split
from saccade.engine.evaluate import EvaluationOutputs
from saccade.errors import UsageError
from saccade.evaluation.evaluation_set import (
    ThresholdTarget,
    refuse_without_confidence,
    select_threshold,
)
from saccade.metrics.classification import ClassMetric
from saccade.runs.run import Run
from saccade.tasks.answers import Predictions
from saccade.tasks.classification import Prediction
from saccade.tasks.multilabel import Multilabel


def outputs_of(confidences: list[float], right: list[bool]) -> EvaluationOutputs:
    """Two classes; the first is named each time, with these confidences."""
    sure = torch.tensor(confidences)
    truth = torch.tensor([0 if good else 1 for good in right])
    return EvaluationOutputs(
        ClassMetric(("a", "b")).rows(torch.stack([sure, 1 - sure], dim=1), truth)
    )


VAL = outputs_of([0.9, 0.8, 0.7, 0.6], [True, True, False, True])
TEST = outputs_of([0.95, 0.76, 0.74, 0.55], [True, False, True, True])


def test_a_threshold_is_chosen_on_validation_and_measured_on_the_images_at_hand() -> None:
    """Without a mistake down to 0.8, so midway to 0.7; two of the others lie above, one right."""
    result = select_threshold(ThresholdTarget("precision", 1.0), VAL, TEST)
    assert result.on_validation.value == pytest.approx(0.75)
    assert (result.on_validation.coverage, result.on_validation.precision) == (0.5, 1.0)
    assert (result.on_these.n, result.on_these.coverage, result.on_these.precision) == (4, 0.5, 0.5)


def test_a_wished_share_of_answers_takes_the_highest_threshold() -> None:
    result = select_threshold(ThresholdTarget("coverage", 0.75), VAL, TEST)
    assert result.on_validation.value == pytest.approx(0.65)
    assert (result.on_these.coverage, result.on_these.precision) == (0.75, pytest.approx(2 / 3))


def test_where_nothing_is_answered_the_precision_is_undefined() -> None:
    result = select_threshold(ThresholdTarget("precision", 1.0), VAL, outputs_of([0.6], [True]))
    assert result.on_these.coverage == 0 and result.on_these.precision != result.on_these.precision
    assert result.on_these.precision_interval == (0, 1)


def test_a_precision_out_of_reach_is_refused_with_the_best_there_is() -> None:
    wrong = outputs_of([0.9, 0.6], [False, True])
    with pytest.raises(UsageError, match="no threshold has 80") as caught:
        select_threshold(ThresholdTarget("precision", 0.8), wrong, TEST)
    assert caught.value.hint == "the best has 50.0 %, and answers 100.0 %"


def test_wishes_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="one thing"):
        ThresholdTarget.of(0.9, 0.9, save=False)
    with pytest.raises(UsageError, match="one thing"):
        ThresholdTarget.of(None, None, save=True)
    with pytest.raises(UsageError, match="--precision cannot be 98"):
        ThresholdTarget.of(98, None, save=False)
    with pytest.raises(UsageError, match="this is multilabel"):
        refuse_without_confidence(Multilabel(("a", "b")))


def test_a_kept_threshold_is_what_predict_goes_by(digits_run: Run) -> None:
    """Half of the validation images reach the median confidence, so half of any like them."""
    result = saccade.tune_threshold(digits_run.path, coverage=0.5, save=True)
    assert result.selected is not None
    value = result.selected.on_validation.value
    bundle = saccade.open_bundle(digits_run.path)
    assert bundle.min_confidence == value > 0
    items = _test_items(digits_run)[:80]
    predictions = _classes(bundle.predict_items(items))
    assert [one.accepted for one in predictions] == [
        one.probabilities[0] >= value for one in predictions
    ]
    assert {one.best for one in predictions if not one.accepted} == {"unknown"}
    assert all(one.accepted for one in _classes(bundle.predict_items(items, min_confidence=0.0)))
    assert abs(result.selected.on_these.coverage - 0.5) < 0.15
    lines = str(result).splitlines()[-3:]
    assert lines[0].startswith("unknown below a confidence of ")
    assert lines[2].startswith("measured here:        answers ")


def test_unknown_is_said_in_words_in_tables_and_in_json(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (8, 8), 90).save(tmp_path / "grey.png")
    argv = ["predict", str(trained.path), str(tmp_path / "grey.png"), "--min-confidence", "1"]
    assert cli.main(argv) == 0
    assert capsys.readouterr().out.splitlines()[0] == "unknown"
    assert cli.main([*argv, "--csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["prediction"] == "unknown" and row["class_1"] in trained.classes
    assert cli.main([*argv, "--json"]) == 0
    (prediction,) = json.loads(capsys.readouterr().out)["predictions"]
    assert prediction["accepted"] is False
    assert cli.main([*argv[:-1], "1.5"]) == 2
    assert "min_confidence is 1.5" in capsys.readouterr().err


def _test_items(run: Run) -> list[Item]:
    return list(read_split(run.path / "split.csv", open_source("digits")).test)


def _classes(predictions: Predictions) -> list[Prediction]:
    return [one for one in predictions if isinstance(one, Prediction)]
