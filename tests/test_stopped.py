"""Trainings that were typed, and ended by a signal: what they say, and that they go on exactly."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from saccade import api
from saccade.errors import UsageError
from saccade.runs.run import Run

EPOCHS = 12
TRAINING = [sys.executable, "-m", "saccade.cli", "train", "--epochs", str(EPOCHS), "--seed", "5"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run([*TRAINING, "--out", str(out)], check=True, capture_output=True)
    return Run.open(out)


def stop_after(epochs: int, number: int, out: Path) -> tuple[int, str]:
    """Send a signal to a training that has done `epochs`; its exit code and its words."""
    process = subprocess.Popen(
        [*TRAINING, "--out", str(out)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    log, end = out / "log.jsonl", time.monotonic() + 120
    while time.monotonic() < end:
        if log.exists() and log.read_text().count('"event": "epoch"') >= epochs:
            break
        time.sleep(0.005)
    process.send_signal(number)
    _, words = process.communicate(timeout=120)
    return process.returncode, words


def scores(run: Run) -> list[tuple[float, ...]]:
    return [(row["loss"], row["val_loss"], row["val_accuracy"]) for row in run.history]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_training_goes_on_to_the_same_bits(
    number: signal.Signals, uninterrupted: Run, tmp_path: Path
) -> None:
    code, words = stop_after(2, number, tmp_path / "run")
    assert code == 128 + number
    assert f"hint: go on with: saccade resume {tmp_path / 'run'}" in words
    assert "Traceback" not in words
    assert not (tmp_path / "run" / "bundle").exists()
    with pytest.raises(UsageError, match="is unfinished"):
        api.predict(tmp_path / "run", tmp_path)
    run = api.resume(tmp_path / "run")
    weights = "bundle/model.safetensors"
    assert (run.path / weights).read_bytes() == (uninterrupted.path / weights).read_bytes()
    assert scores(run) == scores(uninterrupted)
    assert run.test == uninterrupted.test
