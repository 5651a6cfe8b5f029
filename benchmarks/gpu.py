"""Training on the GPU of this machine: images a second, and whether it computes what the CPU does.

    python benchmarks/gpu.py [--seconds 5]

One table on stdout: for each network its batch, images a second in training steps as `saccade
train` does them, plain, compiled, and with CUDA graphs, and the share of the GPU's limit, a large
matrix product in the same precision.  Images are noise and lie in memory.  Before it, losses of
ten steps in float32 beside the CPU's.  Without a GPU it says so, and that is all.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice

import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.engine.loop import Step, train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.schedule import constant
from saccade.engine.state import supervised
from saccade.engine.step import Stepper, compile_in_place
from saccade.explain.anatomy import anatomy
from saccade.models.create import create_model, input_shape
from saccade.models.layers.blocks import normalized
from saccade.tasks.classification import Classification

NETWORKS = {"lenet5": 1024, "airbench94": 1024, "resnet18_small": 512, "resnet18": 256,
            "resnet50": 128, "vgg16": 64}  # fmt: skip
LOOK = 10  # steps between two looks at the loss, as in a training
WARM = 10  # steps that are not counted; compilation is among them
CLASSES = tuple("0123456789")


def steps(
    name: str, batch: int, device: torch.device, precision: str, how: str = "off"
) -> Iterator[Step]:
    """Training steps without end."""
    channels, side, _ = input_shape(name)
    chance = torch.Generator().manual_seed(0)
    count = 4 * batch
    images = torch.randint(0, 256, (count, channels, side, side), generator=chance).byte()
    targets = torch.arange(count) % len(CLASSES)
    torch.manual_seed(0)
    network = create_model(name, len(CLASSES))
    model = normalized(network, (0.5,) * channels, (0.25,) * channels).to(device)
    model = model.to(memory_format=torch.channels_last)
    compile_in_place(model, how, device)
    optimizer = OPTIMIZERS["sgd"](parameter_groups(model, 5e-4), 0.01, 0.9)
    stepper = Stepper(optimizer, constant(), 1_000_000, precision=precision)
    loader = Loader(CachedImages(images), targets, batch, shuffled(count, 0))
    augment = compose([parse_augmentation("flip", len(CLASSES))])
    task = Classification(CLASSES)
    events = train(supervised(model, task, stepper), loader, augment, epochs=1_000_000)
    return (event for event in events if isinstance(event, Step))


def rate(events: Iterator[Step], batch: int, seconds: float) -> float:
    """Images a second."""
    for step in islice(events, WARM):
        step.losses["loss"].item()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        losses = [step.losses["loss"] for step in islice(events, LOOK)]
        losses[-1].item()
        done += LOOK * batch
    return done / (time.perf_counter() - began)


def limit(device: torch.device, kind: torch.dtype, side: int = 8192) -> float:
    """Operations a second in a product of large matrices."""
    a, b = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    torch.mm(a, b).sum().item()
    began = time.perf_counter()
    products = [torch.mm(a, b) for _ in range(10)]
    products[-1].sum().item()
    return 10 * 2 * side**3 / (time.perf_counter() - began)


def disagreement(name: str, device: torch.device) -> float:
    """The greatest relative difference of ten losses in float32 from the CPU's."""

    def losses(place: torch.device) -> Tensor:
        ten = islice(steps(name, 8, place, "float32"), 10)
        return torch.stack([step.losses["loss"].cpu() for step in ten])

    here, there = losses(torch.device("cpu")), losses(device)
    return ((here - there).abs() / here).max().item()


def operations(name: str) -> int:
    """Of a training step, for one image."""
    with torch.device("meta"):
        network: nn.Module = create_model(name, len(CLASSES))
    return 6 * anatomy(network, input_shape(name)).total.multiply_adds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    if not torch.cuda.is_available():
        print("no GPU here")
        return
    device = torch.device("cuda")
    short = torch.cuda.is_bf16_supported(including_emulation=False)
    precision = "bfloat16" if short else "float16"
    most = limit(device, getattr(torch, precision))
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {precision}; "
          f"its limit {most / 1e12:.0f} TFLOP/s\n")  # fmt: skip
    print("| network | batch | plain | compiled | CUDA graphs | share of the limit | "
          "off the CPU's losses |\n|---|---:|---:|---:|---:|---:|---:|")  # fmt: skip
    for name, batch in NETWORKS.items():
        made = partial(steps, name, batch, device, precision)
        rates = [rate(made(how), batch, seconds) for how in ("off", "on", "graphs")]
        share = max(rates) * operations(name) / most
        shown = " | ".join(f"{value:,.0f}" for value in rates)
        off = disagreement(name, device)
        print(f"| {name} | {batch} | {shown} | {share:.0%} | {off:.1e} |", flush=True)


if __name__ == "__main__":
    main()
