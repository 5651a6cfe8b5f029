"""TensorBoard reads what a training wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saccade.api import resume, train
from saccade.logbook import Logbook
from saccade.runs import Run

SHORT = {"train.epochs": 2, "model.name": "logistic_regression"}
LOOKS = [1, 11, 20, 21, 31, 40]  # of two epochs of 20 steps

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def events(run: Run) -> Any:
    found = accumulator.EventAccumulator(str(run.path / "tensorboard"))
    return found.Reload()


def test_tensorboard_has_every_look_and_epoch_and_the_result(tmp_path: Path):
    run = train(with_=SHORT, track=["tensorboard"], out=tmp_path / "run")
    read = events(run)
    assert [event.step for event in read.Scalars("step/loss")] == LOOKS
    assert [event.step for event in read.Scalars("epoch/val_loss")] == [20, 40]
    told = [event.value for event in read.Scalars("epoch/val_loss")]
    assert told == pytest.approx([row["val_loss"] for row in run.history], rel=1e-6)
    assert read.Scalars("test/n")[0].value == run.test.n
    assert b"optim.lr" in read.Tensors("settings/text_summary")[0].tensor_proto.string_val[0]


def test_a_resumed_training_goes_on_in_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    take, taken = Logbook.take, []

    def fall(self: Logbook, event: Any, *, look: bool) -> None:
        taken.append(event)
        if len(taken) == 35:
            raise KeyboardInterrupt
        take(self, event, look=look)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Logbook, "take", fall)
        train(with_=SHORT, track=["tensorboard"], out=tmp_path / "run")
    run = resume(tmp_path / "run")
    assert [event.step for event in events(run).Scalars("step/loss")] == LOOKS
    assert [event.step for event in events(run).Scalars("epoch/loss")] == [20, 40]
