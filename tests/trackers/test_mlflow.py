"""MLflow reads what a training wrote; skipped where it is not installed, being large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.api import resume

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("default")  # of MLflow's own making


def test_mlflow_has_a_killed_and_resumed_training_once(
    killed: Callable[[str], Path],
    looks: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    folder = killed("mlflow")
    client = mlflow.MlflowClient()
    place = client.get_experiment_by_name("saccade").experiment_id
    assert [run.info.status for run in client.search_runs([place])] == ["KILLED"]

    run = resume(folder)
    (result,) = client.search_runs([place])
    assert result.info.status == "FINISHED" and result.info.run_name == "run"
    assert result.data.params["model.name"] == "logistic_regression"
    assert result.data.metrics["test/n"] == run.test.n
    steps = [m.step for m in client.get_metric_history(result.info.run_id, "step/loss")]
    assert sorted(steps) == looks
    history = client.get_metric_history(result.info.run_id, "epoch/val_loss")
    assert {m.step: m.value for m in history} == {
        20 * row["epoch"]: row["val_loss"] for row in run.history
    }
    files = {file.path for file in client.list_artifacts(result.info.run_id)}
    assert files == {"log.jsonl", "recipe.toml", "report.html"}
