"""Plans beside what then happens: seconds and memory of a step, in processor time of one thread.

python benchmarks/plan.py [NETWORK ...]

Each network at two sizes: real steps, a forecast, real steps again.  The clock counts processor
time, so that others on the machine trouble the figures less; a plan itself goes by the wall.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import torch

from saccade.engine import profile
from saccade.engine.loop import Step, train
from saccade.engine.memory import peak_memory
from saccade.training.inputs import training_inputs
from saccade.training.plan import Plan, forecast
from saccade.training.prepare import TrainingSetup, prepare

SIZES = {  # pixels
    "cifar_resnet20": (32, 48),
    "cifar_seresnet29": (32, 48),
    "airbench_narrow": (32, 48),
    "cifar_inception": (32, 48),
    "resnet18": (48, 64),
    "googlenet": (64, 80),
}
BATCH = 32  # images
EPOCHS, IMAGES = 30, 50_000  # of the training that is planned
STEPS = 3  # real ones, before and after the forecast


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    clock = time.process_time
    profile.time = SimpleNamespace(perf_counter=clock, process_time=clock)  # type: ignore[assignment]
    print(
        "| network | pixels | tried | step, plan | measured | off | memory, plan | measured | off |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in names or SIZES:
        for size in SIZES[name]:
            print(row(name, size), flush=True)


def row(name: str, size: int) -> str:
    """A line of the table."""
    flags = {
        "model.name": name,
        "data.size": size,
        "data.per_class": BATCH // 2,  # of ten classes: whole batches alone
        "data.held_out_per_class": 2,
        "data.doctor": "off",
        "train.batch_size": BATCH,
        "train.epochs": EPOCHS,
        "train.threads": 1,
    }
    settled = training_inputs(None, "small", flags)
    setup = prepare(settled.settings.recipe, settled.division, lambda done, total: None)
    before, plan, after = measured(setup), planned(setup), measured(setup)
    step, memory = statistics.median(before + after), used(setup)
    return (
        f"| {name} | {size} | {plan.largest_batch} | {1000 * plan.step_seconds:.1f} ms | "
        f"{1000 * step:.1f} ms | {off(plan.step_seconds, step)} | {plan.memory / 1e6:.1f} MB | "
        f"{memory / 1e6:.1f} MB | {off(plan.memory, memory)} |"
    )


def planned(setup: TrainingSetup) -> Plan:
    """The plan of a training on many images."""
    counts = {name: len(split.items) for name, split in setup.splits.items()}
    with tempfile.TemporaryDirectory() as folder:
        return forecast(setup, counts | {"train": IMAGES}, Path(folder))


def measured(setup: TrainingSetup) -> list[float]:
    """Seconds of some steps of the training itself, the first of them left out."""
    steps, seconds = real(setup), []
    for _ in range(STEPS + 1):
        began = time.process_time()
        next(steps)
        seconds.append(time.process_time() - began)
    return seconds[1:]


def used(setup: TrainingSetup) -> int:
    """Bytes of a step at the most, with those of weights, moments and average."""
    with peak_memory(torch.device("cpu")) as most:
        next(real(setup))
    state = setup.stepper.optimizer.state_dict()["state"].values()
    tensors = [t for one in state for t in one.values() if isinstance(t, torch.Tensor)]
    for network in (setup.model, setup.eval_model):
        tensors += network.state_dict().values()
    return most() + sum(t.nbytes for t in tensors)


def real(setup: TrainingSetup) -> Iterator[None]:
    """The steps of the training, its average among what they do."""
    p = setup
    p.stepper.steps_done, p.stepper.done = 0, 0.0
    for event in train(p.state, p.loader, p.augment, epochs=EPOCHS):
        if isinstance(event, Step):
            p.state.update_ema()
            yield


def off(plan: float, found: float) -> str:
    return f"{100 * (plan / found - 1):+.0f} %"


if __name__ == "__main__":
    main(sys.argv[1:])
