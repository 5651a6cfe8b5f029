"""MLflow reads what a training wrote; skipped where it is not installed, being large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saccade.api import resume, train
from saccade.logbook import Logbook

SHORT = {"train.epochs": 2, "model.name": "logistic_regression"}
LOOKS = [1, 11, 20, 21, 31, 40]  # of two epochs of 20 steps

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("default")  # of MLflow's own making


def test_mlflow_has_a_killed_and_resumed_training_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    take, taken = Logbook.take, []

    def fall(self: Logbook, event: Any, *, look: bool) -> None:
        taken.append(event)
        if len(taken) == 35:
            raise KeyboardInterrupt
        take(self, event, look=look)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Logbook, "take", fall)
        train(with_=SHORT, track=["mlflow"], out=tmp_path / "run")
    client = mlflow.MlflowClient()
    place = client.get_experiment_by_name("saccade").experiment_id
    assert [run.info.status for run in client.search_runs([place])] == ["KILLED"]

    run = resume(tmp_path / "run")
    (found,) = client.search_runs([place])
    assert found.info.status == "FINISHED" and found.info.run_name == "run"
    assert found.data.params["model.name"] == "logistic_regression"
    assert found.data.metrics["test/n"] == run.test.n
    steps = [m.step for m in client.get_metric_history(found.info.run_id, "step/loss")]
    assert sorted(steps) == LOOKS
    history = client.get_metric_history(found.info.run_id, "epoch/val_loss")
    assert {m.step: m.value for m in history} == {
        20 * row["epoch"]: row["val_loss"] for row in run.history
    }
    files = {file.path for file in client.list_artifacts(found.info.run_id)}
    assert files == {"log.jsonl", "recipe.toml", "report.html"}
