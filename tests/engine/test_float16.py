"""Training in float16: its narrow range, and what is done about it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.engine.optim import OPTIMIZERS
from saccade.engine.schedule import constant
from saccade.engine.step import Stepper

SMALLEST = 2**-24  # of float16's numbers above zero


def weight(value: float = 1.0) -> nn.Linear:
    """One number times one number."""
    row = nn.Linear(1, 1, bias=False)
    nn.init.constant_(row.weight, value)
    return row


def stepper(row: nn.Linear, name: str = "sgd", lr: float = 1.0) -> Stepper:
    groups = [{"params": list(row.parameters()), "weight_decay": 0.0}]
    return Stepper(OPTIMIZERS[name](groups, lr, 0.0), constant(), 100, precision="float16")


def one_step(row: nn.Linear, stepper: Stepper, slope: float) -> Tensor:
    """One step on a loss that falls by `slope` as the weight does; gives the loss."""
    batch = Batch(torch.ones(1, 1), torch.zeros(1), torch.zeros(1))
    return stepper.train_step(lambda b: {"loss": slope * row(b.images).float().sum()}, batch)[
        "loss"
    ]


def test_a_gradient_below_the_range_is_not_lost() -> None:
    row = weight(0.0)
    loss = one_step(row, stepper(row), SMALLEST / 8)
    assert loss.item() == 0
    assert row.weight.item() == pytest.approx(-SMALLEST / 8)


@pytest.mark.parametrize("name", ["sgd", "adamw", "muon"])
def test_a_step_that_overflows_is_left_out_and_the_scale_halved(name: str) -> None:
    row = weight()
    ours = stepper(row, name)
    before = ours.scaler.get_scale()
    one_step(row, ours, 1e6)  # 2^16 times as much is beyond 65,504
    assert row.weight.item() == 1
    assert ours.scaler.get_scale() == before / 2
    assert ours.steps_done == 1


def test_a_clipped_gradient_is_measured_without_its_scale() -> None:
    row = weight()
    ours = stepper(row)
    ours.clip = 0.5
    one_step(row, ours, 0.25)
    assert row.weight.item() == pytest.approx(0.75)
    one_step(row, ours, 0.75)
    assert row.weight.item() == pytest.approx(0.25, abs=1e-5)


def test_the_scale_goes_on_where_it_was() -> None:
    row = weight()
    one, other = stepper(row), stepper(row)
    one_step(row, one, 1e6)
    other.load_state_dict(one.state_dict())
    assert other.scaler.get_scale() == one.scaler.get_scale() != stepper(row).scaler.get_scale()
