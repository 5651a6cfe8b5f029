"""Results as DataFrames: the same numbers as everywhere else, as numbers."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from torch import nn

import saccade
from saccade.errors import UsageError
from saccade.runs.run import Run


def test_the_history_has_a_row_per_epoch(trained: Run) -> None:
    frame = trained.history.to_frame()
    assert frame["epoch"].tolist() == [1, 2, 3, 4]
    assert frame["loss"].tolist() == [row["loss"] for row in trained.history]
    assert repr(trained.history).startswith("History(4 epochs, loss ")


def test_an_evaluation_is_its_table_of_metrics_and_its_confusion_matrix(trained: Run) -> None:
    frame = trained.test.to_frame()
    text = pandas.read_csv(io.StringIO(trained.test.to_csv()), keep_default_na=False)
    assert frame.columns.tolist() == text.columns.tolist()
    assert frame["name"].tolist() == [metric.name for metric in trained.test.metrics]
    assert frame["value"].tolist() == pytest.approx(
        [metric.value for metric in trained.test.metrics], nan_ok=True
    )
    matrix = trained.test.confusion_matrix
    counts = matrix.to_frame()
    right = sum(int(counts.loc[name, name]) for name in trained.classes)
    assert right / counts.to_numpy().sum() == pytest.approx(trained.test.accuracy)
    assert counts.index.name == "true" and counts.columns.name == "predicted"
    assert repr(matrix) == f"ConfusionMatrix(10 classes, {right} of {trained.test.n} right)"


def test_predictions_are_numbers_and_classes_are_text(trained: Run) -> None:
    predictions: Any = trained.predict(np.zeros((2, 8, 8), np.uint8), top=2)
    frame = predictions.to_frame()
    assert frame["name"].tolist() == ["image 0", "image 1"]
    assert frame["prediction"].tolist() == [p.best for p in predictions]
    expected = [p.probabilities[0] for p in predictions]
    assert frame["probability_1"].tolist() == pytest.approx(expected, abs=1e-6)
    assert list(frame["error"].isna()) == [True, True]


def test_a_comparison_has_a_row_for_each_pair_and_metric(trained: Run, digits_run: Run) -> None:
    comparison = saccade.compare(trained, digits_run)
    frame = comparison.to_frame()
    assert len(frame) == len(comparison.pairs[0].differences)
    assert frame["difference"].tolist() == [d.value for d in comparison.pairs[0].differences]
    assert list(frame["p_holm"].notna()).count(True) == 1
    assert all(math.isfinite(p) for p in frame["p"])


def test_what_is_listed_is_a_frame_of_numbers(trained: Run, photos: Path) -> None:
    (run,) = saccade.runs(trained.path).to_frame().to_dict("records")
    primary = trained.test.primary
    assert (run["run"], run["finished"]) == (str(trained.path), True)
    assert (run["metric"], run["value"], run["n"]) == (primary.name, primary.value, primary.n)
    networks = saccade.models("lenet5").to_frame()
    assert networks[["name", "channels", "height"]].to_numpy().tolist() == [["lenet5", 1, 32]]
    settings = saccade.settings("optim.momentum").to_frame()
    assert settings["default"].tolist() == [0.9]
    findings = saccade.doctor(photos)
    assert findings.to_frame()["kind"].tolist() == [f.kind for f in findings.findings]


def test_the_layers_of_a_network_are_rows_with_their_counts() -> None:
    frame = saccade.show("lenet5").to_frame()
    fc = frame[frame["weights"] == 120 * 84 + 84].iloc[0]
    assert (fc["multiply_adds"], fc["output"]) == (120 * 84, "84")
    two = saccade.show("lenet5", nn.Sequential(nn.Flatten(), nn.Linear(1024, 10)), size="1x32x32")
    pair = two.to_frame()
    assert np.nansum(pair["second_weights"].to_numpy()) == 1024 * 10 + 10
    assert np.nansum(pair["first_weights"].to_numpy()) == np.nansum(frame["weights"].to_numpy())


def test_the_representations_of_results_are_short(trained: Run) -> None:
    evaluation, bundle = trained.test, trained.bundle
    for result in (trained, evaluation, bundle, saccade.show(bundle), saccade.models()):
        assert len(repr(result)) < 200 and "\n" not in repr(result)


def test_without_pandas_the_way_to_it_is_told(
    trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="to_frame needs pandas"):
        trained.history.to_frame()
