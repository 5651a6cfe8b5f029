"""Networks that are trained together: each with its own optimizer, EMA, stages and names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.engine.ema import EMA
from saccade.engine.freezing import ALL_AT_ONCE, Stage, Unfreezing, freeze, freeze_all_but
from saccade.engine.optim import parameter_groups
from saccade.engine.schedule import ReduceOnPlateau, constant
from saccade.engine.state import NetworkState, Objective, TrainState, supervised
from saccade.engine.step import Stepper
from saccade.errors import WeightsError
from saccade.models.layers.blocks import chain
from saccade.tasks.classification import Classification

SHORT = "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"


def weight(value: float) -> nn.Linear:
    """One number that multiplies.  [N,1] -> [N,1]"""
    row = nn.Linear(1, 1, bias=False)
    nn.init.constant_(row.weight, value)
    return row


def value(state: TrainState, name: str) -> float:
    return next(state.networks[name].model.parameters()).item()


def player(losses: Objective, start: float, lr: float, ema: bool = False) -> NetworkState:
    model = weight(start)
    stepper = Stepper(torch.optim.SGD(model.parameters(), lr), constant(), 10)
    return NetworkState(model, stepper, losses, ema=EMA(model, 0.5) if ema else None)


def product(own: float, networks: Mapping[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
    """`own` times x y, the numbers of two players: one raises what the other one lowers."""
    x, y = (network(batch.images) for network in networks.values())
    return {"loss": own * (x * y).mean()}


def players() -> TrainState:
    """x = 1 and y = 2; x lowers x y at rate 0.1, y raises it at rate 0.5."""
    x = player(partial(product, 1.0), 1.0, 0.1)
    y = player(partial(product, -1.0), 2.0, 0.5, ema=True)
    return TrainState({"x": x, "y": y}, name="y")


def ones(count: int = 2) -> Batch:
    return Batch(torch.ones(count, 1), torch.zeros(count), torch.arange(count))


def test_networks_step_in_turn_and_see_each_others_last_step() -> None:
    """x = 1 - 0.1 y = 0.8, then y = 2 + 0.5 x = 2.4: y moves by the x that has moved."""
    state = players()
    losses = state.train_step(ones())
    assert (value(state, "x"), value(state, "y")) == pytest.approx((0.8, 2.4))
    assert {name: float(loss) for name, loss in losses.items()} == pytest.approx(
        {"x/loss": 2.0, "y/loss": -1.6}
    )
    assert state.lr == pytest.approx({"x/lr": 0.1, "y/lr": 0.5})


def test_the_only_network_needs_no_name_in_logs() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    stepper = Stepper(torch.optim.SGD(model.parameters(), 0.25), constant(), 10)
    state = supervised(model, Classification(("a", "b")), stepper)
    batch = Batch(torch.ones(2, 1), torch.tensor([0, 1]), torch.arange(2))
    assert list(state.train_step(batch)) == ["loss"]
    assert state.lr == {"lr": 0.25}
    assert list(state.state_dict()) == ["model"]


def test_each_network_has_an_ema_of_its_own_or_none() -> None:
    state = players()
    state.train_step(ones())
    state.update_ema()
    assert state.main.eval_model is not state.main.model
    assert state.networks["x"].eval_model is state.networks["x"].model
    mean = next(state.main.eval_model.parameters()).item()
    assert mean == pytest.approx(0.1 * 2 + 0.9 * 2.4)  # the first step keeps (1 + 0) / (10 + 0)
    assert len(state.models) == 3


def test_the_first_network_to_finish_finishes_the_training() -> None:
    state = players()
    state.networks["y"].stepper.done = 1.0
    assert state.finished
    other = players()
    assert not other.finished
    other.stop()
    assert all(stepper.finished for stepper in other.steppers.values())


def test_every_schedule_hears_of_the_held_out_number() -> None:
    state = players()
    for stepper in state.steppers.values():
        stepper.plateau = ReduceOnPlateau(patience=0)
    state.observe(1.0)
    state.observe(1.0)
    assert state.lr == pytest.approx({"x/lr": 0.01, "y/lr": 0.05})


def test_memory_that_runs_out_for_one_network_halves_what_goes_through_that_one() -> None:
    state = players()
    enough = state.networks["y"].objective

    def short(networks: Mapping[str, nn.Module], batch: Batch) -> Mapping[str, Tensor]:
        if len(batch) > 3:
            raise RuntimeError(SHORT)
        return enough(networks, batch)

    narrow = NetworkState(state.main.model, state.main.stepper, short)
    state = TrainState({**state.networks, "y": narrow}, name="y")
    state.train_step(ones(8))
    assert state.micro_batches == {"x": 0, "y": 2}
    assert (value(state, "x"), value(state, "y")) == pytest.approx((0.8, 2.4))


def deep() -> nn.Sequential:
    return chain(first=nn.Linear(1, 1, bias=False), fc=nn.Linear(1, 1, bias=False))


def test_a_frozen_row_of_one_network_stays_while_all_of_the_other_moves() -> None:
    models = {"x": deep(), "y": deep()}
    freeze(models["x"], "first")
    states = {}
    for name, model in models.items():
        stepper = Stepper(torch.optim.SGD(parameter_groups(model, 0.0), 0.1), constant(), 9)
        states[name] = NetworkState(model, stepper, partial(product, 1.0))
    state = TrainState(states, name="x")
    before = {name: [w.clone() for w in model.parameters()] for name, model in models.items()}
    state.train_mode()
    state.train_step(ones())
    moved = {
        name: [not torch.equal(a, b) for a, b in zip(before[name], model.parameters(), strict=True)]
        for name, model in models.items()
    }
    assert moved == {"x": [False, True], "y": [True, True]}
    assert not models["x"].get_submodule("first").training
    assert models["y"].get_submodule("first").training


def test_stages_of_one_network_leave_the_other_alone() -> None:
    model = deep()
    stages = (Stage("fc", 0, 1), Stage("all", 1, 1))
    names = (frozenset({"fc.weight"}), frozenset({"fc.weight", "first.weight"}))
    groups = partial(parameter_groups, weight_decay=0.0)
    freeze_all_but(model, names[0])
    stepper = Stepper(torch.optim.SGD(groups(model), 0.1), constant(), 10)
    staged = NetworkState(
        model, stepper, partial(product, 1.0), Unfreezing(groups, stages, names, 5)
    )
    state = TrainState({"x": staged, "y": players().networks["y"]}, name="y")
    assert state.networks["y"].unfreezing is ALL_AT_ONCE
    state.begin_epoch(1)
    trained = [w for group in stepper.optimizer.param_groups for w in group["params"]]
    assert len(trained) == 2
    assert len(state.main.stepper.optimizer.param_groups) == 1


def test_a_state_is_not_loaded_into_other_networks() -> None:
    state = players()
    own = state.state_dict()
    with pytest.raises(WeightsError) as caught:
        state.load_state_dict({"x": own["x"], "z": own["y"]}, 0)
    assert caught.value.what == "the checkpoint holds the networks x, z; the training has x, y"
