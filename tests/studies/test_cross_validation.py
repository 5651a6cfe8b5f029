"""Cross-validation: every image is tested once, and the interval holds as often as it says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

import saccade
from saccade.errors import RecipeError, Stopped, UsageError
from saccade.metrics.intervals import Interval, cross_validated_interval, mean_interval
from saccade.metrics.metric import MetricReport, MetricValue
from saccade.runs.predictions import read_predictions
from saccade.runs.run import Run
from saccade.studies.cross_validation import CrossValidation, FoldResult, over_folds
from saccade.studies.workers import TrainingJob

QUICK = {"data.doctor": "off", "data.per_class": 10, "model.name": "lenet5", "train.device": "cpu"}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> CrossValidation:
    out = tmp_path_factory.mktemp("cv") / "runs"
    return saccade.cross_validate("digits", with_=QUICK, out=out, epochs=1, folds=3)


def test_every_image_is_tested_once_by_a_run_that_did_not_train_on_it(
    digits: CrossValidation,
) -> None:
    table = read_predictions(digits.path / "predictions.csv")
    assert len(table["name"]) == len(set(table["name"])) == 1797
    for fold in digits.folds:
        rows = (fold.run / "split.csv").read_text().splitlines()
        trained = {row.split(",")[0] for row in rows if row.endswith(",train")}
        tested = set(read_predictions(fold.run / "predictions.csv")["name"])
        assert not trained & tested and len(trained) == fold.train and len(tested) == fold.test


def test_the_number_is_the_mean_over_folds_and_the_interval_holds_that_of_the_images(
    digits,
) -> None:
    accuracy, *_ = digits.metrics
    values = [Run.open(fold.run).test.accuracy for fold in digits.folds]
    assert accuracy.value == pytest.approx(mean(values))
    ratio = mean(fold.test / fold.train for fold in digits.folds)
    interval = cross_validated_interval(values, ratio)
    assert accuracy.interval and interval
    assert accuracy.interval.low <= max(interval.low, 0) + 1e-9
    assert accuracy.interval.high >= min(interval.high, 1) - 1e-9
    assert accuracy.method == "corrected resampled t, Wilson and mid-p"
    told = json.loads((digits.path / "cross-validation.json").read_text())
    assert told == json.loads(json.dumps(digits.to_dict()))
    assert digits.to_csv().count("\n") == 4 * len(digits.metrics)


def test_a_finished_one_is_read_again_and_another_is_refused(digits: CrossValidation) -> None:
    before = (digits.path / "fold-1" / "log.jsonl").read_bytes()
    again = saccade.cross_validate("digits", with_=QUICK, out=digits.path, epochs=1, folds=3)
    assert again == digits
    assert (digits.path / "fold-1" / "log.jsonl").read_bytes() == before
    with pytest.raises(UsageError, match="holds something else"):
        saccade.cross_validate("digits", with_=QUICK, out=digits.path, epochs=2, folds=3)


def test_a_stopped_one_goes_on_with_the_line_that_it_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stopped(job: TrainingJob) -> None:
        raise Stopped("stopped in epoch 1", f"go on with: saccade resume {job.folder}", signal=2)

    monkeypatch.setattr("saccade.studies.workers.train_one", stopped)
    out = tmp_path / "cv"
    with pytest.raises(Stopped, match="stopped in epoch 1") as caught:
        saccade.cross_validate("digits", with_=QUICK, out=out, epochs=1, folds=3)
    line = caught.value.hint.removeprefix("go on with: ")
    assert caught.value.exit_code == 130
    assert line.startswith("saccade cross-validate digits ") and line.endswith(f" --out {out}")
    settings = [word for word in shlex.split(line) if "=" in word]
    with pytest.raises(Stopped) as again:
        saccade.cross_validate("digits", with_=settings, out=out)
    assert again.value.hint == caught.value.hint


def test_one_fold_is_no_cross_validation_and_folds_alone_no_training(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data.fold=1 does nothing"):
        saccade.cross_validate("digits", out=tmp_path / "a", folds=3, fold="1")
    with pytest.raises(UsageError, match=r"data.folds=3 does nothing without a fold"):
        saccade.train("digits", with_=QUICK, out=tmp_path / "b", folds=3)
    with pytest.raises(RecipeError, match=r"data.fold cannot be '4' of 3 folds"):
        saccade.train("digits", out=tmp_path / "c", folds=3, fold="4")


def test_the_corrected_interval_is_that_of_the_paper() -> None:
    interval = cross_validated_interval([0.8, 0.9, 0.7], 0.5)
    half = 4.302653 * 0.1 * (1 / 3 + 1 / 2) ** 0.5  # t of 2 degrees of freedom at 95 %
    assert interval == pytest.approx((0.8 - half, 0.8 + half), abs=1e-6)
    assert cross_validated_interval([0.8], 0.5) is None


def test_the_corrected_interval_covers_where_that_of_independent_folds_does_not() -> None:
    """Nearest means of two normal classes, 40 images, 5 folds; the truth is a mean over sets."""
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    centre, unseen = np.full(8, 0.35), np.arange(2000) % 2
    estimates, truths = [], []
    for _ in range(400):
        images = generator.normal(size=(40, 8)) + np.outer(2 * labels - 1, centre)
        others = generator.normal(size=(2000, 8)) + np.outer(2 * unseen - 1, centre)
        scores = []
        for fold in range(5):
            test = np.arange(40) // 2 % 5 == fold
            means = [images[~test & (labels == k)].mean(0) for k in (0, 1)]

            def accuracy(x: np.ndarray, y: np.ndarray, means: list[np.ndarray] = means) -> float:
                nearer = ((x - means[1]) ** 2).sum(1) < ((x - means[0]) ** 2).sum(1)
                return float((nearer == y).mean())

            scores.append(accuracy(images[test], labels[test]))
            truths.append(accuracy(others, unseen))
        estimates.append(scores)
    truth = mean(truths)
    corrected = [cross_validated_interval(scores, 8 / 32) for scores in estimates]
    independent = [mean_interval(scores) for scores in estimates]
    shares = [
        mean(i.low <= truth <= i.high for i in found if i) for found in (corrected, independent)
    ]
    assert shares[0] >= 0.94 > shares[1]


def value(name: str, number: float) -> MetricValue:
    return MetricValue(name, number, 10, Interval(number - 0.1, number + 0.1))


def test_folds_are_joined_by_the_names_of_their_metrics() -> None:
    others = ("R2", 0.3), ("R2 per place", 0.7), ("accuracy", 0.7)
    folds = [
        FoldResult("1", Path("1"), 32, 8, (value("accuracy", 0.5), value("R2", 0.1))),
        FoldResult("2", Path("2"), 32, 8, tuple(value(*one) for one in others)),
    ]
    whole = (value("accuracy", 0.6), value("R2 per place", 0.2), value("R2", 0.2))
    means = {m.name: m.value for m in over_folds(folds, MetricReport(16, whole))}
    assert means == pytest.approx({"accuracy": 0.6, "R2": 0.2, "R2 per place": 0.4})
    told = dict(CrossValidation(Path(), "classification", tuple(folds), whole).rows())
    assert told["fold 2"].startswith(f"{folds[1].metrics[2]}")
