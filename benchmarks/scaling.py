"""What a second process adds on this machine: images/s and processor time, one thread a process.

python benchmarks/scaling.py [PROCESSES]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import torch

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.engine.distributed.torch_world import init_world
from saccade.engine.loop import Step, train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.schedule import cosine
from saccade.engine.state import supervised
from saccade.engine.step import Stepper
from saccade.models.create import create_model, input_shape
from saccade.models.layers.blocks import normalized
from saccade.tasks.classification import Classification

REPEATS = 3  # one process and several in turn, so that a busy machine troubles both alike


@dataclass(frozen=True)
class Case:
    """A training of which a few steps are timed."""

    model: str
    size: int  # pixels
    batch: int  # images
    steps: int
    augment: str


CASES = (
    Case("lenet5", 32, 64, 60, "translate:2 rotate:12 scale:0.12 shear:8"),
    Case("cifar_resnet20", 32, 128, 8, "pad_crop flip"),
    Case("resnet18", 128, 32, 4, "resized_crop flip"),
)


def main(processes: int) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    print(f"{cores} cores; {load:.1f} processes were running or waiting when it began\n")
    wall, work = "images/s, 1 process", "processor seconds per 1,000 images, 1 process"
    print(
        f"| network | batch | {wall} | {processes} | efficiency | {work} | {processes} | of use |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for case in CASES:
        rows: dict[int, list[tuple[float, float]]] = {1: [], processes: []}
        for _ in range(REPEATS):
            for count, found in rows.items():
                found.append(measured(case, count))
        (one, effort), (many, efforts) = (
            [statistics.median(values) for values in zip(*found)] for found in rows.values()
        )
        cells = f"{one:.0f} | {many:.0f} | {100 * many / (processes * one):.0f} %"
        cells += f" | {effort:.2f} | {efforts:.2f} | {100 * effort / efforts:.0f} %"
        print(f"| {case.model} at {case.size} px | {case.batch} | {cells} |", flush=True)


def measured(case: Case, processes: int) -> tuple[float, float]:
    """Images a second, and processor seconds of all processes for 1,000 images."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    words = [*torchrun, "--nproc-per-node", str(processes), __file__, "worker"]
    done = subprocess.run(
        [*words, json.dumps(asdict(case))],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    images = case.steps * case.batch
    wall = max(row["wall"] for row in rows)
    return images / wall, 1000 * sum(row["work"] for row in rows) / images


def worker(case: Case) -> None:
    """One of the processes; the first two steps, which set things up, are not timed."""
    channels = input_shape(case.model)[0]
    count = case.batch * (case.steps + 2)
    chance = torch.Generator().manual_seed(0)
    shape = (count, channels, case.size, case.size)
    images = CachedImages(torch.randint(0, 256, shape, dtype=torch.uint8, generator=chance))
    torch.manual_seed(0)
    network = create_model(case.model, num_classes=10)
    model = normalized(network, (0.5,) * channels, (0.25,) * channels)
    model = model.to(memory_format=torch.channels_last)
    loader = Loader(images, torch.arange(count) % 10, case.batch, shuffled(count, 0))
    optimizer = OPTIMIZERS["adamw"](parameter_groups(model, 0.05), 0.001, 0.9)
    task = Classification(tuple("0123456789"))
    augment = compose([parse_augmentation(text) for text in case.augment.split()])
    with init_world() as world:
        stepper = Stepper(optimizer, cosine(), len(loader), precision="bfloat16", world=world)
        began, busy = 0.0, 0.0
        for event in train(supervised(model, task, stepper), loader, augment, epochs=1):
            if isinstance(event, Step) and event.step == 1:
                began, busy = time.perf_counter(), time.process_time()
        wall, work = time.perf_counter() - began, time.process_time() - busy
        print(json.dumps({"wall": wall, "work": work}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        worker(Case(**json.loads(sys.argv[2])))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 2)
