"""Stages: epochs shared out, and orders that no training can have."""

from __future__ import annotations

import pytest

from saccade.engine.stages import Stage, extended_stages, stage_at, stages
from saccade.errors import RecipeError


def lengths(specs: str, epochs: int, *, fitted: bool = False) -> list[tuple[str, int, int]]:
    result = stages(specs.split(), epochs, fitted=fitted)
    return [(stage.name, stage.first, stage.epochs) for stage in result]


@pytest.mark.parametrize(
    ("specs", "epochs", "expected"),
    [
        ("all", 7, [("all", 0, 7)]),
        ("head all", 4, [("head", 0, 2), ("all", 2, 2)]),
        ("head layer4 all", 10, [("head", 0, 3), ("layer4", 3, 3), ("all", 6, 4)]),
        ("head layer4:2 all", 10, [("head", 0, 4), ("layer4", 4, 2), ("all", 6, 4)]),
        ("layer4:1 layer3:2", 3, [("layer4", 0, 1), ("layer3", 1, 2)]),
        ("head layer4 all", 0, [("head", 0, 0), ("layer4", 0, 0), ("all", 0, 0)]),
    ],
)
def test_stages_without_a_number_share_what_the_others_leave(
    specs: str, epochs: int, expected: list
) -> None:
    assert lengths(specs, epochs) == expected


def test_a_head_that_is_fitted_needs_no_epochs_but_may_have_some() -> None:
    assert lengths("head all", 10, fitted=True) == [("all", 0, 10)]
    assert lengths("head:3 all", 10, fitted=True) == [("head", 0, 3), ("all", 3, 7)]
    assert lengths("head", 10, fitted=True) == [("head", 0, 10)]


@pytest.mark.parametrize(
    ("specs", "epochs", "what", "hint"),
    [
        ("head layer4 all", 2, "take at least 3 epochs, and there are 2", "train.epochs=3"),
        ("head:2 all:2", 5, "take 4 epochs, and there are 5", "train.epochs=4"),
        ("head:2 layer4 all:2", 4, "take at least 5 epochs", "train.epochs=5"),
        ("all head", 9, "releases more than the last", "begin with head, end with all"),
        ("layer4 layer4", 9, "releases more than the last", "begin with head"),
        ("layer4:0 all", 9, "cannot be 'layer4:0'", "layer4, or layer4:3"),
        ("layer4:two", 9, "cannot be 'layer4:two'", "layer4, or layer4:3"),
        (":2", 9, "cannot be ':2'", "layer4, or layer4:3"),
    ],
)
def test_stages_that_cannot_be_are_refused(specs: str, epochs: int, what: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        lengths(specs, epochs)
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_every_epoch_belongs_to_a_stage() -> None:
    result = stages(("head", "layer4", "all"), 6, fitted=False)
    names = [stage_at(result, epoch).name for epoch in range(6)]
    assert names == ["head", "head", "layer4", "layer4", "all", "all"]


def test_a_longer_training_has_the_same_stages_and_a_longer_last_one() -> None:
    names = extended_stages(stages(("head", "layer4", "all"), 6, fitted=False))
    assert lengths(" ".join(names), 9) == [("head", 0, 2), ("layer4", 2, 2), ("all", 4, 5)]


def test_a_stage_tells_its_epochs_as_people_count_them() -> None:
    assert str(Stage("layer4", 3, 2)) == "layer4 in epochs 4 to 5"
    assert str(Stage("layer4", 3, 1)) == "layer4 in epoch 4"
