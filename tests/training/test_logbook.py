"""What is done with a training that is watched: early ends, kept weights, looks into layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saccade.api import resume, train
from saccade.errors import RecipeError, UsageError
from saccade.runs.run import Run
from saccade.training.logbook import Logbook

# A steady rate without averages: the first epochs of a longer training are those of a shorter one.
STEADY = {
    "model.name": "logistic_regression",
    "optim.schedule": "constant",
    "optim.warmup": 0,
    "optim.lr": 0.03,
    "train.ema": 0,
}


def weights(run: Run) -> bytes:
    return (run.path / "bundle" / "model.safetensors").read_bytes()


def best_epoch(rows: list[dict[str, Any]]) -> int:
    """The first epoch of the highest validation accuracy."""
    return max(rows, key=lambda row: (row["val_accuracy"], -row["epoch"]))["epoch"]


def killed(
    monkeypatch: pytest.MonkeyPatch, events: int, settings: dict[str, Any], out: Path
) -> None:
    """A training that falls over after so many events."""
    record, events_seen = Logbook.record, []

    def fall(self: Logbook, event: Any, *, read_losses: bool) -> None:
        events_seen.append(event)
        if len(events_seen) == events:
            raise KeyboardInterrupt
        record(self, event, read_losses=read_losses)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Logbook, "record", fall)
        train(with_=settings, out=out)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twelve epochs with all weights as they came."""
    return train(with_=STEADY, epochs=12, out=tmp_path_factory.mktemp("whole") / "run")


def test_training_ends_when_validation_no_longer_improves(whole: Run, tmp_path: Path):
    accuracies = [row["val_accuracy"] for row in whole.history]
    expected = next(
        n for n in range(3, 13) if max(accuracies[: n - 2]) >= max(accuracies[n - 2 : n])
    )
    assert expected < 12
    run = train(with_=STEADY | {"train.patience": 2}, epochs=12, out=tmp_path / "run")
    assert len(run.history) == expected
    assert [row["val_accuracy"] for row in run.history] == accuracies[:expected]
    (best,) = run.events("checkpoint")
    assert (best["weights"], best["epoch"], best["stopped_early"]) == ("last", expected, True)


def test_the_best_weights_are_those_of_a_training_that_ends_there(whole: Run, tmp_path: Path):
    best = best_epoch(whole.history)
    assert best < 12
    kept = train(with_=STEADY | {"train.checkpoint": "best"}, epochs=12, out=tmp_path / "kept")
    shorter = train(with_=STEADY, epochs=best, out=tmp_path / "shorter")
    assert kept.events("checkpoint")[0]["epoch"] == best
    assert weights(kept) == weights(shorter)
    assert weights(kept) != weights(whole)


def test_the_last_weights_are_kept_unless_asked(whole: Run):
    (best,) = whole.events("checkpoint")
    assert (best["weights"], best["epoch"], best["stopped_early"]) == ("last", 12, False)


def test_a_resumed_training_ends_at_the_same_epoch_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = STEADY | {"train.patience": 2, "train.checkpoint": "best", "train.epochs": 12}
    once = train(with_=settings, out=tmp_path / "once")
    steps = 20 + 1  # of an epoch, and its end
    for name, events in (("midway", 2 * steps + 7), ("late", len(once.history) * steps - 3)):
        killed(monkeypatch, events, settings, tmp_path / name)
        again = resume(tmp_path / name)
        assert [r["val_accuracy"] for r in again.history] == [
            r["val_accuracy"] for r in once.history
        ]
        assert weights(again) == weights(once)


def test_a_training_killed_after_its_early_end_does_no_further_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = STEADY | {"train.patience": 2, "train.epochs": 12}
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("saccade.training.train.finish", _fall)
        train(with_=settings, out=tmp_path / "run")
    before = len(Run(tmp_path / "run").events("epoch"))
    run = resume(tmp_path / "run")
    assert len(run.events("epoch")) == before < 12
    assert run.events("finished")


def test_a_training_that_ended_early_goes_on_where_more_epochs_are_asked_for(tmp_path: Path):
    settings = STEADY | {"train.patience": 2, "train.epochs": 12}
    done = len(train(with_=settings, out=tmp_path / "run").history)
    with pytest.raises(UsageError, match=f"ended after {done} of its 12 epochs"):
        resume(tmp_path / "run", epochs=12)
    run = resume(tmp_path / "run", epochs=done + 1)  # patience for two bears one
    assert len(run.history) == done + 1
    whole = train(with_=STEADY, epochs=done + 1, out=tmp_path / "whole")
    assert weights(run) == weights(whole)


def _fall(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_looks_into_layers_leave_the_weights_as_they_are(tmp_path: Path):
    settings = {"train.epochs": 2, "model.name": "lenet5"}
    plain = train(with_=settings, out=tmp_path / "plain")
    looked = train(with_=settings | {"train.layer_statistics": 1}, out=tmp_path / "looked")
    assert weights(plain) == weights(looked)
    assert "layers" not in plain.history[0]
    rows = looked.history[1]["layers"]
    assert [row["name"] for row in rows][:3] == ["normalize", "c1", "relu1"]
    c1, relu1 = rows[1:3]
    assert c1["gradient"] > 0 and 0 < c1["update"] < 1 and c1["dead"] is None
    assert relu1["units"] == 6 and 0 <= relu1["dead"] <= 1 and relu1["weight"] is None


def test_layers_are_looked_into_every_so_many_epochs(tmp_path: Path):
    settings = {
        "train.epochs": 5,
        "train.layer_statistics": 2,
        "model.name": "logistic_regression",
    }
    run = train(with_=settings, out=tmp_path / "run")
    assert [row["epoch"] for row in run.history if "layers" in row] == [2, 4]


def test_a_dead_layer_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    settings = {"train.epochs": 1, "train.layer_statistics": 1, "model.name": "mlp"}
    train(with_=settings | {"model.init": "zero"}, out=tmp_path / "run")
    stderr = capfd.readouterr().err
    assert "100 % of its" in stderr and "never fire" in stderr
    assert "learns nothing: its gradient is 0" in stderr


@pytest.mark.parametrize("name", ["train.patience", "train.layer_statistics"])
def test_numbers_of_epochs_are_not_negative(name: str, tmp_path: Path):
    with pytest.raises(RecipeError, match=f"{name} cannot be '-1'"):
        train(with_={name: -1}, out=tmp_path / "run")
