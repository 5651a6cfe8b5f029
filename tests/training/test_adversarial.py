"""Two networks with two optimizers: one loop, one log, one checkpoint, resumed to the same bits.

They are a tiny DCGAN (Radford 2015) on the embedded digits, trained as a run is.  As a program
this file trains them into a FOLDER and kills itself in a STEP.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.augmentation.augmentation import Augmentation, compose
from saccade.auto.resolve import resolve
from saccade.auto.summary import summarize
from saccade.data.batch import Batch
from saccade.data.sources import open_source
from saccade.data.splits import split_data
from saccade.engine.checkpoint import load_checkpoint, save_checkpoint
from saccade.engine.ema import EMA
from saccade.engine.loop import Position, Step, step_generator, train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.profile import TrainingCopy, profile_steps
from saccade.engine.schedule import constant
from saccade.engine.state import NetworkState, TrainState
from saccade.engine.step import Stepper
from saccade.engine.stopping import stop_requests
from saccade.errors import Stopped, WeightsError
from saccade.metrics.bootstrap import mean_of
from saccade.metrics.metric import Predicted, Quantity, Score
from saccade.models.layers.blocks import chain
from saccade.runs.run import Run
from saccade.training.prepare import TrainingSetup, prepare
from saccade.training.train import train_epochs
from saccade.training.view import CompositeView

NOISE, EPOCHS, STEPS = 16, 3, 5  # numbers drawn for an image; 269 images, 64 a step
SETTINGS = {
    "train.epochs": EPOCHS,
    "train.threads": 1,
    "data.augment": "",
    "model.name": "logistic_regression",
}


def generator() -> nn.Sequential:
    """[N,16,1,1] -> [N,1,28,28], -1 to 1"""
    return chain(
        project=nn.ConvTranspose2d(NOISE, 32, 7, bias=False),
        bn=nn.BatchNorm2d(32),
        relu=nn.ReLU(),
        pixels=nn.ConvTranspose2d(32, 1, 4, stride=4),
        tanh=nn.Tanh(),
    )


def discriminator() -> nn.Sequential:
    """[N,1,28,28] -> [N,1] logits of being real"""
    return chain(
        conv1=nn.Conv2d(1, 16, 4, stride=4),
        relu1=nn.LeakyReLU(0.2),
        conv2=nn.Conv2d(16, 16, 3, padding=1, bias=False),
        bn=nn.BatchNorm2d(16),
        relu2=nn.LeakyReLU(0.2),
        dropout=nn.Dropout(0.2),
        score=nn.Conv2d(16, 1, 7),
        flatten=nn.Flatten(),
    )


def noise(count: int) -> Tensor:
    """[count,16,1,1]"""
    return torch.randn(count, NOISE, 1, 1)


def scaled(images: Tensor) -> Tensor:
    """Pixels of 0 to 255 as -1 to 1.  [N,C,H,W] -> the same"""
    return images.float() / 127.5 - 1


def bce(logits: Tensor, target: float) -> Tensor:
    """Mean binary cross-entropy against one target for all.  [N,1] -> []"""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def discriminator_losses(networks: Mapping[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
    """Goodfellow 2014, Equation 1, as two cross-entropies."""
    with torch.no_grad():
        fakes = networks["generator"](noise(len(batch)))
    real = bce(networks["discriminator"](scaled(batch.images)), 1.0)
    fake = bce(networks["discriminator"](fakes), 0.0)
    return {"loss": real + fake, "real": real, "fake": fake}


def generator_losses(networks: Mapping[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
    """Goodfellow 2014, Section 3: the loss that does not saturate."""
    fakes = networks["generator"](noise(len(batch)))
    return {"loss": bce(networks["discriminator"](fakes), 1.0)}


def adversaries() -> TrainState:
    """Both networks with Adam and N(0, 0.02) for first weights, as Radford 2015, Section 4."""
    torch.manual_seed(0)
    networks = {"discriminator": discriminator(), "generator": generator()}
    for network in networks.values():
        for weight in network.parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, 0.0, 0.02)

    def stepper(model: nn.Module) -> Stepper:
        optimizer = OPTIMIZERS["adam"](parameter_groups(model, 0.0), 2e-4, 0.5)
        return Stepper(optimizer, constant(), EPOCHS * STEPS)

    losses = {"discriminator": discriminator_losses, "generator": generator_losses}
    states = {n: NetworkState(m, stepper(m), losses[n]) for n, m in networks.items()}
    generated = states["generator"]
    states["generator"] = replace(generated, ema=EMA(generated.model, 0.9))
    return TrainState(states, name="generator")


class Darkness:
    """How far generated images are from black, on average: a number that a log can watch."""

    score = Score("darkness", rises=False, unit="")

    def rows(self, predictions: Tensor, targets: Tensor) -> Predicted:
        mean = predictions.mean(dim=(1, 2, 3))
        return Predicted(mean, mean, targets, (mean + 1).double())

    def quantities(self, rows: Predicted) -> Iterator[Quantity]:
        yield Quantity("darkness", mean_of(rows.losses))


@dataclass(frozen=True)
class Generation:
    """What a log asks of a task."""

    kind = "generation"

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """An image from the same noise for each.  [N,C,H,W] -> [N,C,H,W]"""
        draws = torch.Generator().manual_seed(0)
        return model(torch.randn(len(images), NOISE, 1, 1, generator=draws))

    def metric(self) -> Darkness:
        return Darkness()


class Interrupted(Augmentation):
    """Images as they are; in the step of this number, from 0, this process gets a signal."""

    def __init__(self, step: int, number: int):
        self.left, self.number = step, number

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        if self.left == 0:
            os.kill(os.getpid(), self.number)
        self.left -= 1
        return batch


def prepared(augment: Augmentation) -> TrainingSetup:
    """Digits and splits as `saccade train` prepares them, with the two networks to train."""
    division = split_data(open_source(None), val=0.15, test=0.15, seed=0)
    settings = resolve("small", SETTINGS, summarize(division.train))
    few = replace(
        division, train=division.train[:269], val=division.val[:64], test=division.test[:9]
    )
    ready = prepare(settings.recipe, few, lambda done, total: None)
    return replace(ready, task=Generation(), state=adversaries(), augment=augment)  # type: ignore[arg-type]


def trained(folder: Path, step: int = -1, number: int = signal.SIGTERM) -> Run:
    """Train into `folder`, or go on there as `saccade resume` does."""
    torch.set_num_threads(1)
    ready = prepared(Interrupted(step, number))
    run = Run(folder) if folder.exists() else Run.create(folder, "dcgan")
    ready.recipe.save(folder / "recipe.toml", {})
    position, losses = Position(), {}
    if (folder / "checkpoint" / "latest.json").exists():
        state, _ = load_checkpoint(folder / "checkpoint")
        position, losses = ready.load_state_dict(state), state["losses"]
    with stop_requests() as request:
        train_epochs(run, ready, position, losses, CompositeView(), request)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("dcgan") / "whole")


def state_of(run: Run) -> dict[str, Any]:
    """All that its newest checkpoint holds, but for what the clock counted."""
    state, damaged = load_checkpoint(run.path / "checkpoint")
    assert damaged == []
    for network in state["networks"].values():
        assert network["stepper"].pop("seconds") > 0
    return state


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    elif isinstance(one, Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


def course(run: Run) -> list[dict[str, float]]:
    """The rows of its epochs, but for what the clock counted."""
    timed = ("seconds", "images_per_second")
    rows = [{k: v for k, v in row.items() if k not in timed} for row in run.history]
    assert [row["epoch"] for row in rows] == list(range(1, EPOCHS + 1))
    return rows


@pytest.mark.parametrize("step", [3, STEPS - 1, STEPS, 2 * STEPS + 2])
def test_two_networks_stopped_in_any_step_go_on_to_the_same_bits(
    step: int, whole: Run, tmp_path: Path
) -> None:
    with pytest.raises(Stopped, match="a checkpoint is in"):
        trained(tmp_path / "run", step)
    run = trained(tmp_path / "run")
    assert_same(state_of(run), state_of(whole))
    assert course(run) == course(whole)


def test_two_networks_killed_in_a_step_go_on_to_the_same_bits(whole: Run, tmp_path: Path) -> None:
    program = [sys.executable, __file__, str(tmp_path / "run"), str(STEPS + 2)]
    killed = subprocess.run(program, capture_output=True, text=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    state, _ = load_checkpoint(tmp_path / "run" / "checkpoint")
    assert (state["epoch"], state["step"]) == (1, 0)
    run = trained(tmp_path / "run")
    assert_same(state_of(run), state_of(whole))
    assert course(run) == course(whole)


def test_the_log_names_the_losses_of_each_network(whole: Run) -> None:
    first = course(whole)[0]
    names = ["discriminator/loss", "discriminator/real", "discriminator/fake", "generator/loss"]
    assert [name for name in first if "/" in name] == names
    total = first["discriminator/real"] + first["discriminator/fake"]
    assert first["discriminator/loss"] == pytest.approx(total)
    # with weights near 0 all logits are near 0, and each cross-entropy is near log 2
    assert first["discriminator/loss"] == pytest.approx(2 * math.log(2), abs=0.2)
    assert first["generator/loss"] == pytest.approx(math.log(2), abs=0.2)


def test_the_loop_steps_two_networks_as_a_loop_by_hand_does() -> None:
    """PyTorch's DCGAN tutorial in short: its own optimizers, and the same random draws."""
    ready, plain = prepared(compose([])), adversaries()
    events = train(ready.state, ready.loader, ready.augment, epochs=1, seed=7)
    steps = [event for event in events if isinstance(event, Step)]
    assert steps[0].lr == {"discriminator/lr": 2e-4, "generator/lr": 2e-4}
    d, g = (plain.networks[name].model.train() for name in ("discriminator", "generator"))
    of_d, of_g = (torch.optim.Adam(m.parameters(), 2e-4, (0.5, 0.999)) for m in (d, g))
    for step, batch in zip(steps, ready.loader.epoch(0), strict=True):
        step_generator(7, 0, step.step, torch.device("cpu"))
        ones, zeros = torch.ones(len(batch), 1), torch.zeros(len(batch), 1)
        fakes = g(noise(len(batch))).detach()
        d.zero_grad()
        real_loss = F.binary_cross_entropy_with_logits(d(batch.images.float() / 127.5 - 1), ones)
        fake_loss = F.binary_cross_entropy_with_logits(d(fakes), zeros)
        (real_loss + fake_loss).backward()
        of_d.step()
        g.zero_grad()
        generated = d(g(noise(len(batch))))
        g_loss = F.binary_cross_entropy_with_logits(generated, ones)
        g_loss.backward()
        of_g.step()
        assert step.losses["discriminator/loss"].item() == pytest.approx(
            (real_loss + fake_loss).item(), rel=1e-5
        )
        assert step.losses["generator/loss"].item() == pytest.approx(g_loss.item(), rel=1e-5)
    for name, model in (("discriminator", d), ("generator", g)):
        ours = ready.state.networks[name].model.state_dict()
        for key, value in model.state_dict().items():
            torch.testing.assert_close(ours[key], value, rtol=1e-4, atol=1e-6, msg=f"{name} {key}")


def test_a_plan_counts_the_seconds_and_bytes_of_both_networks() -> None:
    ready = prepared(compose([]))
    before = {k: v.clone() for k, v in ready.model.state_dict().items()}
    rehearsal = TrainingCopy.of(ready.state, ready.task, ready.loader, ready.augment)
    result = profile_steps(rehearsal, 64, 0, EPOCHS * STEPS, 0.2)
    g = 16 * 32 * 49 + 2 * 32 + 32 * 16 + 1  # weights of the generator's three rows, and a bias
    d = 16 * 16 + 16 + 16 * 16 * 9 + 2 * 16 + 16 * 49 + 1
    buffers = 4 * (2 * 32 + 2 * 16) + 2 * 8  # means, variances; counts of int64
    ema = 4 * (g + 2 * 32) + 8
    adam = 2 * 4 * (g + d) + 4 * (5 + 7)  # two moments, and a count of steps for each tensor
    assert result.resident_bytes == 4 * (g + d) + buffers + ema + adam
    assert result.step_seconds > 0 and result.eval_seconds > 0 and result.peak_bytes > 0
    assert_same(before, dict(ready.model.state_dict()))
    assert ready.stepper.steps_done == 0


def test_a_checkpoint_of_other_networks_is_refused(tmp_path: Path) -> None:
    ready = prepared(compose([]))
    state = ready.state_dict(Position(1, 0))
    older = {"model": ready.model.state_dict(), "descent": ready.stepper.state_dict()}
    for networks, words in ((None, "none"), ({"model": {}}, "model")):
        result = older | {"epoch": 1} if networks is None else state | {"networks": networks}
        save_checkpoint(tmp_path, result, 1)
        with pytest.raises(WeightsError) as caught:
            ready.load_state_dict(load_checkpoint(tmp_path)[0])
        what = f"the checkpoint holds the networks {words}; "
        assert caught.value.what == what + "the training has discriminator, generator"
        assert caught.value.hint == "train again into a new folder: --out NAME"


if __name__ == "__main__":
    trained(Path(sys.argv[1]), int(sys.argv[2]), signal.SIGKILL)
