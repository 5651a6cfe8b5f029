"""Trainings that were typed, and ended by a signal: what they say, and that they go on exactly."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from saccade import api, cli
from saccade.engine.loop import Epoch, Step
from saccade.errors import UsageError
from saccade.runs.run import Run
from saccade.training.logbook import Logbook

EPOCHS = 3
TRAINING = ["train", "--epochs", str(EPOCHS), "--seed", "5", "--with", "data.doctor=off"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("whole") / "run"
    settings = {"data.doctor": "off"}
    return api.train(epochs=EPOCHS, seed=5, with_=settings, out=out)


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command takes signals for itself; other tests want them as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def scores(run: Run) -> list[tuple[float, ...]]:
    return [(row["loss"], row["val_loss"], row["val_accuracy"]) for row in run.history]


@pytest.mark.parametrize(
    ("number", "where"), [(signal.SIGINT, (1, 4)), (signal.SIGTERM, (2, None))]
)
def test_a_stopped_training_goes_on_to_the_same_bits(
    number: signal.Signals,
    where: tuple[int, int | None],
    uninterrupted: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A signal comes at the fifth step of the second epoch, or between two epochs."""
    record = Logbook.record

    def interrupted(self: Logbook, event: Step | Epoch, *, read_losses: bool) -> None:
        record(self, event, read_losses=read_losses)
        if (event.epoch + isinstance(event, Epoch), getattr(event, "step", None)) == where:
            signal.raise_signal(number)

    with monkeypatch.context() as patched:
        patched.setattr(Logbook, "record", interrupted)
        assert cli.main([*TRAINING, "--out", str(tmp_path / "run")]) == 128 + number
    words = capfd.readouterr().err
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
