"""Trainings ended by a time limit, and extended later."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from rich.progress import Progress

from saccade import api
from saccade.auto.resolve import resolve
from saccade.auto.summary import DatasetSummary
from saccade.engine.checkpoint import load_checkpoint
from saccade.engine.schedule import cosine, with_warmup
from saccade.engine.step import Stepper
from saccade.errors import Stopped, UsageError
from saccade.recipes.recipe import Recipe
from saccade.recipes.training import ENDLESS
from saccade.runs.run import Run
from saccade.terminal import TimeLeft
from saccade.training.logbook import Logbook

GREY = DatasetSummary(short_side=8, grey=True)
TINY = {"train.batch_size": 256, "model.name": "lenet5", "data.doctor": "off"}


def weights(run: Run) -> bytes:
    return (run.path / "bundle" / "model.safetensors").read_bytes()


def test_the_time_limit_decides_unless_epochs_were_asked_for(tmp_path: Path) -> None:
    by_time = resolve(None, {"train.minutes": 10}, GREY)
    assert by_time.recipe.train.epochs == ENDLESS
    assert "time limit" in by_time.origins["train.epochs"]
    both = resolve(None, {"train.minutes": 10, "train.epochs": 5}, GREY)
    assert both.recipe.train.epochs == 5
    (tmp_path / "mine.toml").write_text("[train]\nminutes = 3\nepochs = 7\n")
    assert resolve(tmp_path / "mine.toml", {}, GREY).recipe.train.epochs == 7
    assert resolve(None, {}, GREY).recipe.train.epochs == 40  # as the recipe small says


@pytest.fixture
def a_second_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of a training, whatever the machine does meanwhile."""
    monkeypatch.setattr(Stepper, "seconds", property(lambda self: float(self.steps_done)))


@pytest.mark.usefixtures("a_second_a_step")
def test_minutes_end_a_training_and_its_schedule(tmp_path: Path) -> None:
    """Of 12 steps, 5 an epoch: the last epoch has 2."""
    run = api.train(minutes=0.2, with_=TINY, out=tmp_path / "run")
    assert len(run.history) == 3
    checkpoint, _ = load_checkpoint(run.path / "checkpoint")
    assert checkpoint["networks"]["model"]["stepper"]["steps_done"] == 12
    assert run.recipe.train.epochs == ENDLESS
    assert run.finished


def test_time_left_is_by_the_clock_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saccade.terminal.time.monotonic", lambda: 1000.0)
    progress = Progress(disable=True)
    clocked = progress.add_task("", total=600, ends=1065.0)
    unclocked = progress.add_task("", total=600, ends=None)
    column = TimeLeft()
    assert column.render(progress.tasks[clocked]).plain == "1:05 left"
    assert column.render(progress.tasks[unclocked]).plain == ""


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of two epochs; changed by the test that extends it."""
    return api.train(epochs=2, with_=TINY, out=tmp_path_factory.mktemp("short") / "run")


def test_a_finished_run_goes_on_for_more_epochs(
    short: Run, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="is finished"):
        api.resume(short.path)
    with pytest.raises(UsageError, match="has trained for 2 epochs, which is not less than 2"):
        api.resume(short.path, epochs=2)
    before, report = weights(short), (short.path / "report.html").read_bytes()

    close = Logbook._end_epoch

    def interrupted(self: Logbook, *event: object) -> None:
        close(self, *event)  # type: ignore[arg-type]
        raise self.stop(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Logbook, "_end_epoch", interrupted)
        with pytest.raises(Stopped, match="stopped in epoch 4 of 4"):
            api.resume(short.path, epochs=4)
    halfway = Run.open(short.path)
    assert not halfway.finished
    assert weights(halfway) == before, "the old bundle stays until the new one is whole"
    assert (short.path / "report.html").read_bytes() == report
    run = api.resume(short.path)
    assert run.finished
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4]
    assert weights(run) != before
    assert run.recipe.train.epochs == 4
    assert run.origins["train.epochs"] == "resume, 2 epochs before"
    [fact] = run.events("extended")
    lr = float(run.recipe.optim.lr) * with_warmup(cosine(), 0.1)(0.5)  # halfway
    note = (
        f"4 epochs in place of 2 epochs: the learning rate goes on at {lr:.3g}, that of schedule "
    )
    assert fact["note"] == note + "cosine at 50 % of the training"
    page = (run.path / "report.html").read_text().replace("\u00a0", " ")
    assert fact["note"] in page
    assert note in " ".join(capsys.readouterr().err.split())


def test_an_unfinished_run_takes_another_number_of_epochs(tmp_path: Path) -> None:
    """With a constant rate the length changes nothing but the length."""
    steady = TINY | {"optim.schedule": "constant", "optim.warmup": 0}
    whole = api.train(epochs=3, with_=steady, out=tmp_path / "whole")
    api.train(epochs=2, with_=steady, out=tmp_path / "run")
    longer = api.resume(tmp_path / "run", epochs=3)
    assert weights(longer) == weights(whole)
    assert longer.test == whole.test


@pytest.mark.usefixtures("a_second_a_step")
def test_the_end_of_a_clock_does_not_bind_an_extended_run(tmp_path: Path) -> None:
    run = api.train(epochs=50, minutes=0.1, with_=TINY, out=tmp_path / "run")
    done = len(run.history)
    assert done == 2  # of 5 steps, and of 1
    longer = api.resume(run.path, epochs=done + 1)
    assert len(longer.history) == done + 1
    assert longer.recipe.train == Recipe.load(run.path / "recipe.toml").train
    assert longer.recipe.train.minutes == 0
    lines = (run.path / "log.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["event"] for line in lines]
    assert kinds.count("finished") == 2
