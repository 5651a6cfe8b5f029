"""Trackers log what log.jsonl holds, once, also of a training that was killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from saccade.api import resume, train
from saccade.errors import UsageError
from saccade.runs.run import Run
from saccade.trackers.tracker import TRACKERS, trackers
from saccade.trackers.view import flattened


class Notebook:
    """A tracker that keeps everything in a file, as others would in theirs."""

    name = "notebook"

    def check(self) -> None: ...

    def start(self, folder: Path, settings: Mapping[str, Any], run_id: str) -> str:
        self.path = folder / "notebook.jsonl"
        self._write("start", run_id=run_id, settings=dict(settings))
        return "page 1"

    def log_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        self._write("metrics", steps=step, metrics=dict(metrics))

    def log_artifact(self, path: Path) -> None:
        self._write("artifact", file=path.name)

    def finish(self, *, finished: bool) -> None:
        self._write("finish", finished=finished)

    def _write(self, what: str, **facts: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"what": what, **facts}) + "\n")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package of the name, so that it counts as installed."""
    (tmp_path / "notebook.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(TRACKERS, "notebook", Notebook)


def lines(run: Run, what: str) -> list[dict[str, Any]]:
    text = (run.path / "notebook.jsonl").read_text()
    return [fact for fact in map(json.loads, text.splitlines()) if fact["what"] == what]


def steps_of_looks(run: Run) -> list[int]:
    return [fact["steps"] for fact in lines(run, "metrics") if "step/loss" in fact["metrics"]]


def test_a_tracker_logs_steps_epochs_results_and_files(
    notebook: None, short: dict[str, Any], looks: list[int], tmp_path: Path
):
    run = train(with_=short, track=["notebook"], out=tmp_path / "run")
    assert lines(run, "start")[0]["settings"]["model.name"] == "logistic_regression"
    assert steps_of_looks(run) == looks
    results = {fact["steps"]: fact["metrics"] for fact in lines(run, "metrics")[-1:]}[40]
    assert results["test/n"] == run.test.n
    epochs = [f for f in lines(run, "metrics") if "epoch/val_loss" in f["metrics"]]
    assert [fact["steps"] for fact in epochs] == [20, 40]
    logged = [row["val_loss"] for row in run.history]
    assert [fact["metrics"]["epoch/val_loss"] for fact in epochs] == logged
    files = [fact["file"] for fact in lines(run, "artifact")]
    assert files == ["log.jsonl", "recipe.toml", "report.html"]
    assert lines(run, "finish") == [{"what": "finish", "finished": True}]


def test_a_training_that_goes_on_tells_nothing_twice(
    notebook: None, killed: Callable[[str], Path], looks: list[int]
):
    run = resume(killed("notebook"))
    assert steps_of_looks(run) == looks
    assert [fact["run_id"] for fact in lines(run, "start")] == ["", "page 1"]
    assert [fact["finished"] for fact in lines(run, "finish")] == [False, True]


def test_tracking_leaves_the_weights_as_they_are(
    notebook: None, short: dict[str, Any], tmp_path: Path
):
    once = train(with_=short, track=["notebook"], out=tmp_path / "tracked")
    again = train(with_=short, out=tmp_path / "plain")
    weights = [(run.path / "bundle" / "model.safetensors").read_bytes() for run in (once, again)]
    assert weights[0] == weights[1]


def test_an_unknown_tracker_is_refused_before_any_work(tmp_path: Path):
    with pytest.raises(UsageError, match="no tracker is called 'tensorbord'") as caught:
        train(track=["tensorbord"], out=tmp_path / "run")
    assert "tensorboard" in caught.value.hint
    assert not (tmp_path / "run").exists()


def test_a_missing_extra_is_refused_with_what_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("saccade.trackers.tracker.find_spec", lambda name: None)
    for name in ("tensorboard", "mlflow", "wandb"):
        with pytest.raises(UsageError, match=f"{name} is not installed") as caught:
            trackers([name])
        assert caught.value.hint == f"pip install 'saccade[{name}]'"


def test_a_tracker_named_twice_is_one(notebook: None):
    assert len(trackers(["notebook", "notebook"])) == 1


def test_facts_become_numbers_by_the_way_to_them():
    fact = {
        "n": 3,
        "name": "x",
        "right": True,
        "accuracy_interval": [0.1, 0.9],
        "layers": [{"name": "fc", "dead": 0.5, "update": None}],
        "confusion": [[1, 2], [3, 4]],
    }
    assert dict(flattened("test", fact)) == {
        "test/n": 3.0,
        "test/accuracy_interval/low": 0.1,
        "test/accuracy_interval/high": 0.9,
        "test/layers/fc/dead": 0.5,
    }


def test_the_command_takes_several_trackers():
    done = subprocess.run(
        [sys.executable, "-m", "saccade.cli", "train", "--track", "tensorboard", "--track", "nix"],
        capture_output=True,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert done.returncode == 2
    assert "no tracker is called 'nix'" in done.stderr
