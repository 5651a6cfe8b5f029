from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.engine.loop import Epoch, Step, train
from saccade.engine.lr_find import LRPoint, lr_points, lr_sweep, suggested_lr
from saccade.engine.schedule import cosine
from saccade.engine.state import supervised
from saccade.engine.step import Stepper
from saccade.errors import DivergedError
from saccade.models.layers.blocks import Normalize, chain
from saccade.tasks.classification import Classification

StepOn = Callable[[Stepper, Tensor], None]


def events_of(losses: list[float]) -> Iterator[Step | Epoch]:
    """A training that gives these losses."""
    for number, loss in enumerate(losses):
        yield Step(0, number, {"loss": torch.tensor(loss)}, {"lr": 0.1 * 2**number}, torch.zeros(1))
        yield Epoch(0, 1.0, 1)


def valley(lr: float) -> LRPoint:
    """A loss with its lowest point at a rate of 0.1."""
    return LRPoint(lr, 0.0, smoothed_loss=abs(lr - 0.1))


def test_smooth_losses_weigh_the_past_by_powers_of_nine_tenths() -> None:
    result = list(lr_points(events_of([1.0, 2.0, 4.0])))
    assert [point.loss for point in result] == [1, 2, 4]
    assert [point.lr for point in result] == pytest.approx([0.1, 0.2, 0.4])
    third = (0.81 * 1 + 0.9 * 2 + 4) / (0.81 + 0.9 + 1)
    assert [point.smoothed_loss for point in result] == pytest.approx([1, (0.9 + 2) / 1.9, third])


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_sweep_ends_before_a_loss_that_is_no_number(broken: float) -> None:
    assert len(list(lr_points(events_of([1.0, 1.0, broken, 1.0])))) == 2


def test_a_sweep_ends_with_the_first_loss_far_above_the_lowest() -> None:
    assert len(list(lr_points(events_of([1.0, 1.0, 50.0, 1.0, 1.0])))) == 3


def test_the_suggestion_is_a_tenth_of_the_best_rate() -> None:
    result = [valley(lr) for lr in (0.001, 0.01, 0.1, 0.15, 1.0)]
    assert suggested_lr(result) == pytest.approx(0.01)


@pytest.mark.parametrize("result", [[], [valley(0.1)], [valley(0.1), valley(0.2)]])
def test_without_a_rate_that_lowers_the_loss_nothing_is_suggested(result: list[LRPoint]) -> None:
    with pytest.raises(DivergedError, match="no learning rate of the range test lowered the loss"):
        suggested_lr(result)


def test_losses_that_only_scatter_suggest_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    losses = (2.3 + 0.1 * torch.randn(200, generator=generator)).tolist()
    flat = list(lr_points(events_of(losses)))
    with pytest.raises(DivergedError, match="no learning rate of the range test lowered the loss"):
        suggested_lr(flat)
    falling = list(
        lr_points(events_of([loss - 0.01 * max(0, k - 50) for k, loss in enumerate(losses)]))
    )
    assert suggested_lr(falling) == pytest.approx(falling[-1].lr / 10, rel=0.05)


def test_a_sweep_down_a_parabola_breaks_where_theory_says(step_on: StepOn) -> None:
    """A step at the rate r leaves (1 - r) w of w: the loss w^2 / 2 falls up to a rate of 2."""
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([weight], lr=0.3)
    stepper = lr_sweep(Stepper(optimizer, cosine(), 5), steps=40, lr_range=(0.11, 100.0))

    def events() -> Iterator[Step]:
        for step in range(40):
            lr = stepper.lr
            loss = weight.square().sum() / 2
            step_on(stepper, loss)
            yield Step(0, step, {"loss": loss.detach()}, {"lr": lr}, torch.zeros(1))

    result = list(lr_points(events()))
    assert result[0].lr == pytest.approx(0.11)
    for before, after in pairwise(result):
        assert (after.loss < before.loss) == (before.lr < 2)
    assert result[-1].lr > 2
    assert len(result) < 40  # and there it ends


def test_a_sweep_of_a_training_finds_a_rate_that_learns() -> None:
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(64) % 2
    images = torch.randint(0, 128, (64, 1, 8, 8), generator=generator)
    images[targets == 1, :, :, :4] += 100
    loader = Loader(CachedImages(images.byte()), targets, 16, shuffled(64, seed=1))
    task = Classification(("dark", "bright"))

    def made() -> tuple[nn.Sequential, Stepper]:
        torch.manual_seed(0)
        model = chain(
            normalize=Normalize((0.4,), (0.3,)), flatten=nn.Flatten(), fc=nn.Linear(64, 2)
        )
        return model, Stepper(torch.optim.SGD(model.parameters(), lr=0.5), cosine(), 40)

    model, whole = made()
    stepper = lr_sweep(whole, steps=100, lr_range=(1e-5, 100.0))
    events = list(train(supervised(model, task, stepper), loader, compose([]), epochs=100))
    assert sum(isinstance(event, Step) for event in events) == 100
    lr = suggested_lr(list(lr_points(events)))
    model, stepper = made()
    stepper.peak_lr = lr
    after = list(train(supervised(model, task, stepper), loader, compose([]), epochs=10))
    losses = [event.losses["loss"].item() for event in after if isinstance(event, Step)]
    assert losses[-1] < 0.3 * losses[0]
