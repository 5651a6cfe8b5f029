"""A training that is killed, for the tests of what trackers make of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saccade.api import train
from saccade.training.logbook import Logbook

SHORT = {"train.epochs": 2, "train.batch_size": 64, "model.name": "logistic_regression"}
TAKEN = 34  # events: a look into the second of two epochs of 20 steps, before a checkpoint of it


@pytest.fixture
def short() -> dict[str, Any]:
    """Settings of a training of two epochs, 20 steps each, on the digits."""
    return SHORT


@pytest.fixture
def looks() -> list[int]:
    """After how many steps the loss is looked at: every tenth, and the last of an epoch."""
    return [1, 11, 20, 21, 31, 40]


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """The folder of a run that sends numbers to a tracker and is killed in its second epoch."""

    def begun(tracker: str) -> Path:
        record, steps_taken = Logbook.record, []

        def fall(self: Logbook, event: Any, *, read_losses: bool) -> None:
            if len(steps_taken) == TAKEN:
                raise KeyboardInterrupt
            steps_taken.append(event)
            record(self, event, read_losses=read_losses)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Logbook, "record", fall)
            train(with_=SHORT, track=[tracker], out=tmp_path / "run")
        return tmp_path / "run"

    return begun
