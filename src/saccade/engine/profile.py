"""Profile: the seconds and the memory that a step of training takes, measured on a copy of it.

Batches of 4, 8, 16 ... images go through, thrice each, until the batch of the training is reached
or the time is up; where it is not reached, time and memory follow the line through the last two.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation
from saccade.data.loader import Loader
from saccade.engine.evaluate import at_once, predict
from saccade.engine.loop import Step, train
from saccade.engine.memory import peak_memory
from saccade.engine.state import TrainState
from saccade.tasks.task import Task

MIN_BATCH = 4  # images of the smallest batch
PROFILE_SHARE = 0.02  # share of a short training that its measurement may take ...
MIN_SECONDS = 0.15  # ... but so many seconds at least
MATRIX_SIZE = 1024  # of the matrices whose product the machine's rate is measured by


@dataclass(frozen=True)
class StepProfile:
    """Time and memory of training steps on whole batches: seconds and bytes."""

    step_seconds: float
    eval_seconds: float  # of one held-out image
    peak_bytes: int  # that a step takes at the most, beside weights and what the optimizer keeps
    resident_bytes: int  # of weights, moments and EMAs
    largest_batch: int  # images of the largest batch that was measured


@dataclass
class TrainingCopy:
    """A copy of a training, whose steps leave the training itself as it is."""

    state: TrainState
    task: Task
    loader: Loader
    augment: Augmentation
    order: Tensor  # of the images in the first epoch
    done: int = 0  # images
    sizes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        state: TrainState,
        task: Task,
        loader: Loader,
        augment: Augmentation,
        *,
        epoch: int = 0,
    ) -> TrainingCopy:
        """A copy of all networks, in which all is trained that is in `epoch`, from 0."""
        state = copy.deepcopy(state)
        state.begin_epoch(epoch)
        for stepper in state.steppers.values():
            stepper.micro_batch = 0
        return cls(state, task, loader, augment, loader.order(0))

    def step(self, images: int) -> float:
        """Seconds of one step with a batch of `images` images, to the end of the device's work."""
        data, start = self.loader, self.done % max(1, len(self.order) - images)
        indices = self.order[start : start + images]
        loader = Loader(data.images, data.targets, images, lambda epoch: indices)
        self.done += images
        events = train(self.state, loader, self.augment, epochs=1)
        began = time.perf_counter()
        event = next(events)
        self.state.update_ema()
        if isinstance(event, Step):
            list(event.losses.values())[-1].item()  # waits for the device
        seconds = time.perf_counter() - began
        events.close()  # type: ignore[attr-defined]
        for stepper in self.state.steppers.values():
            stepper.steps_done, stepper.done = 0, 0.0
        return seconds

    def profile_batches(self, batch_size: int, enough: Callable[[], bool]) -> None:
        """Try ever larger batches up to `batch_size`, and that one repeatedly, until `enough`."""
        size = min(MIN_BATCH, batch_size)
        self.step(size)  # warm-up: moments and workspaces are allocated once
        while True:
            with peak_memory(self.state.device) as peak:
                self.step(size)
            times = [self.step(size), self.step(size)]
            while size == batch_size and not enough() and len(times) < 100:
                times.append(self.step(size))
            self.sizes.append(size)
            self.seconds.append(min(times) if len(times) == 2 else median(times))
            self.bytes.append(peak())
            if size == batch_size or (len(self.sizes) > 1 and enough()):
                return
            size = min(2 * size, batch_size)

    def measure(self, seconds: float) -> float:
        """Seconds to measure one held-out image, in about so many seconds."""
        per_image = self.seconds[-1] / self.sizes[-1]
        count = int(max(MIN_BATCH, min(256, seconds / per_image, len(self.loader.targets))))
        indices = torch.arange(min(count, len(self.loader.targets)))
        loader = Loader(
            self.loader.images, self.loader.targets, len(indices), lambda epoch: indices
        )
        times, model = [], self.state.main.model
        most = at_once(model, self.task, loader)
        for _ in range(2):
            began = time.perf_counter()
            for prediction, *_ in predict(model, self.task, loader, most):
                prediction.to("cpu")
            times.append(time.perf_counter() - began)
        return min(times) / len(indices)


def profile_steps(
    training: TrainingCopy, batch_size: int, micro_batch: int, steps: int, seconds: float
) -> StepProfile:
    """Time and memory of a step in a training of `steps` steps, in at most so many seconds.

    For a short training measuring ends earlier: after `PROFILE_SHARE` of the time forecast for it
    so far, or after `MIN_SECONDS`.
    """
    began = time.perf_counter()

    def enough() -> bool:
        if not training.seconds:
            return False
        forecast = steps * extrapolate(training.sizes, training.seconds, batch_size)
        return time.perf_counter() - began > min(
            seconds, max(MIN_SECONDS, PROFILE_SHARE * forecast)
        )

    with fork_rng(training.state.device):
        training.profile_batches(batch_size, enough)
        step = extrapolate(training.sizes, training.seconds, batch_size)
        held_out = training.measure(min(seconds / 4, PROFILE_SHARE * steps * step / 4))
    images_at_once = micro_batch or batch_size
    return StepProfile(
        step,
        held_out,
        int(extrapolate(training.sizes, training.bytes, images_at_once)),
        resident_bytes(training.state),
        training.sizes[-1],
    )


def extrapolate(x: list[int], y: list[float] | list[int], at: int) -> float:
    """Linear extrapolation to `at` from the last two points; never below the smallest y."""
    if at in x:
        return y[x.index(at)]
    if len(x) < 2:
        return y[-1] * at / x[-1]
    slope = max(0.0, (y[-1] - y[-2]) / (x[-1] - x[-2]))
    return max(min(y), y[-1] + slope * (at - x[-1]))


def resident_bytes(state: TrainState) -> int:
    """Bytes of weights, buffers, moments and EMAs: what stays between two steps."""
    tensors = [t for model in state.models for t in model.state_dict().values()]
    for stepper in state.steppers.values():
        moments = stepper.optimizer.state_dict()["state"]
        values = [value for moment in moments.values() for value in moment.values()]
        tensors += [value for value in values if isinstance(value, Tensor)]
    return sum(t.nbytes for t in tensors)


def peak_flops(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product: the best of six.

    A processor's seconds are those that each thread works, so that other programs do not make the
    machine look slow.
    """
    cuda = device.type == "cuda"
    size = 8 * MATRIX_SIZE if cuda else MATRIX_SIZE
    clock, threads = (
        (time.perf_counter, 1) if cuda else (time.process_time, torch.get_num_threads())
    )
    matrix = torch.ones(size, size, dtype=dtype, device=device)
    best = float("inf")
    for _ in range(6):
        began = clock()
        (matrix @ matrix)[0, 0].item()
        best = min(best, (clock() - began) / threads)
    return 2 * size**3 / best


@contextmanager
def fork_rng(device: torch.device) -> Iterator[None]:
    """PyTorch's global random state after the block is what it was before."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
