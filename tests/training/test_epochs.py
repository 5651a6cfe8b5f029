"""The line that is said of each epoch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from saccade.engine.loop import Position
from saccade.recipes.recipe import Recipe
from saccade.training.epochs import EpochLines


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def row(epoch: int) -> dict[str, Any]:
    scores = {"val_loss": 0.25, "val_accuracy": 0.875, "val_balanced_accuracy": 0.8}
    return {"epoch": epoch, "loss": 0.5, **scores, "images_per_second": 100.0, "seconds": 3.0}


def begun(clock: Clock, told: list[str], start: Position, **settings: Any) -> EpochLines:
    recipe = Recipe().with_({f"train.{name}": value for name, value in settings.items()})
    run: Any = SimpleNamespace(recipe=recipe, events=lambda kind: [])
    lines = EpochLines("fold-1: ", clock=clock, tell=told.append)
    lines.training(run, steps=10, start=start)
    return lines


def test_an_epoch_is_told_with_loss_score_seconds_and_time_left() -> None:
    clock, told = Clock(), list[str]()
    lines = begun(clock, told, Position(), epochs=3)
    clock.now = 4.0
    lines.epoch(row(1))
    line = (
        "fold-1: epoch 1 of 3: loss 0.500, val_loss 0.250, val_accuracy 87.5 %, 3.0 s, 8.0 s left"
    )
    assert told == [line]


def test_of_many_short_epochs_the_first_the_last_and_one_in_ten_seconds_are_told() -> None:
    clock, told = Clock(), list[str]()
    lines = begun(clock, told, Position(), epochs=25)
    for epoch in range(1, 26):
        clock.now = float(epoch)
        lines.epoch(row(epoch))
    lines.close()
    assert [line.split(":")[1] for line in told] == [
        " epoch 1 of 25",
        " epoch 11 of 25",
        " epoch 21 of 25",
        " epoch 25 of 25",
    ]


def test_an_epoch_that_ends_a_training_early_is_told_at_its_end() -> None:
    clock, told = Clock(), list[str]()
    lines = begun(clock, told, Position(), epochs=25)
    for epoch in (1, 2):
        clock.now = float(epoch)
        lines.epoch(row(epoch))
    assert len(told) == 1
    lines.close()
    assert "epoch 2 of 25" in told[1]


def test_a_resumed_training_counts_its_own_epochs_alone() -> None:
    clock, told = Clock(), list[str]()
    lines = begun(clock, told, Position(4, 5), epochs=8)
    clock.now = 10.0  # for half an epoch
    lines.epoch(row(5))
    assert told[0].endswith(", 60 s left")


def test_a_training_by_the_clock_tells_no_number_of_epochs() -> None:
    clock, told = Clock(), list[str]()
    lines = begun(clock, told, Position(), epochs=1_000_000, minutes=2)
    clock.now = 30.0
    lines.epoch(row(1))
    assert told[0].startswith("fold-1: epoch 1: ") and told[0].endswith(", 1 min 30 s left")
