"""TensorBoard reads what a training wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saccade.api import resume, train
from saccade.runs.run import Run

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def events(run: Run) -> Any:
    result = accumulator.EventAccumulator(str(run.path / "tensorboard"))
    return result.Reload()


def test_tensorboard_has_every_look_and_epoch_and_the_result(
    short: dict[str, Any], looks: list[int], tmp_path: Path
):
    run = train(with_=short, track=["tensorboard"], out=tmp_path / "run")
    read = events(run)
    assert [event.step for event in read.Scalars("step/loss")] == looks
    assert [event.step for event in read.Scalars("epoch/val_loss")] == [20, 40]
    losses = [event.value for event in read.Scalars("epoch/val_loss")]
    assert losses == pytest.approx([row["val_loss"] for row in run.history], rel=1e-6)
    assert read.Scalars("test/n")[0].value == run.test.n
    assert b"optim.lr" in read.Tensors("settings/text_summary")[0].tensor_proto.string_val[0]


def test_a_resumed_training_goes_on_in_tensorboard(killed: Callable[[str], Path], looks: list[int]):
    run = resume(killed("tensorboard"))
    assert [event.step for event in events(run).Scalars("step/loss")] == looks
    assert [event.step for event in events(run).Scalars("epoch/loss")] == [20, 40]
