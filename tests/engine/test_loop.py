from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.data.batch import Batch
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, sequential, shuffled
from saccade.engine.ema import EMA
from saccade.engine.evaluate import evaluate
from saccade.engine.loop import Epoch, Position, Step, train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.schedule import SCHEDULES, constant, cosine, linear, multistep, with_warmup
from saccade.engine.state import supervised
from saccade.engine.step import Stepper
from saccade.metrics.measure import scores
from saccade.models.layers.blocks import Normalize, chain
from saccade.tasks.classification import Classification

StepOn = Callable[[Stepper, Tensor], None]

N, BATCH, EPOCHS = 50, 16, 3
ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def make_images(n: int = N) -> tuple[CachedImages, torch.Tensor]:
    """Noise in which the left half is bright for class 1."""
    targets = torch.arange(n) % 2
    images = torch.randint(0, 128, (n, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    images[targets == 1, :, :, :4] += 100
    return CachedImages(images.to(torch.uint8)), targets


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return chain(
        normalize=Normalize((0.4,), (0.3,)),
        conv=nn.Conv2d(1, 4, 3),
        bn=nn.BatchNorm2d(4),
        relu=nn.ReLU(),
        flatten=nn.Flatten(),
        dropout=nn.Dropout(0.2),
        fc=nn.Linear(4 * 36, 2),
    )


class Bench:
    """A small training whose state can be saved and taken up."""

    def __init__(self, optimizer: str = "adamw"):
        self.model = network()
        images, targets = make_images()
        self.loader = Loader(images, targets, BATCH, shuffled(N, seed=1))
        groups = parameter_groups(self.model, 0.01)
        schedule = with_warmup(cosine(), 0.2)
        total = EPOCHS * len(self.loader)
        self.stepper = Stepper(OPTIMIZERS[optimizer](groups, 0.01, 0.9), schedule, total, clip=1.0)
        self.average = EMA(self.model, 0.9)
        self.augment = compose([parse_augmentation("flip"), parse_augmentation("translate:1")])

    def events(self, start: Position | None = None):
        task = Classification(("dark", "bright"))
        for event in train(
            supervised(self.model, task, self.stepper),
            self.loader,
            self.augment,
            epochs=EPOCHS,
            seed=7,
            start=start,
        ):
            if isinstance(event, Step):
                self.average.update()
            yield event

    def state(self) -> dict[str, torch.Tensor]:
        result = {f"model {k}": v.clone() for k, v in self.model.state_dict().items()}
        return result | {
            f"average {k}": v.clone() for k, v in self.average.model.state_dict().items()
        }


def assert_same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_training_yields_every_step_and_every_epoch_in_order() -> None:
    events = list(Bench().events())
    steps_an_epoch = 4  # 16 + 16 + 16 + 2
    assert [(e.epoch, e.step) for e in events if isinstance(e, Step)] == [
        (epoch, step) for epoch in range(EPOCHS) for step in range(steps_an_epoch)
    ]
    assert [e.images for e in events if isinstance(e, Epoch)] == [N] * EPOCHS
    order = torch.cat([e.index for e in events if isinstance(e, Step) and e.epoch == 1])
    assert sorted(order.tolist()) == list(range(N))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_twice_gives_the_same_bits(optimizer: str) -> None:
    one, other = Bench(optimizer), Bench(optimizer)
    for _ in one.events():
        pass
    for _ in other.events():
        torch.rand(3)  # what others draw in between changes nothing
    assert_same_bits(one.state(), other.state())


@pytest.mark.parametrize("stop", [1, 4, 7])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_going_on_from_any_step_gives_the_same_bits(optimizer: str, stop: int) -> None:
    whole = Bench(optimizer)
    for _ in whole.events():
        pass
    first, position = Bench(optimizer), Position()
    for number, event in enumerate((e for e in first.events() if isinstance(e, Step)), 1):
        position = Position(event.epoch, event.step + 1)
        if number == stop:
            break
    second = Bench(optimizer)
    second.model.load_state_dict(first.model.state_dict())
    second.average.load_state_dict(first.average.state_dict())
    second.stepper.load_state_dict(first.stepper.state_dict())
    for _ in second.events(position):
        pass
    assert_same_bits(whole.state(), second.state())


def test_the_loop_of_the_documentation_prints_an_accuracy_an_epoch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (sample,) = re.findall(r"```python\n(.*?)```", ARCHITECTURE.read_text(encoding="utf-8"), re.S)
    bench, (images, targets) = Bench(), make_images()
    names = {
        "Epoch": Epoch, "train": train, "supervised": supervised, "evaluate": evaluate,
        "scores": scores, "model": bench.model, "task": Classification(("dark", "bright")),
        "stepper": bench.stepper, "loader": bench.loader, "augment": bench.augment,
        "held_out": Loader(images, targets, BATCH, sequential(N)),
    }  # fmt: skip
    exec(sample, names)
    accuracies = list(map(float, capsys.readouterr().out.split()))
    assert len(accuracies) == EPOCHS
    assert all(0 <= accuracy <= 1 for accuracy in accuracies)


def test_training_learns_what_can_be_learned() -> None:
    bench = Bench()
    bench.augment = compose([])
    losses = [e.losses["loss"] for e in bench.events() if isinstance(e, Step)]
    assert losses[-1] < 0.5 * losses[0]


def test_a_step_of_plain_gradient_descent_is_the_textbooks(step_on: StepOn) -> None:
    weight = nn.Parameter(torch.tensor([3.0]))
    stepper = Stepper(torch.optim.SGD([weight], lr=0.5), linear(), total_steps=2)
    step_on(stepper, (weight**2).sum())  # 3 - 0.5 * 6; then half the rate
    assert weight.item() == 0
    assert stepper.lr == 0.25


def test_clipping_bounds_the_whole_gradient(step_on: StepOn) -> None:
    weight = nn.Parameter(torch.tensor([3.0, 4.0]))
    stepper = Stepper(torch.optim.SGD([weight], lr=1), constant(), total_steps=1, clip=1.0)
    step_on(stepper, (weight**2).sum() / 2)  # (3, 4), clipped to (0.6, 0.8)
    assert weight.tolist() == pytest.approx([2.4, 3.2], abs=1e-5)


def test_schedules_begin_and_end_where_they_should() -> None:
    assert [cosine()(x) for x in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    assert [linear()(x) for x in (0, 0.25, 1)] == [1, 0.75, 0]
    assert [multistep()(x) for x in (0, 0.5, 0.75)] == pytest.approx([1, 0.1, 0.01])
    warmed = with_warmup(linear(), 0.2)
    assert [warmed(x) for x in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0.01, 0.51, 1, 0.5, 0])
    for make in SCHEDULES.values():
        assert make()(0) == 1


def test_decay_is_for_weights_alone() -> None:
    decayed, free = parameter_groups(network(), 0.1)
    assert {p.ndim for p in decayed["params"]} == {2, 4}
    assert {p.ndim for p in free["params"]} == {1}
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


def test_the_average_is_that_of_a_slow_second_implementation() -> None:
    model = nn.Linear(1, 1, bias=False)
    average, mean = EMA(model, 0.5), model.weight.item()
    for t, value in enumerate((1.0, -2.0, 5.0, 4.0, 0.5)):
        with torch.no_grad():
            model.weight.fill_(value)
        average.update()
        keep = min(0.5, (1 + t) / (10 + t))
        mean = keep * mean + (1 - keep) * value
    (averaged,) = average.model.parameters()
    assert averaged.item() == pytest.approx(mean, rel=1e-6)


def test_evaluation_counts_every_image_once_and_leaves_the_model_as_it_was() -> None:
    model = network()
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    images, targets = make_images(21)
    task = Classification(("dark", "bright"))
    result = evaluate(model, task, Loader(images, targets, 4, sequential(21)))
    assert len(result.rows) == 21 and torch.equal(result.rows.targets, targets)
    assert model.training
    assert_same_bits(before, model.state_dict())
    with torch.inference_mode():
        whole = task.predict(model.eval(), images.rows)
    torch.testing.assert_close(result.rows.predictions, whole)


def test_label_smoothing_is_the_papers() -> None:
    task = Classification(("a", "b"), label_smoothing=0.1)
    batch = Batch(torch.tensor([[0.0, 2.0]]), torch.tensor([1]), torch.tensor([0]))
    loss = task.losses(nn.Identity(), batch)["loss"]
    log_p = torch.tensor([0.0, 2.0]).log_softmax(0)
    assert loss.item() == pytest.approx(-(0.95 * log_p[1] + 0.05 * log_p[0]).item())
