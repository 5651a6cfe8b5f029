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
from saccade.evaluation.threshold import (
    Labelled,
    SetsTarget,
    ThresholdTarget,
    refuse_nothing_asked,
    refuse_without_confidence,
    select_sets,
    select_threshold,
)
from saccade.metrics.classification import ClassMetric
from saccade.runs.run import Run
from saccade.tasks.answers import Predictions
from saccade.tasks.classification import Prediction
from saccade.tasks.multilabel import Multilabel


def images(sure: list[float], right: list[bool], groups: list[int] | None = None) -> Labelled:
    """Two classes; the first is named each time, with these confidences."""
    confidences = torch.tensor(sure)
    truth = torch.tensor([0 if good else 1 for good in right])
    probabilities = torch.stack([confidences, 1 - confidences], dim=1)
    outputs = EvaluationOutputs(ClassMetric(("a", "b")).rows(probabilities, truth))
    return Labelled(outputs, None if groups is None else torch.tensor(groups))


# 60 sure images are right, 40 others are wrong
VAL = images([0.9] * 60 + [0.6] * 40, [True] * 60 + [False] * 40)
TEST = images([0.95, 0.76, 0.74, 0.55], [True, False, True, True])


def test_a_threshold_is_chosen_on_validation_and_measured_on_the_images_at_hand() -> None:
    """60 in 60 show a precision of 95 % (0.95^60 < 5 %); midway between 0.9 and 0.6 is 0.75."""
    result = select_threshold(ThresholdTarget("precision", 0.95), VAL, TEST)
    assert result.on_validation.value == pytest.approx(0.75)
    assert (result.on_validation.coverage, result.on_validation.precision) == (0.6, 1.0)
    assert (result.on_these.n, result.on_these.coverage, result.on_these.precision) == (4, 0.5, 0.5)


def test_a_wished_share_of_answers_takes_the_highest_threshold() -> None:
    """60 of 100 reach 0.9: 51 % may be promised by the exact test, not 52 %."""
    result = select_threshold(ThresholdTarget("coverage", 0.51), VAL, TEST)
    assert result.on_validation.value == pytest.approx(0.75)
    low = select_threshold(ThresholdTarget("coverage", 0.52), VAL, TEST)
    assert low.on_validation.value == 0
    assert str(low).startswith("a coverage of 52.0 % needs no threshold")


def test_right_answers_of_all_images() -> None:
    """60 of 100 are right: 51 % of all may be promised, with the threshold as high as it goes."""
    result = select_threshold(ThresholdTarget("recall", 0.51), VAL, TEST)
    assert result.on_validation.value == pytest.approx(0.75)
    with pytest.raises(UsageError, match="cannot promise a recall of 52") as caught:
        select_threshold(ThresholdTarget("recall", 0.52), VAL, TEST)
    assert caught.value.hint == "they promise --recall 0.51"


def test_a_price_of_the_unknown_is_a_threshold() -> None:
    """Chow: an unknown that costs 0.3 is better than an answer wrong in more than 3 of 10."""
    result = select_threshold(ThresholdTarget("cost", 0.3), VAL, TEST)
    assert result.on_validation.value == pytest.approx(0.7)
    assert result.on_validation.cost(0.3) == pytest.approx(0.4 * 0.3)
    assert result.on_these.cost(0.3) == pytest.approx(0.75 / 3 + 0.25 * 0.3)


def test_where_nothing_is_answered_the_precision_is_undefined() -> None:
    few = images([0.6], [True])
    result = select_threshold(ThresholdTarget("precision", 0.95), VAL, few)
    assert result.on_these.coverage == 0 and result.on_these.precision != result.on_these.precision
    assert result.on_these.precision_interval == (0, 1)


def test_what_so_few_images_cannot_promise_is_refused_with_what_they_can() -> None:
    with pytest.raises(UsageError, match=r"it takes 149, without a mistake") as caught:
        select_threshold(ThresholdTarget("precision", 0.98), VAL, TEST)
    assert caught.value.hint == "they promise --precision 0.95"
    wrong = images([0.9] * 50 + [0.6] * 50, [False] * 50 + [True] * 50)
    with pytest.raises(UsageError, match=r"no threshold had more than 50"):
        select_threshold(ThresholdTarget("precision", 0.9), wrong, TEST)
    near = images([0.9] * 100, [True] * 97 + [False] * 3)
    with pytest.raises(UsageError, match=r"it would take about [\d,]+ like them") as caught:
        select_threshold(ThresholdTarget("precision", 0.95), near, TEST)
    told = float(str(caught.value.hint).split()[-1])
    assert select_threshold(ThresholdTarget("precision", told), near, TEST)


def test_images_of_groups_promise_less_and_those_of_few_nothing() -> None:
    """Groups of six that are alike are ten images, which promise no precision of 95 %."""
    sure, right = [0.9] * 60 + [0.6] * 40, [True] * 60 + [False] * 40
    target = ThresholdTarget("precision", 0.95)
    tens = images(sure, right, [k // 6 for k in range(100)])
    with pytest.raises(UsageError, match="cannot promise"):
        select_threshold(target, tens, TEST)
    fives = images(sure, right, [k // 20 for k in range(100)])
    with pytest.raises(UsageError, match="are of 5 groups only"):
        select_threshold(target, fives, TEST)


def test_wishes_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="one thing, not for --precision and --coverage"):
        ThresholdTarget.of(False, precision=0.9, coverage=0.9)
    with pytest.raises(UsageError, match="not said what for"):
        refuse_nothing_asked(ThresholdTarget.of(True, precision=None), None)
    with pytest.raises(UsageError, match="--precision cannot be 98"):
        ThresholdTarget.of(False, precision=98)
    with pytest.raises(UsageError, match="--by-class is of prediction sets"):
        SetsTarget.of(None, True, False)
    with pytest.raises(UsageError, match="this is multilabel"):
        refuse_without_confidence(Multilabel(("a", "b")))


def test_sets_hold_what_they_say_on_the_images_at_hand() -> None:
    """Of 100 images the 91st best has p = 0.4 for the truth: both classes of 0.6 are in the set."""
    result = select_sets(SetsTarget(0.9), VAL, TEST)
    assert result.sets.limits == (pytest.approx(0.4),) * 2
    assert (result.held.value, result.size.value, result.single.value) == (0.75, 1.25, 0.75)
    with pytest.raises(UsageError, match=r"sets of 99.0 % take 99 validation images; there are 4"):
        select_sets(SetsTarget(0.99), TEST, VAL)


def test_kept_sets_are_told_by_predict(digits_run: Run) -> None:
    result = saccade.tune_threshold(digits_run.path, sets=0.9, save=True)
    assert result.sets is not None and result.sets.held.value >= 0.8
    bundle = saccade.open_bundle(digits_run.path)
    assert bundle.sets is not None and bundle.sets == result.sets.sets
    limit = bundle.sets.limits[0]
    told = _classes(bundle.predict_items(_test_items(digits_run)[:40]))
    for one in told:
        members = {c for c, p in zip(one.classes, one.probabilities) if p >= limit}
        assert one.prediction_set and one.prediction_set[0] == one.classes[0]
        assert {*one.prediction_set[:5]} >= members
    (row, *_) = csv.DictReader(io.StringIO(bundle.predict_items(_test_items(digits_run)).to_csv()))
    assert row["prediction_set"].split("|")[0] == row["class_1"]


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
