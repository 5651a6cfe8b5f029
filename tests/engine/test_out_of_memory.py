"""Memory that runs out in a step: half goes through, the gradient is the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saccade import api
from saccade.data.batch import Batch
from saccade.engine.checkpoint import load_checkpoint, save_checkpoint
from saccade.engine.schedule import constant
from saccade.engine.step import Stepper
from saccade.errors import ResourceError
from saccade.tasks.classification import Classification

TASK = Classification(("a", "b", "c"))
SHORT = "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"
TINY = {"train.epochs": 2, "train.batch_size": 256, "model.name": "lenet5"}


class Narrow(nn.Module):
    """A network that runs out of memory, backward as well, with more than so many images."""

    def __init__(self, room: int, error: type[Exception] = RuntimeError, late: bool = False):
        super().__init__()
        torch.manual_seed(0)
        self.inside = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 3))
        self.room, self.error, self.late = room, error, late
        self.passes: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.passes.append(len(images))
        logits = self.inside(images)
        if len(images) > self.room:
            if not self.late:
                raise self.error(SHORT)
            logits.register_hook(self._fail)
        return logits

    def _fail(self, gradient: Tensor) -> Tensor:
        raise self.error(SHORT)


def batch(n: int = 10) -> Batch:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(n, 1, 6, 6, generator=generator)
    return Batch(images, torch.randint(0, 3, (n,), generator=generator), torch.arange(n))


def gradient(model: Narrow, **settings: Any) -> tuple[list[Tensor], Stepper]:
    stepper = Stepper(torch.optim.SGD(model.parameters(), 0.0), constant(), 9, **settings)
    stepper.train_step(partial(TASK.losses, model), batch())
    return [p.grad for p in model.parameters() if p.grad is not None], stepper


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, torch.OutOfMemoryError])
@pytest.mark.parametrize("late", [False, True], ids=["forward", "backward"])
def test_out_of_memory_halves_what_goes_through_and_keeps_the_gradient(
    error: type[Exception], late: bool
) -> None:
    model = Narrow(3, error, late)
    result, stepper = gradient(model)
    expected, _ = gradient(Narrow(10))
    assert model.passes == [10, 5, 2, 2, 3, 3] or model.passes == [10, 5, 3, 3, 2, 2]
    assert stepper.micro_batch == 3
    assert len(result) == 4
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-7)


class Second(Narrow):
    """Runs out of memory once, in the second part of a batch, after the first went backward."""

    def forward(self, images: Tensor) -> Tensor:
        if len(self.passes) == 1:
            self.passes.append(len(images))
            raise RuntimeError(SHORT)
        return super().forward(images)


def test_gradients_of_a_half_done_batch_are_not_counted_twice() -> None:
    model = Second(10)
    result, stepper = gradient(model, micro_batch=5)
    expected, _ = gradient(Narrow(10))
    assert (model.passes[:2], stepper.micro_batch) == ([5, 5], 3)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("least", [1, 10])
def test_what_cannot_be_halved_further_is_said(least: int) -> None:
    with pytest.raises(ResourceError) as caught:
        gradient(Narrow(0), min_micro_batch=least)
    assert caught.value.exit_code == 5
    assert ("1 image" if least == 1 else "10 images") in caught.value.what
    assert "smaller data.size" in caught.value.hint


def test_another_error_is_no_shortage_of_memory() -> None:
    wrong = Batch(torch.zeros(10, 1, 5, 5), torch.zeros(10, dtype=torch.int64), torch.arange(10))
    model = Narrow(10)
    stepper = Stepper(torch.optim.SGD(model.parameters(), 0.0), constant(), 9)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        stepper.train_step(partial(TASK.losses, model), wrong)
    assert model.passes == [10]


def test_a_halved_micro_batch_is_taken_up_with_a_checkpoint(tmp_path: Path) -> None:
    _, stepper = gradient(Narrow(3))
    save_checkpoint(tmp_path, {"stepper": stepper.state_dict()}, 1)
    other = Stepper(stepper.optimizer, constant(), 9)
    other.load_state_dict(load_checkpoint(tmp_path)[0]["stepper"])
    assert other.micro_batch == 3


def test_a_training_goes_on_when_memory_runs_out_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    losses = Classification.losses

    def narrow(self: Classification, model: nn.Module, some: Batch) -> dict[str, Tensor]:
        if len(some) > 100:
            raise RuntimeError(SHORT)
        return losses(self, model, some)

    monkeypatch.setattr(Classification, "losses", narrow)
    run = api.train(with_=TINY, out=tmp_path / "run")
    [fact] = run.events("out_of_memory")
    assert fact == {"event": "out_of_memory", "epoch": 1, "step": 1, "micro_batch": 64}
    assert "64 images at a time" in " ".join(capsys.readouterr().err.split())
    assert len(run.history) == 2
