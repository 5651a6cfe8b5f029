from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from saccade.api import lr_find, plan, resume, train
from saccade.cli import main
from saccade.engine.distributed.world import SingleProcess
from saccade.engine.lr_find import LRPoint
from saccade.errors import DivergedError, RecipeError, UsageError
from saccade.recipes.recipe import Recipe
from saccade.training.lr_find import LRFindResult
from saccade.training.prepare import claim_device

TINY = {
    "data.doctor": "off",
    "data.per_class": 30,
    "data.held_out_per_class": 5,
    "train.epochs": 2,
}
LINE = TINY | {"model.name": "logistic_regression", "train.precision": "float32"}


def test_a_range_test_suggests_a_rate_and_keeps_only_its_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lr-find", "--model", "logistic_regression", "--out", "rates.svg", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    losses = {point["lr"]: point["smoothed_loss"] for point in output["points"]}
    assert output["lr"] == pytest.approx(min(losses, key=losses.__getitem__) / 10, rel=0.05)
    assert output["lr"] == float(f"{output['lr']:.2g}")
    assert sorted(losses) == list(losses)
    assert [path.name for path in tmp_path.iterdir()] == ["rates.svg"]
    assert "learning rate" in (tmp_path / "rates.svg").read_text()


def test_the_end_of_a_range_test_is_said_and_where_its_plot_is(tmp_path: Path) -> None:
    points = tuple(LRPoint(lr, loss, loss) for lr, loss in ((0.01, 1.0), (0.1, 0.5), (1.0, 2.5)))
    result = LRFindResult(0.01, "lenet5", "sgd", 32, points, tmp_path / "plot.svg")
    assert dict(result.rows())["range test"] == "3 steps up from 1e-02; diverged at 1"
    assert dict(result.rows())["plot"] == str(tmp_path / "plot.svg")
    calm = replace(result, points=points[:2])
    assert dict(calm.rows())["range test"] == "2 steps up from 1e-02; did not diverge"


def test_what_has_no_rate_or_no_image_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither PNG nor SVG"):
        lr_find(out=tmp_path / "rates.jpg")
    with pytest.raises(RecipeError, match="fitted without a learning rate"):
        lr_find(model="hog", out=tmp_path / "rates.svg")


def test_a_training_at_rate_auto_is_one_at_the_rate_that_lr_find_suggests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suggested = lr_find(with_=LINE, out=tmp_path / "rates.svg").lr
    result = train(with_=LINE | {"optim.lr": "auto"}, out=tmp_path / "found")
    assert f"optim.lr={suggested:.2g}: a tenth of" in capsys.readouterr().err
    assert result.recipe.optim.lr == suggested
    assert result.origins["optim.lr"].startswith("found: a tenth of")
    fixed = train(with_=LINE | {"optim.lr": suggested}, out=tmp_path / "given")
    weights = "bundle/model.safetensors"
    assert (result.path / weights).read_bytes() == (fixed.path / weights).read_bytes()
    losses = [[row["loss"] for row in run.history] for run in (result, fixed)]
    assert losses[0] == losses[1]
    later = [resume(run.path, epochs=3) for run in (result, fixed)]
    assert later[0].recipe.optim.lr == suggested
    assert (result.path / weights).read_bytes() == (fixed.path / weights).read_bytes()
    assert [len(run.history) for run in later] == [3, 3]


def test_a_plan_counts_the_sweep(tmp_path: Path) -> None:
    costs = plan(with_=LINE | {"optim.lr": "auto"}, out=tmp_path / "none")
    assert costs.seconds > 200 * costs.step_seconds
    assert not (tmp_path / "none").exists()


def test_where_no_rate_lowers_the_loss_rate_auto_makes_no_run(tmp_path: Path) -> None:
    unable = {"model.name": "lenet5", "model.init": "zero", "optim.lr": "auto"}
    with pytest.raises(
        DivergedError, match="no learning rate of the range test lowered the loss"
    ) as caught:
        train(with_=TINY | unable, out=tmp_path / "none")
    assert caught.value.hint == "set optim.lr to a number"
    assert not (tmp_path / "none").exists()


def test_what_is_fitted_in_one_go_has_no_rate_to_find() -> None:
    for fitted in ({"model.name": "hog"}, {"train.epochs": 0, "model.head": "ridge"}):
        with pytest.raises(RecipeError, match=r"optim\.lr does nothing"):
            train(with_=TINY | fitted | {"optim.lr": "auto"})


def test_several_processes_look_for_no_rate() -> None:
    class Two(SingleProcess):
        size = 2

    recipe = Recipe().with_({"optim.lr": "auto", "train.device": "cpu"})
    with pytest.raises(RecipeError, match="auto does not go with several processes"):
        claim_device(recipe, Two())
