"""The cost of a training in time, memory and disk, forecast from a few measured steps."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import torch

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.augmentation.crop import STAGES, stage_sizes
from saccade.data.item import Item
from saccade.data.splits import DataSplit
from saccade.data.store import format_bytes
from saccade.device import limit_threads
from saccade.engine.memory import free_device_memory, inference_bytes
from saccade.engine.profile import (
    PROFILE_SHARE,
    StepProfile,
    TrainingCopy,
    peak_flops,
    profile_steps,
)
from saccade.engine.stages import Stage
from saccade.engine.step import PRECISIONS
from saccade.errors import ResourceError
from saccade.explain.anatomy import anatomy
from saccade.files import atomic_write, refuse_unwritable
from saccade.models.table import shown_name
from saccade.recipes.recipe import Recipe
from saccade.training.inputs import training_inputs
from saccade.training.lr_find import STEPS
from saccade.training.prepare import TrainingSetup, prepare
from saccade.words import aligned, duration, html_table

PROFILE_SECONDS = 2.0  # of measured steps
SAMPLE_BATCHES = 4  # decoded for a plan
PER_CLASS = 3  # images of each class among them
SAMPLE_BYTES = 2**24  # written to measure the speed of the disk


@dataclass(frozen=True)
class StageCosts:
    """The cost of an epoch of a stage."""

    stage: str
    epoch_seconds: float


@dataclass(frozen=True, repr=False)
class Plan:
    """The cost of a training on this machine: seconds, bytes and counts.

    Memory, step and epoch are those of the last stage, in which the most weights are trained.
    """

    model: str
    device: str
    batch_size: int
    parameters: int
    multiply_adds: int  # of one image, forward
    memory: int  # beside the program and its images
    memory_free: int
    checkpoint: int  # bytes of one on disk
    images: Mapping[str, int]  # by split
    decode_seconds: float | None  # of all images, once; None where they are there already
    step_seconds: float
    epoch_seconds: float  # with measuring and saving
    epochs: int
    stages: tuple[StageCosts, ...]
    seconds: float  # in all, decoding too
    operations_per_second: float  # two a multiply-add, backward twice forward
    machine_operations_per_second: float | None  # of a matrix product; None in a short training
    largest_batch: int  # images of the largest batch that was measured

    @property
    def flops_utilization(self) -> float | None:
        """The FLOP/s of the training as a share of the machine's matrix product, 0 to 1."""
        peak = self.machine_operations_per_second
        return self.operations_per_second / peak if peak else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; "share" is `flops_utilization`."""
        return asdict(self) | {"share": self.flops_utilization}

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        memory = f"{format_bytes(self.memory)} of {format_bytes(self.memory_free)} free"
        batch = f", for {self.batch_size} images per step" if self.epochs else ""
        speed = f"{self.operations_per_second / 1e9:,.0f} GFLOP/s"
        if self.flops_utilization is not None:
            speed += f", {100 * self.flops_utilization:.0f} % of this machine's matrix product"
        epoch = duration(self.epoch_seconds)
        measured = f"a step {duration(self.step_seconds)}"
        if self.largest_batch < self.batch_size:
            measured += f", from batches of up to {self.largest_batch}"
        rows = [
            ("network", f"{self.model}, {self.parameters:,} parameters"),
            ("multiply-adds", f"{self.multiply_adds:,} per image"),
            ("memory", f"{memory}{batch}"),
            ("speed", f"{speed}; {measured}"),
            ("in all", f"{duration(self.seconds)}, {self._epochs}"),
        ]
        if self.epochs:
            rows.insert(-1, ("an epoch", f"{epoch}, {self.images['train']:,} images to train on"))
        if len(self.stages) > 1:
            per_stage = (f"{s.stage}, {duration(s.epoch_seconds)} each" for s in self.stages)
            rows.insert(-1, ("in stages", "; ".join(per_stage)))
        if self.decode_seconds is not None:
            rows.insert(4, ("reading", duration(self.decode_seconds)))
        return rows

    def line(self) -> str:
        """The plan in one line."""
        share = (
            f", {100 * self.flops_utilization:.0f} % of the machine's matrix product"
            if self.flops_utilization
            else ""
        )
        per_epoch = f"an epoch {duration(self.epoch_seconds)}, " if self.epochs else ""
        return (
            f"plan: {self.parameters:,} parameters, {self.multiply_adds:,} multiply-adds per "
            f"image, {format_bytes(self.memory)} of memory; {per_epoch}{self._epochs} "
            f"{duration(self.seconds)}{share}"
        )

    @property
    def _epochs(self) -> str:
        if not self.epochs:
            return "measuring"
        return "1 epoch" if self.epochs == 1 else f"{self.epochs:,} epochs"

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"Plan({self.model}: {duration(self.seconds)}, {format_bytes(self.memory)})"

    def _repr_html_(self) -> str:
        return html_table(("plan", ""), self.rows())


def plan_training(
    data: str | Path | None,
    recipe: str | Path | None,
    flags: Mapping[str, Any],
    out: Path | None,
) -> Plan:
    """The plan of the training with these settings; nothing is written."""
    if out is not None:
        refuse_unwritable(out)
    inputs = training_inputs(data, recipe, flags)
    with limit_threads(int(inputs.settings.recipe.train.threads)):
        return plan_for(inputs.settings.recipe, inputs.division, folder_of(out))


def folder_of(out: Path | None) -> Path:
    """The folder in which the run `out`, or the next one, will be made."""
    return (out if out is not None else Path("runs") / "new").absolute().parent


def plan_for(recipe: Recipe, division: DataSplit, folder: Path) -> Plan:
    """The plan of a training on `division`, from a few of its images."""
    stopwatch = Stopwatch()
    splits = {"train": division.train, "val": division.val, "test": division.test}
    batch = int(recipe.train.batch_size)
    sampled = replace(division, **{name: sample(items, batch) for name, items in splits.items()})
    uncached = recipe.data.cache == "off"
    in_memory = recipe.with_({"data.cache": "off" if uncached else "memory"})
    setup = prepare(in_memory, sampled, stopwatch)
    counts = {name: len(items) for name, items in splits.items()}
    return forecast(setup, counts, folder, stopwatch.seconds_per_image * sum(counts.values()))


def sample(items: tuple[Item, ...], batch: int) -> tuple[Item, ...]:
    """A few batches of `items`, evenly spread, with some of each class."""
    counts: dict[str, int] = {}
    indices = set(range(0, len(items), max(1, len(items) // (SAMPLE_BATCHES * batch))))
    for index, item in enumerate(items):
        if isinstance(item.label, str):
            counts[item.label] = counts.get(item.label, 0) + 1
            if counts[item.label] <= PER_CLASS:
                indices.add(index)
    return tuple(items[index] for index in sorted(indices))


class Stopwatch:
    """A progress callback that measures the seconds per decoded image."""

    def __init__(self) -> None:
        self.first = self.last = time.perf_counter()
        self.count = 0

    def __call__(self, done: int, total: int) -> None:
        self.last = time.perf_counter()
        if not self.count:
            self.first = self.last
        self.count += 1

    @property
    def seconds_per_image(self) -> float:
        """Seconds from one image to the next, on average."""
        return (self.last - self.first) / max(1, self.count - 1)


def forecast(
    setup: TrainingSetup, counts: Mapping[str, int], folder: Path, decode: float | None = None
) -> Plan:
    """The plan of a prepared training with `counts` images in each split.

    `decode` is the seconds that decoding all images will take.
    """
    recipe = setup.recipe
    batch = min(int(recipe.train.batch_size), counts["train"])
    profiles = [_stage_profile(setup, counts["train"], stage) for stage in recipe.stages]
    profile = profiles[-1]
    saving = saving_seconds(profile.resident_bytes, folder)
    epoch_seconds = [
        counts["train"] / batch * p.step_seconds * progressive_resizing_cost(recipe)
        + counts["val"] * p.eval_seconds
        + saving
        for p in profiles
    ]
    step, epoch = profile.step_seconds * progressive_resizing_cost(recipe), epoch_seconds[-1]
    epochs = _epochs(recipe, epoch)
    last = recipe.stages[-1]
    stages = [*recipe.stages[:-1], replace(last, epochs=epochs - last.first)]
    training = sum(s.epochs * seconds for s, seconds in zip(stages, epoch_seconds, strict=True))
    final_seconds = (2 * counts["val"] + counts["test"]) * profile.eval_seconds
    final_seconds += STEPS * step if recipe.optim.lr == "auto" else 0.0
    shape = (setup.preprocessing.channels, *(2 * [setup.preprocessing.size]))
    multiply_adds = anatomy(setup.model, shape).total.multiply_adds
    device = next(setup.model.parameters()).device
    long = training > 10 * PROFILE_SECONDS
    return Plan(
        model=shown_name(recipe.model.name),
        device=str(device),
        batch_size=int(recipe.train.batch_size),
        parameters=sum(
            p.numel()
            for network in setup.state.networks.values()
            for p in network.model.parameters()
        ),
        multiply_adds=multiply_adds,
        memory=profile.resident_bytes + profile.peak_bytes if epochs else _inference_memory(setup),
        memory_free=free_device_memory(device),
        checkpoint=profile.resident_bytes,
        images=dict(counts),
        decode_seconds=decode,
        step_seconds=step,
        epoch_seconds=epoch,
        epochs=epochs,
        stages=tuple(map(StageCosts, map(str, stages), epoch_seconds)),
        seconds=(decode or 0.0) + training + final_seconds,
        operations_per_second=6 * multiply_adds * batch / profile.step_seconds,
        machine_operations_per_second=_machine_flops(device, recipe) if long else None,
        largest_batch=profile.largest_batch,
    )


def _inference_memory(setup: TrainingSetup) -> int:
    """Bytes of weights and of the maps of inference: nothing is trained."""
    weights = sum(value.nbytes for value in setup.model.state_dict().values())
    return weights + inference_bytes(next(setup.model.parameters()).device)


def _epochs(recipe: Recipe, seconds: float) -> int:
    """The number of epochs of so many seconds each, within the training's minutes."""
    train = recipe.train
    return min(train.epochs, ceil(60 * train.minutes / seconds)) if train.minutes else train.epochs


def _machine_flops(device: torch.device, recipe: Recipe) -> float:
    return peak_flops(device, PRECISIONS[recipe.train.precision])


def _stage_profile(setup: TrainingSetup, count: int, stage: Stage) -> StepProfile:
    """The step profile of a stage on `count` images, at full size under progressive resizing."""
    recipe = setup.recipe
    augmentations = [
        parse_augmentation(text, len(setup.task.classes)) for text in recipe.data.augment
    ]
    training = TrainingCopy.of(
        setup.state, setup.task, setup.loader, compose(augmentations), epoch=stage.first
    )
    train = recipe.train
    batch = min(int(train.batch_size), len(setup.loader.targets))
    steps = stage.epochs * ceil(count / int(train.batch_size))
    seconds = PROFILE_SECONDS / len(recipe.stages)
    seconds = min(seconds, PROFILE_SHARE * 60 * train.minutes) if train.minutes else seconds
    return profile_steps(training, batch, train.micro_batch_size, steps, seconds)


def progressive_resizing_cost(recipe: Recipe) -> float:
    """The mean cost of a step under progressive resizing, relative to images of full size."""
    size = int(recipe.data.size)
    if recipe.data.progressive_resizing == 1:
        return 1.0
    return (
        sum(
            (stage_size / size) ** 2
            for stage_size in stage_sizes(size, recipe.data.progressive_resizing)
        )
        / STAGES
    )


def saving_seconds(count: int, folder: Path) -> float:
    """Seconds to write a checkpoint of `count` bytes into `folder`, from writing a sample there.

    Raises `ResourceError` where that fails, as the first checkpoint would.
    """
    data = bytes(min(count, SAMPLE_BYTES))
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            began = time.perf_counter()
            hashlib.sha256(data)
            atomic_write(Path(temporary) / "part", data)
            return (time.perf_counter() - began) * max(1.0, count / SAMPLE_BYTES)
    except OSError as error:
        raise ResourceError(
            f"cannot write to the folder '{folder}': {error.strerror}",
            "make room, or name another one with --out",
        ) from error
