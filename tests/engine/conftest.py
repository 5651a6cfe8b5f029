"""What the tests of the engine can ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from saccade.data.batch import Batch
from saccade.engine.step import Stepper

ONE_IMAGE = Batch(torch.zeros(1, 1, 1, 1), torch.zeros(1), torch.zeros(1, dtype=torch.int64))


@pytest.fixture
def step_on() -> Callable[[Stepper, Tensor], None]:
    """A function that does an optimizer step on a loss, a scalar."""

    def step(stepper: Stepper, loss: Tensor) -> None:
        stepper.train_step(lambda _: {"loss": loss}, ONE_IMAGE)

    return step
