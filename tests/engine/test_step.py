from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.data.batch import Batch
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.data.targets import Boxes
from saccade.engine import step as module
from saccade.engine.checkpoint import load_checkpoint, save_checkpoint
from saccade.engine.loop import Epoch, Position, Step, train
from saccade.engine.optim import OPTIMIZERS, Lookahead, parameter_groups
from saccade.engine.schedule import ReduceOnPlateau, constant, linear
from saccade.engine.state import supervised
from saccade.engine.step import Stepper
from saccade.models.layers.blocks import chain
from saccade.tasks.classification import Classification

StepOn = Callable[[Stepper, Tensor], None]

TASK = Classification(("a", "b", "c"), label_smoothing=0.1)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return chain(conv=nn.Conv2d(1, 3, 3), relu=nn.ReLU(), flatten=nn.Flatten(), fc=nn.Linear(48, 3))


def batch(n: int = 10) -> Batch:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(n, 1, 6, 6, generator=generator)
    return Batch(images, torch.randint(0, 3, (n,), generator=generator), torch.arange(n))


def plain(weight: nn.Parameter, **settings) -> Stepper:
    return Stepper(torch.optim.SGD([weight], lr=1.0), constant(), total_steps=100, **settings)


class Clock:
    """A clock that is set by hand, in seconds."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    set_by_hand = Clock()
    monkeypatch.setattr(module, "time", set_by_hand)
    return set_by_hand


@pytest.mark.parametrize("size", [1, 3, 4, 9, 10, 64])
def test_the_gradient_of_micro_batches_is_that_of_the_whole_batch(size: int) -> None:
    def gradient(micro_batch: int) -> tuple[list[Tensor], float]:
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        stepper = Stepper(optimizer, constant(), 1, micro_batch=micro_batch)
        losses = stepper.train_step(partial(TASK.losses, model), batch())
        return [p.grad for p in model.parameters() if p.grad is not None], losses["loss"].item()

    (whole, loss), (parts, loss_of_parts) = gradient(0), gradient(size)
    assert len(whole) == 4
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-7)
    assert loss_of_parts == pytest.approx(loss, rel=1e-6)


def test_micro_batches_are_as_equal_as_can_be_and_none_is_larger_than_allowed() -> None:
    lengths: list[int] = []

    def losses_of(part: Batch) -> dict[str, Tensor]:
        lengths.append(len(part))
        return {"loss": (weight * part.images).mean()}

    weight = nn.Parameter(torch.ones(()))
    plain(weight, micro_batch=4).train_step(losses_of, batch(9))
    assert lengths == [3, 3, 3]  # not 4, 4, 1: batch normalisation cannot learn from one


def test_a_training_in_micro_batches_learns_what_one_in_whole_batches_learns() -> None:
    def weights(micro_batch: int) -> list[Tensor]:
        model = network()
        optimizer = OPTIMIZERS["nesterov"](parameter_groups(model, 0.01), 0.05, 0.9)
        stepper = Stepper(optimizer, linear(), 8, clip=0.5, micro_batch=micro_batch)
        for _ in range(8):
            stepper.train_step(partial(TASK.losses, model), batch())
        return [p.detach() for p in model.parameters()]

    torch.testing.assert_close(weights(4), weights(0), rtol=1e-4, atol=1e-6)


def test_groups_move_at_their_share_of_the_rate(step_on: StepOn) -> None:
    near, far = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    groups = [{"params": [near], "lr_scale": 1.0}, {"params": [far], "lr_scale": 0.25}]
    stepper = Stepper(torch.optim.SGD(groups, lr=0.4), linear(), total_steps=2)
    step_on(stepper, (near + far).sum())
    assert (near.item(), far.item()) == pytest.approx((0.6, 0.9))
    step_on(stepper, (near + far).sum())  # at half the rate
    assert (near.item(), far.item()) == pytest.approx((0.4, 0.85))


def test_the_rate_drops_when_what_is_observed_stays_where_it_is() -> None:
    stepper = plain(nn.Parameter(torch.ones(1)), plateau=ReduceOnPlateau(patience=1))
    for error, lr in ((0.5, 1.0), (0.5, 1.0), (0.5, 0.1), (0.4, 0.1)):
        stepper.observe(error)
        assert stepper.lr == pytest.approx(lr)


def test_the_schedule_follows_the_clock_where_that_is_ahead_of_the_steps(
    clock: Clock, step_on: StepOn
) -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    stepper = Stepper(optimizer, linear(), total_steps=4, minutes=2)
    for seconds, lr in ((30, 0.75), (59, 0.5), (90, 0.25), (91, 0.0)):
        clock.now = 1000 + seconds
        step_on(stepper, weight.sum())
        assert stepper.lr == pytest.approx(lr)
    assert stepper.finished


def test_the_clock_goes_on_where_it_was_when_the_training_stopped(
    clock: Clock, step_on: StepOn
) -> None:
    weight = nn.Parameter(torch.ones(1))
    first = plain(weight, minutes=10)
    clock.now += 240
    state = first.state_dict()
    clock.now += 9999  # nothing runs
    second = plain(weight, minutes=10)
    second.load_state_dict(state)
    assert second.done == pytest.approx(0.4)
    clock.now += 120
    step_on(second, weight.sum())
    assert second.done == pytest.approx(0.6)


def test_without_minutes_time_does_not_count(clock: Clock, step_on: StepOn) -> None:
    weight = nn.Parameter(torch.ones(1))
    stepper = plain(weight)
    clock.now += 1e9
    step_on(stepper, weight.sum())
    assert stepper.done == 0.01


def test_training_ends_with_a_short_epoch_when_the_time_is_up(clock: Clock) -> None:
    model, part = network(), batch(12)
    loader = Loader(
        CachedImages(part.images.byte()), part.targets, 2, shuffled(12, seed=0)
    )  # 6 steps
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stepper = Stepper(optimizer, linear(), total_steps=600, minutes=1)
    state, batches = supervised(model, TASK, stepper), []
    for event in train(state, loader, compose([]), epochs=100):
        clock.now += 7 if isinstance(event, Step) else 0
        batches.append(event)
    assert [(e.epoch, e.step) for e in batches if isinstance(e, Step)][-1] == (1, 3)  # the tenth
    assert [(e.epoch, e.images) for e in batches if isinstance(e, Epoch)] == [(0, 12), (1, 8)]
    again = train(state, loader, compose([]), epochs=100, start=Position(2))
    assert list(again) == []


def test_a_stepper_goes_on_exactly_from_a_checkpoint(tmp_path) -> None:
    def made(model: nn.Sequential) -> Stepper:
        groups = parameter_groups(model, 0.05, layer_decay=0.7)
        optimizer = Lookahead(OPTIMIZERS["muon"](groups, 0.02, 0.9), steps=3)
        plateau = ReduceOnPlateau(patience=1)
        return Stepper(optimizer, linear(), 20, clip=1.0, micro_batch=4, plateau=plateau)

    def go(model: nn.Sequential, stepper: Stepper, steps: range) -> None:
        for step in steps:
            stepper.train_step(partial(TASK.losses, model), batch())
            stepper.observe(1.0 - (step == 2))

    whole = network()
    go(whole, made(whole), range(12))
    first = network()
    stepper = made(first)
    go(first, stepper, range(7))
    save_checkpoint(tmp_path, {"model": first.state_dict(), "stepper": stepper.state_dict()}, 7)
    state, damaged = load_checkpoint(tmp_path)
    second = network()
    stepper = made(second)
    second.load_state_dict(state["model"])
    stepper.load_state_dict(state["stepper"])
    go(second, stepper, range(7, 12))
    assert damaged == []
    assert stepper.plateau.factor < 1
    for actual, expected in zip(second.parameters(), whole.parameters(), strict=True):
        assert torch.equal(actual, expected)


def test_moments_are_taken_up_in_the_order_in_memory_of_their_weights(tmp_path) -> None:
    """Fused optimizers read weights and moments side by side, whatever their strides say."""

    def fresh() -> tuple[nn.Module, Stepper]:
        torch.manual_seed(0)
        table = chain(conv=nn.Conv2d(3, 4, 3), flatten=nn.Flatten(), fc=nn.Linear(64, 3))
        model = table.to(memory_format=torch.channels_last)
        optimizer = OPTIMIZERS["adamw"](parameter_groups(model, 0.1), 0.01, 0.9)
        return model, Stepper(optimizer, constant(), 100)

    first, stepper = fresh()
    images = replace(batch(), images=batch().images.expand(-1, 3, -1, -1).cos())
    stepper.train_step(partial(TASK.losses, first), images)
    save_checkpoint(tmp_path, {"model": first.state_dict(), "stepper": stepper.state_dict()}, 1)
    second, other = fresh()
    state, _ = load_checkpoint(tmp_path)
    second.load_state_dict(state["model"])
    other.load_state_dict(state["stepper"])
    for model, going in ((first, stepper), (second, other)):
        going.train_step(partial(TASK.losses, model), images)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))


@pytest.mark.parametrize(("size", "lengths"), [(0, [7]), (3, [3, 2, 2]), (4, [4, 3]), (9, [7])])
def test_boxes_go_with_their_images_into_micro_batches(size: int, lengths: list[int]) -> None:
    counts = torch.tensor([1, 0, 3, 2, 0, 1, 2])
    image = torch.arange(7).repeat_interleave(counts)
    targets = Boxes(torch.zeros(9, 4), image, counts)
    parts: list[Batch[Boxes]] = []

    def losses(part: Batch[Boxes]) -> dict[str, Tensor]:
        parts.append(part)
        return {"loss": weight.sum()}

    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = OPTIMIZERS["sgd"]([{"params": [weight]}], 0.1, 0.0)
    stepper = Stepper(optimizer, constant(), 1, micro_batch=size)
    stepper.train_step(losses, Batch(torch.zeros(7, 1, 2, 2), targets, torch.arange(7)))
    assert [len(part) for part in parts] == lengths
    for part in parts:
        assert torch.equal(part.index[part.targets.image], part.targets.classes)
