"""Best: the end by patience, and the weights of the best epoch."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from saccade.engine.stopping import EarlyStopping


def network(value: float) -> nn.Module:
    made = nn.Linear(1, 1, bias=False)
    nn.init.constant_(made.weight, value)
    return made


def observed(best: EarlyStopping, numbers: list[float], start: int = 1) -> EarlyStopping:
    """Epochs whose weight is their own number, from `start` on."""
    for epoch, number in enumerate(numbers, start):
        best.update(epoch, number, network(float(epoch)))
    return best


@pytest.mark.parametrize(
    ("numbers", "over"),
    [
        ([0.5, 0.4, 0.3], False),
        ([0.5, 0.6], False),
        ([0.5, 0.6, 0.7], True),  # two epochs without a better one
        ([0.5, 0.5, 0.5], True),  # an equal one is not better
        ([0.5, 0.6, 0.4, 0.5], False),  # begins anew
    ],
)
def test_it_is_over_after_so_many_epochs_without_a_better_number(numbers: list[float], over: bool):
    assert observed(EarlyStopping(2), numbers).should_stop is over


def test_without_patience_it_is_never_over():
    assert not observed(EarlyStopping(), [0.1] + [0.9] * 100).should_stop


def test_the_weights_are_those_of_the_first_best_epoch():
    best = observed(EarlyStopping(keep_weights=True), [0.5, 0.2, 0.3, 0.2])
    used = network(9.0)
    best.restore_best(used)
    assert best.epoch == 2
    assert next(used.parameters()).item() == 2.0


def test_remembered_weights_do_not_follow_those_that_are_trained():
    trained = network(1.0)
    best = EarlyStopping(keep_weights=True)
    best.update(1, 0.5, trained)
    nn.init.constant_(next(trained.parameters()), 7.0)
    best.restore_best(trained)
    assert next(trained.parameters()).item() == 1.0


def test_weights_are_left_alone_where_none_are_kept():
    used = network(9.0)
    observed(EarlyStopping(), [0.5, 0.6]).restore_best(used)
    assert next(used.parameters()).item() == 9.0


def test_a_state_taken_up_goes_on_as_if_nothing_had_been():
    numbers = [0.5, 0.4, 0.6, 0.7]
    whole = observed(EarlyStopping(2, keep_weights=True), numbers)
    first = observed(EarlyStopping(2, keep_weights=True), numbers[:3]).state_dict()
    second = EarlyStopping(2, keep_weights=True)
    second.load_state_dict(first)
    observed(second, numbers[3:], start=4)
    assert (second.should_stop, second.epoch, second.waited) == (
        whole.should_stop,
        whole.epoch,
        whole.waited,
    )
    assert second.weights is not None and whole.weights is not None
    assert torch.equal(second.weights["weight"], whole.weights["weight"])


def test_the_state_of_a_beginning_can_be_written_as_json():
    assert json.loads(json.dumps(EarlyStopping(3).state_dict()))["waited"] == 0
