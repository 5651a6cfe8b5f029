"""Plans: what is foretold is what then happens, and foretelling changes nothing."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from saccade import api, cli
from saccade.data.item import ImageArray, Item
from saccade.engine import profile as pacing
from saccade.engine.memory import INFERENCE_BYTES, LiveTensors
from saccade.engine.profile import extrapolate
from saccade.engine.schedule import constant
from saccade.engine.state import supervised
from saccade.engine.step import Stepper
from saccade.errors import ResourceError
from saccade.runs.run import Run
from saccade.training import train
from saccade.training.plan import sample
from saccade.training.watch import refuse_too_little_disk

TINY = {"train.batch_size": 256, "model.name": "lenet5", "train.epochs": 2}
LENET = 156 + 2_416 + 48_120 + 10_164 + 850  # parameters of its five layers, by hand


def test_living_counts_what_a_forward_and_a_backward_hold() -> None:
    """By hand: 1000 numbers of 4 bytes; relu keeps its result, the sum's gradient is expanded."""
    x = torch.ones(1000, requires_grad=True)
    with LiveTensors() as living:
        y = x.relu()
        assert living.storages.current == 4000
        z = y * 2
        assert living.storages.current == 8000
        del z
        assert living.storages.current == 4000
        y.sum().backward()
        assert x.grad is not None
    assert living.storages.peak == 4000 + 4 + 4 + 4000  # relu, sum, the gradient of one, that of x


def test_memory_shared_by_views_is_counted_once() -> None:
    with LiveTensors() as living:
        a = torch.zeros(100)
        b = a.view(10, 10).t()
        assert living.storages.current == 400
        del a
        gc.collect()
        assert living.storages.current == 400
        del b
    assert (living.storages.current, living.storages.peak) == (0, 400)


def test_a_line_goes_through_the_last_two_points() -> None:
    assert extrapolate([4, 8], [10.0, 14.0], 16) == 22
    assert extrapolate([4, 8, 16], [9.0, 14.0, 20.0], 32) == 32
    assert extrapolate([4, 8], [10.0, 14.0], 8) == 14
    assert extrapolate([4], [10.0], 2) == 5
    assert extrapolate([4, 8], [14.0, 10.0], 64) == 10  # noise gives no time back


def weights(run: Run) -> bytes:
    return (run.path / "bundle" / "model.safetensors").read_bytes()


def test_foretelling_changes_no_bit_of_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropping = TINY | {"train.ema": "auto", "optim.schedule": "plateau"}
    with_plan = api.train(with_=dropping, out=tmp_path / "with")
    with monkeypatch.context() as patched:
        patched.setattr(train, "checked_plan", lambda setup, out, view: {})
        without = api.train(with_=dropping, out=tmp_path / "without")
    assert with_plan.events("plan")[0]["largest_batch"] > 0
    assert "largest_batch" not in without.events("plan")[0]
    assert weights(with_plan) == weights(without)


def test_foretelling_leaves_the_chance_of_the_program_alone(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    api.plan(with_=TINY)
    assert torch.equal(torch.rand(4), expected)


def test_a_plan_is_printed_and_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plan", "--epochs", "7", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert not (tmp_path / "runs").exists()
    assert list(tmp_path.iterdir()) == []
    assert result["parameters"] == LENET
    assert result["epochs"] == 7
    assert sum(result["images"].values()) == 1797
    assert result["decode_seconds"] > 0
    whole = result["epochs"] * result["epoch_seconds"] + result["decode_seconds"]
    assert result["seconds"] >= whole
    assert cli.main(["plan", "--epochs", "7"]) == 0
    output = capsys.readouterr().out
    assert "61,706 parameters" in output
    assert "7 epochs" in output


def test_a_plan_of_no_epochs_tells_of_none(capsys: pytest.CaptureFixture) -> None:
    fitted = ["--with", "model.head=ridge", "--epochs", "0"]
    assert cli.main(["plan", *fitted, "--model", "lenet5"]) == 0
    output = capsys.readouterr().out
    assert "epoch" not in output
    assert output.splitlines()[-1].endswith(", measuring")


def test_without_an_epoch_the_memory_is_that_of_inference() -> None:
    """LeNet-5's weights and what is planned for its maps: no gradient, no moment, no batch."""
    plan = api.plan(with_={"model.name": "lenet5", "model.head": "logistic", "train.epochs": 0})
    assert plan.memory == 4 * LENET + INFERENCE_BYTES["cpu"]
    assert "per step" not in dict(plan.rows())["memory"]


def test_a_plan_says_how_many_epochs_the_clock_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = api.plan(with_=TINY | {"train.epochs": 1_000_000}, minutes=2)
    assert plan.epochs == pytest.approx(120 / plan.epoch_seconds, abs=1)
    assert plan.epochs < 1_000_000


def test_a_short_training_is_not_kept_waiting_by_its_plan() -> None:
    """A clock that a test sets: every step takes a second, however large."""
    now = 0.0

    class Steady(pacing.TrainingCopy):
        def step(self, images: int) -> float:
            nonlocal now
            now += 1.0
            return 1.0

    model = nn.Linear(2, 2)
    stepper = Stepper(torch.optim.SGD(model.parameters(), 0.1), constant(), 1)
    state = supervised(model, model, stepper)  # type: ignore[arg-type]
    rehearsal = Steady(state, *[model] * 3, torch.arange(10))  # type: ignore[arg-type]
    began = now
    rehearsal.profile_batches(1024, lambda: now - began > 0.02 * 100)  # a training of 100 seconds
    assert rehearsal.sizes == [4, 8]
    rehearsal.sizes.clear()
    began = now
    rehearsal.profile_batches(32, lambda: now - began > 20)
    assert rehearsal.sizes == [4, 8, 16, 32]
    assert now - began == pytest.approx(21)  # the last size until the time was up


def test_a_disk_that_is_too_small_is_found_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_too_little_disk(tmp_path, 1000)
    monkeypatch.setattr("saccade.training.watch.free_disk", lambda folder: 3_900_000)
    with pytest.raises(ResourceError, match=r"3\.9 MB are free") as caught:
        api.train(with_=TINY, out=tmp_path / "run")
    assert caught.value.exit_code == 5
    assert not (tmp_path / "run").exists()


def test_a_sample_has_some_of_every_class_and_a_few_batches() -> None:
    image = ImageArray.__new__(ImageArray)
    items = tuple(Item(str(k), "rare" if k == 777 else "often", image) for k in range(1000))
    result = sample(items, 8)
    assert {item.label for item in result} == {"rare", "often"}
    assert 32 <= len(result) <= 40
    numbers = tuple(Item(str(k), float(k), image) for k in range(1000))
    assert len(sample(numbers, 8)) <= 40
