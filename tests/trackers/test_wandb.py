"""Weights & Biases keeps a training offline; skipped where it is not installed, being large."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from saccade.api import resume
from saccade.errors import UsageError
from saccade.trackers.tracker import trackers

wandb = pytest.importorskip("wandb")
pytestmark = pytest.mark.filterwarnings("default")  # of its own making


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No account and no service."""
    for name in ("WANDB_DIR", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)


def chunks(data: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log: crc, length and kind before each part, blocks of 32 KiB."""
    place, parts = 7, b""  # after the file's own head
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """The numbers in the transaction logs of all offline runs, a dict a call."""
    from wandb.proto import wandb_internal_pb2  # pyright: ignore[reportMissingImports]

    for path in sorted(folder.rglob("run-*.wandb")):
        for chunk in chunks(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(chunk)
            items = record.history.item
            if items:
                keys = [item.key or "/".join(item.nested_key) for item in items]
                yield dict(zip(keys, (json.loads(item.value_json) for item in items)))


def test_an_offline_run_has_a_killed_and_resumed_training_once(
    killed: Callable[[str], Path],
    looks: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = resume(killed("wandb"))
    result = list(records(tmp_path))
    assert [fact["_step"] for fact in result if "step/loss" in fact] == looks
    losses = [fact["epoch/val_loss"] for fact in result if "epoch/val_loss" in fact]
    assert losses == [row["val_loss"] for row in run.history]
    assert [fact["test/n"] for fact in result if "test/n" in fact] == [run.test.n]


def test_without_an_account_it_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    with pytest.raises(UsageError, match="knows no account") as caught:
        trackers(["wandb"])
    assert "WANDB_MODE=offline" in caught.value.hint
