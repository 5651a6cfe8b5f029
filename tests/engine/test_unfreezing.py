"""Rows that join a training: frozen until then, slowly at first, and nothing forgotten."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.engine.freezing import Unfreezing, freeze, freeze_all_but, trainable_per_stage
from saccade.engine.loop import Epoch, Position, Step, train
from saccade.engine.optim import OPTIMIZERS, Lookahead, parameter_groups
from saccade.engine.schedule import constant
from saccade.engine.stages import stages
from saccade.engine.state import TrainState, supervised
from saccade.engine.step import Stepper
from saccade.errors import RecipeError, UsageError
from saccade.models.layers.blocks import chain
from saccade.tasks.classification import Classification

StepOn = Callable[[Stepper, Tensor], None]

STEPS = 20  # of an epoch: 40 images, two a step


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return chain(
        conv1=nn.Conv2d(3, 4, 3), bn1=nn.BatchNorm2d(4), relu1=nn.ReLU(),
        conv2=nn.Conv2d(4, 4, 3), bn2=nn.BatchNorm2d(4), relu2=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(4, 2),
    )  # fmt: skip


def in_stages(specs: str, epochs: int, name: str = "sgd", lookahead: int = 0) -> TrainState:
    """With a whole rate of 0.1, half of it a layer further down."""
    model, planned = network(), stages(specs.split(), epochs, fitted=False)
    learning = trainable_per_stage(model, planned)
    freeze_all_but(model, learning[0])
    groups = partial(parameter_groups, weight_decay=0.1, layer_decay=0.5)
    optimizer = OPTIMIZERS[name](groups(model), 0.1, 0.9)
    mover = Lookahead(optimizer, lookahead) if lookahead else optimizer
    stepper = Stepper(mover, constant(), epochs * STEPS)
    task = Classification(("a", "b"))
    return supervised(model, task, stepper, Unfreezing(groups, planned, learning, STEPS))


def events(state: TrainState, epochs: int, start: Position | None = None) -> Iterator[Step | Epoch]:
    pixels = torch.randint(0, 256, (40, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    loader = Loader(CachedImages(pixels.to(torch.uint8)), torch.arange(40) % 2, 2, shuffled(40, 0))
    for event in train(state, loader, compose([]), epochs=epochs, seed=3, start=start):
        yield event
        if isinstance(event, Epoch):
            state.begin_epoch(event.epoch + 1)


def state_of(model: nn.Module) -> dict:
    return {name: value.clone() for name, value in model.state_dict().items()}


def moved(before: dict, after: dict) -> set[str]:
    return {name.rpartition(".")[0] for name in before if not before[name].equal(after[name])}


@pytest.mark.parametrize("name", ["sgd", "adamw", "muon", "lion"])
def test_a_row_stays_as_it_was_to_the_bit_until_its_stage(name: str) -> None:
    state, seen = in_stages("head conv2 all", 3, name), []
    before = state_of(state.main.model)
    for event in events(state, 3):
        trained = {
            id(weight)
            for group in state.main.stepper.optimizer.param_groups
            for weight in group["params"]
        }
        if isinstance(event, Step):
            for weight in state.main.model.parameters():
                assert (weight.grad is not None) == weight.requires_grad == (id(weight) in trained)
            continue
        after = state_of(state.main.model)
        seen.append(moved(before, after))
        before = after
    every = {"conv1", "bn1", "conv2", "bn2", "fc"}
    assert seen == [{"fc"}, {"conv2", "bn2", "fc"}, every]


def test_what_joins_rises_to_its_rate_over_a_tenth_of_its_stage() -> None:
    """Two of its 20 steps, hence 1/2, 1; conv2 is one layer below the last, conv1 two."""
    rates: dict[int, list[float]] = {}
    state = in_stages("head conv2 all", 3)
    for event in events(state, 3):
        if isinstance(event, Step):
            groups = state.main.stepper.optimizer.param_groups
            own = {id(w): group["lr"] for group in groups for w in group["params"]}
            weights = dict(state.main.model.named_parameters())
            names = ("fc.weight", "bn2.bias", "conv2.weight", "conv1.weight")
            rates[event.epoch * STEPS + event.step] = [
                own.get(id(weights[name]), -1.0) for name in names
            ]
    expected = {
        0: [0.1, -1, -1, -1], 19: [0.1, -1, -1, -1],
        20: [0.1, 0.025, 0.025, -1], 21: [0.1, 0.05, 0.05, -1], 39: [0.1, 0.05, 0.05, -1],
        40: [0.1, 0.05, 0.05, 0.0125], 41: [0.1, 0.05, 0.05, 0.025], 59: [0.1, 0.05, 0.05, 0.025],
    }  # fmt: skip
    assert {step: rates[step] for step in expected} == {
        step: pytest.approx(values) for step, values in expected.items()
    }


def test_the_rise_is_of_fifty_steps_at_the_most() -> None:
    state = in_stages("head all", 101)
    state.begin_epoch(50)  # of the 1020 steps from there on, a tenth is 102
    rises = {group.get("warmup_steps") for group in state.main.stepper.optimizer.param_groups}
    assert rises == {None, 50}


def test_momentum_goes_on_where_it_was(step_on: StepOn) -> None:
    """One weight of SGD by hand: v = 0.9 v + g, w = w - 0.1 v; 1 and 2 in turn are gradients."""
    first, second = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    optimizer = OPTIMIZERS["sgd"]([{"params": [first], "weight_decay": 0.0}], 0.1, 0.9)
    stepper = Stepper(optimizer, constant(), 10)
    step_on(stepper, first.sum())  # v = 1, w = -0.1
    stepper.add_groups([{"params": [first, second], "weight_decay": 0.0, "lr_scale": 0.5}], 1, 2)
    step_on(stepper, (2 * first + second).sum())  # v = 2.9, w = -0.39; second: -0.025
    assert first.item() == pytest.approx(-0.39)
    assert second.item() == pytest.approx(-0.025)
    step_on(stepper, (first + second).sum())  # the second: v = 1.9 at 0.1 * 0.5
    assert second.item() == pytest.approx(-0.12)
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1]


@pytest.mark.parametrize(("name", "lookahead"), [("adamw", 0), ("sgd", 3), ("muon", 0)])
@pytest.mark.parametrize("after", [15, 20, 27, 40, 41])
def test_a_training_goes_on_to_the_same_bits_within_and_between_stages(
    name: str, lookahead: int, after: int
) -> None:
    whole, saved = in_stages("head conv2 all", 3, name, lookahead), {}
    for event in events(whole, 3):
        ended = isinstance(event, Epoch) or whole.main.stepper.steps_done % STEPS
        if whole.main.stepper.steps_done == after and ended:
            saved = copy.deepcopy(whole.state_dict())
    later = in_stages("head conv2 all", 3, name, lookahead)
    later.load_state_dict(saved, after // STEPS)
    for _ in events(later, 3, Position(*divmod(after, STEPS))):
        pass
    assert moved(state_of(whole.main.model), state_of(later.main.model)) == set()


def test_a_stage_is_refused_that_releases_nothing_or_does_not_exist() -> None:
    def refused(specs: str, kind: type, frozen: str = "") -> str:
        model = network()
        if frozen:
            freeze(model, frozen)
        with pytest.raises(kind) as caught:
            trainable_per_stage(model, stages(specs.split(), 9, fitted=False))
        return f"{caught.value.what}; {caught.value.hint}"

    message = refused("head conv1 conv2", RecipeError)
    assert "the stage 'conv2', which comes after 'conv1', releases nothing" in message
    assert "did you mean conv2" in refused("head convv2 all", UsageError)
    assert "'conv2', which comes after 'head'" in refused("head conv2", RecipeError, "bn2")


def test_all_is_all_that_is_not_frozen() -> None:
    model = network()
    freeze(model, "bn1")
    head, rest = trainable_per_stage(model, stages(("head", "all"), 2, fitted=False))
    assert head == {"fc.weight", "fc.bias"}
    assert rest == head | {"conv2.weight", "conv2.bias", "bn2.weight", "bn2.bias"}
