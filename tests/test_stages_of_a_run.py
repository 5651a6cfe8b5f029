"""Stages in a whole run: told, planned, stopped anywhere, extended."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from saccade import api, cli
from saccade.errors import RecipeError, Stopped, UsageError
from saccade.recipes.recipe import Recipe
from saccade.recipes.shipped import RECIPES
from saccade.runs.run import Run
from saccade.training.logbook import Logbook

TINY = {"train.batch_size": 256, "model.name": "lenet5", "optim.layer_decay": 0.8}
STAGES = "head:2 conv2:1 all"  # of lenet5
EPOCHS = 4


def trained(out: Path, **changes: str) -> Run:
    return api.train(stages=STAGES, epochs=EPOCHS, with_=TINY | changes, out=out)


def weights(run: Run) -> bytes:
    return (run.path / "bundle" / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("whole") / "run")


def test_log_and_report_say_which_stage_an_epoch_belongs_to(
    whole: Run, capsys: pytest.CaptureFixture
) -> None:
    """The numbers are those of LeCun 1998, Figure 2: 850 in the last layer, 156 in the first."""
    assert [row["stage"] for row in whole.history] == ["head", "head", "conv2", "all"]
    facts = [{k: v for k, v in f.items() if k != "event"} for f in whole.events("stage")]
    every = 61_706
    assert facts == [
        dict(number=1, stage="head", epoch=1, epochs=2, trainable=850, weights=every),
        dict(number=2, stage="conv2", epoch=3, epochs=1, trainable=every - 156, weights=every),
        dict(number=3, stage="all", epoch=4, epochs=1, trainable=every, weights=every),
    ]
    report = (whole.path / "report.html").read_text()
    assert "head in epochs 1 to 2, then conv2 in epoch 3, then all in epoch 4" in report
    assert whole.recipe.model.stages == ("head:2", "conv2:1", "all")


def test_the_terminal_says_when_a_stage_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    trained(tmp_path / "run")
    said = capsys.readouterr().err
    assert "stage 2 of 3: conv2 in epoch 3; 61,550 of 61,706 weights learn" in said


@pytest.mark.parametrize(("epoch", "step"), [(1, 3), (2, 0), (2, 2), (3, 0), (3, 1)])
def test_a_run_stopped_within_or_between_stages_ends_in_the_same_bits(
    whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int, step: int
) -> None:
    record = Logbook.record

    def interrupted(self: Logbook, *event: object, read_losses: bool) -> None:
        record(self, *event, read_losses=True)  # type: ignore[arg-type]
        if (self.position.epoch, self.position.step) == (epoch, step):
            raise self.stop(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Logbook, "record", interrupted)
        with pytest.raises(Stopped):
            trained(tmp_path / "run")
    again = api.resume(tmp_path / "run")
    assert weights(again) == weights(whole)
    assert [row["loss"] for row in again.history] == [row["loss"] for row in whole.history]


def test_a_longer_training_does_not_freeze_what_has_learned(tmp_path: Path) -> None:
    """Shared out anew, two stages of six epochs would freeze what learned in epoch 3."""
    api.train(stages="head all", epochs=4, with_=TINY, out=tmp_path / "run")
    longer = api.resume(tmp_path / "run", epochs=6)
    stages = [row["stage"] for row in longer.history]
    assert stages == ["head", "head", "all", "all", "all", "all"]
    assert longer.recipe.model.stages == ("head:2", "all")
    assert longer.origins["model.stages"] == "resume, 4 epochs before"


def test_a_plan_knows_the_stages(capsys: pytest.CaptureFixture) -> None:
    command = ["plan", "--stages", STAGES, "--epochs", "4"]
    assert cli.main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = [stage["stage"] for stage in found["stages"]]
    assert names == ["head in epochs 1 to 2", "conv2 in epoch 3", "all in epoch 4"]
    each = [stage["epoch_seconds"] for stage in found["stages"]]
    assert found["epoch_seconds"] == each[-1]
    assert found["seconds"] > 2 * each[0] + each[1] + each[2]
    assert cli.main(command) == 0
    assert "in stages" in capsys.readouterr().out


def test_what_cannot_be_is_refused_before_an_image_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = "saccade.training.prepare.decode_all"
    monkeypatch.setattr(decoded, lambda *_, **__: pytest.fail("decoded"))

    def refused(kind: type, stages: str, **flags: object) -> str:
        with pytest.raises(kind) as caught:
            api.train(stages=stages, out=tmp_path / "run", **flags)  # type: ignore[call-overload]
        return f"{caught.value.what}; {caught.value.hint}"

    assert "did you mean conv2" in refused(UsageError, "head conv22 all", epochs=9)
    assert "releases nothing" in refused(RecipeError, "conv1 conv2", epochs=9)
    assert "at least 3 epochs, and there are 2" in refused(RecipeError, "head f6 all", epochs=2)
    assert "counted in epochs" in refused(RecipeError, "head all", minutes=1)
    assert not (tmp_path / "run").exists()


def test_one_stage_of_all_is_what_every_training_was(tmp_path: Path) -> None:
    """The recipe of fine-tuning fits its head and goes on with all, in one stage of epochs."""
    assert [stage.name for stage in Recipe().stages] == ["all"]
    assert [stage.name for stage in RECIPES["finetune"]().stages] == ["all"]
    assert RECIPES["finetune"]().model.stages == ("head", "all")
    run = api.train(epochs=1, with_=TINY, out=tmp_path / "run")
    assert run.events("stage") == []
    assert "stage" not in run.history[0]
