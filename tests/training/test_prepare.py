from __future__ import annotations

from functools import cache

import pytest

from saccade.auto.resolve import resolve
from saccade.auto.summary import summarize
from saccade.data.sources import open_source
from saccade.data.splits import DataSplit, split_data
from saccade.engine.loop import Position
from saccade.engine.optim import Lion, Lookahead
from saccade.errors import RecipeError
from saccade.training.prepare import TrainingSetup, prepare


@cache
def digits() -> DataSplit:
    return split_data(open_source(None), val=0.15, test=0.15, seed=0)


def prepared(**changes: object) -> TrainingSetup:
    """The embedded digits, made ready with settings such as optim__lr=0.1."""
    flags = {name.replace("__", "."): value for name, value in changes.items()}
    recipe = resolve("small", flags, summarize(digits().train)).recipe
    return prepare(recipe, digits(), lambda done, total: None)


def test_the_settings_of_a_recipe_reach_its_optimizer_step() -> None:
    ready = prepared(
        optim__name="lion",
        optim__lr=0.001,
        optim__schedule="plateau",
        optim__plateau_patience=3,
        optim__lookahead=6,
        optim__layer_decay=0.5,
        train__micro_batch_size=16,
        train__minutes=2,
    )
    stepper = ready.stepper
    assert isinstance(stepper.optimizer, Lookahead)
    assert isinstance(stepper.optimizer.optimizer, Lion)
    assert stepper.optimizer.steps == 6
    assert stepper.plateau.patience == 3
    assert (stepper.peak_lr, stepper.micro_batch, stepper.minutes) == (0.001, 16, 2)
    assert sorted(set(stepper.lr_scales)) == [0.5**k for k in range(4, -1, -1)]  # LeNet: 5 layers


def test_a_rate_drops_only_on_a_plateau_that_was_asked_for() -> None:
    stepper = prepared(optim__schedule="constant").stepper
    for _ in range(20):
        stepper.observe(1.0)
    assert stepper.plateau.factor == 1


@pytest.mark.parametrize("name", ["linear", "one_cycle", "triangular"])
def test_a_warm_up_in_steps_lasts_so_many_steps(name: str) -> None:
    stepper = prepared(optim__schedule=name, optim__warmup=40, optim__lr=0.001).stepper
    stepper.done = 40 / stepper.total_steps
    top = stepper.lr
    stepper.done = 20 / stepper.total_steps
    assert stepper.lr == pytest.approx(top / 2, rel=0.06)
    stepper.done = 38 / stepper.total_steps
    assert stepper.lr < top


def test_a_warm_up_longer_than_the_training_is_refused() -> None:
    with pytest.raises(RecipeError) as caught:
        prepared(optim__warmup=60, train__epochs=3)
    assert caught.value.what == "optim.warmup is 60 steps, and the training has 60"


def test_a_state_holds_all_that_a_stepper_and_an_ema_remember() -> None:
    first = prepared(train__ema="auto", optim__schedule="plateau")
    first.stepper.observe(0.5)
    second = prepared(train__ema="auto", optim__schedule="plateau")
    assert second.load_state_dict(first.state_dict(Position(2, 5))) == Position(2, 5)
    assert second.stepper.plateau.best == 0.5
