"""Faults injected into trainings: disks that fail, numbers that are none."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from saccade import api
from saccade.engine.checkpoint import load_checkpoint, save_checkpoint
from saccade.engine.step import Stepper
from saccade.errors import DivergedError, ResourceError
from saccade.runs.run import Run
from saccade.training import train

TINY = {"train.epochs": 2, "train.batch_size": 256, "model.name": "lenet5"}


def unforetold(*_: object) -> dict[str, Any]:
    """No plan, so that no step and no write but those of the training are counted."""
    return {}


def test_weights_that_are_not_finite_are_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    move = Stepper._optimizer_step

    def infinite(self: Stepper) -> None:
        nonlocal steps
        move(self)
        steps += 1
        if steps == 10:  # the last step of the second epoch: its loss was still finite
            self.optimizer.param_groups[0]["params"][0].data.view(-1)[0] = float("inf")

    monkeypatch.setattr(Stepper, "_optimizer_step", infinite)
    monkeypatch.setattr(train, "checked_plan", unforetold)
    with pytest.raises(DivergedError) as caught:
        api.train(with_=TINY, out=tmp_path / "run")
    assert caught.value.what.startswith(
        "model/weights/c1.weight has numbers that are not finite at step 5"
    )
    assert "digits/" in caught.value.what
    state, _ = load_checkpoint(tmp_path / "run" / "checkpoint")
    assert state["epoch"] == 1
    assert all(bool(t.isfinite().all()) for t in state["networks"]["model"]["weights"].values())


def failing(code: int, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file system fail with `code` at the fsync of everything after so many."""
    done, fsync = 0, os.fsync

    def broken(handle: int) -> None:
        nonlocal done
        done += 1
        if done > after:
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", broken)


@pytest.mark.parametrize("after", range(9))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_never_costs_the_last_good_checkpoint(
    code: int, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = torch.arange(1000.0)
    save_checkpoint(tmp_path, {"weight": good, "step": 0}, 0)
    saved = 0
    with monkeypatch.context() as broken:
        failing(code, after, broken)
        with pytest.raises(OSError, match=os.strerror(code)):
            for saved in range(1, 10):
                save_checkpoint(tmp_path, {"weight": good + saved, "step": saved}, saved)
    state, damaged = load_checkpoint(tmp_path)
    assert damaged == []
    assert saved - 1 <= state["step"] <= saved  # the last fsync may fail after the rename
    assert torch.equal(state["weight"], good + state["step"])


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_training_on_a_failing_disk_ends_with_what_was_kept_and_what_to_do(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(train, "checked_plan", unforetold)
        failing(code, 11, broken)  # recipe, classes, split, images; then four of a checkpoint
        with pytest.raises(ResourceError) as caught:
            api.train(with_=TINY | {"train.epochs": 4}, out=tmp_path / "run")
    assert caught.value.exit_code == 5
    assert os.strerror(code) in caught.value.what
    assert "the checkpoint of epoch 1, step 0 is whole" in caught.value.what
    assert f"saccade resume {tmp_path / 'run'}" in caught.value.hint
    whole = api.train(with_=TINY | {"train.epochs": 4}, out=tmp_path / "whole")
    resumed = api.resume(tmp_path / "run")
    assert weights(resumed) == weights(whole)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_from_the_first_is_found_before_the_training(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(code, 0, monkeypatch)
    with pytest.raises(ResourceError, match="cannot write to the folder") as caught:
        api.train(with_=TINY, out=tmp_path / "run")
    assert caught.value.exit_code == 5
    assert not (tmp_path / "run").exists()


def weights(run: Run) -> bytes:
    return (run.path / "bundle" / "model.safetensors").read_bytes()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.5 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1500k", "none", folder], capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_a_checkpoint_to_go_on_from(small_disk: Path, tmp_path: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(10))
    run = Run.create(small_disk / "run", "run")
    saved = 0
    with pytest.raises(OSError, match="No space left"):
        for saved in range(1, 50):
            save_checkpoint(run.path, {"weight": torch.full((60_000,), float(saved))}, saved)
            ballast.write_bytes(bytes(100_000 * saved))
    state, damaged = load_checkpoint(run.path)
    assert damaged == []
    assert saved >= 2
    assert torch.equal(state["weight"], torch.full((60_000,), float(saved))) or torch.equal(
        state["weight"], torch.full((60_000,), float(saved - 1))
    )
    assert not [file for file in run.path.iterdir() if file.name.startswith(".")]


def test_a_run_folder_that_vanishes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe = Stepper.observe

    def vanish(self: Stepper, number: float) -> None:
        observe(self, number)
        shutil.rmtree(tmp_path / "run")

    monkeypatch.setattr(Stepper, "observe", vanish)
    with pytest.raises(ResourceError, match="has vanished") as caught:
        api.train(with_=TINY, out=tmp_path / "run")
    assert caught.value.exit_code == 5
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(ResourceError, match="cannot be written to") as caught:
        api.train(tmp_path / "no-images-are-looked-for", out=tmp_path / "far" / "run")
    assert caught.value.hint == "name another one with --out"


def test_a_line_of_the_log_that_was_cut_short_costs_no_other(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.log("epoch", epoch=1)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"event": "epo')
    run.log("resumed", step=3)
    assert run.events("epoch") == [{"event": "epoch", "epoch": 1}]
    assert run.events("resumed") == [{"event": "resumed", "step": 3}]
