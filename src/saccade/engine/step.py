"""The optimizer step of one network.

Schedule, mixed precision, gradient accumulation, gradient clipping and smaller micro-batches when
memory runs out belong to the step, so that the training loop knows nothing of them.
`compile_in_place` is for the network's forward and backward pass.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field
from itertools import accumulate, pairwise
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.engine.distributed.world import SINGLE_PROCESS, World
from saccade.engine.optim import Optimizer
from saccade.engine.schedule import ReduceOnPlateau, Schedule
from saccade.errors import ResourceError, UsageError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class Stepper:
    """An optimizer with learning-rate schedule, precision, gradient accumulation and clipping.

    In float16, whose range is narrow, the loss is scaled up for the backward pass (Micikevicius
    2017, "Mixed precision training", Section 3.2); a step whose gradient overflows is left out,
    and the scale halved.

    "lr_scale" of a parameter group is a factor on the learning rate; a group that is new in step
    "first_step" rises to it over the next "warmup_steps".  The clock of `minutes` starts when the
    stepper is made, and goes on where it was when a state is loaded.
    """

    optimizer: Optimizer
    schedule: Schedule
    total_steps: int
    _: KW_ONLY
    precision: str = "float32"  # of convolutions and matrix products; weights stay float32
    clip: float = 0.0  # maximum norm of the whole gradient; 0: no clipping
    minutes: float = 0.0  # after which the training ends all the same; 0: no limit
    micro_batch: int = 0  # images of a forward and backward pass; 0: the whole batch
    min_micro_batch: int = 1  # images down to which micro_batch is halved when memory runs out
    plateau: ReduceOnPlateau = field(default_factory=ReduceOnPlateau)
    world: World = SINGLE_PROCESS  # the processes that share each batch

    def __post_init__(self) -> None:
        self.dtype = PRECISIONS[self.precision]
        device_type = next(p.device.type for g in self.optimizer.param_groups for p in g["params"])
        self.scaler = torch.amp.GradScaler(device_type, enabled=self.dtype is torch.float16)
        self.peak_lr: float = self.optimizer.param_groups[0]["lr"]
        self.steps_done = 0
        self.began = time.monotonic()
        self.done = 0.0  # share of the training
        self.stopped = False  # early

    @property
    def lr_scales(self) -> list[float]:
        """The factor on the learning rate of each parameter group in the next step."""
        return [self._lr_scale(group) for group in self.optimizer.param_groups]

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self.peak_lr * self.schedule(self.done) * self.plateau.factor

    @property
    def finished(self) -> bool:
        """Whether steps or time are used up, or the training was stopped."""
        return self.done >= 1 or self.stopped

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        return time.monotonic() - self.began

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """The context for the forward pass."""
        lower = self.dtype is not torch.float32
        return torch.autocast(device.type, dtype=self.dtype, enabled=lower)

    def train_step(
        self, losses_of: Callable[[Batch], Mapping[str, Tensor]], batch: Batch
    ) -> dict[str, Tensor]:
        """One optimizer step on the batch's "loss" []; returns all losses [], detached.

        Accumulated over micro-batches, the gradient is that of the whole batch where losses are
        means over independent images, which batch normalisation makes dependent.  When memory runs
        out, the step starts over with half the micro-batch, down to `min_micro_batch`.  Raises
        `ResourceError` where these are too many.
        """
        while (totals := self._accumulate(losses_of, batch)) is None:
            self._halve_micro_batch(len(self.world.shard(batch)[0]))
            torch.manual_seed(torch.initial_seed())  # the random draws of the step, from the first
        self._optimizer_step()
        return self.world.sum_over_processes(totals)

    def _accumulate(
        self, losses_of: Callable[[Batch], Mapping[str, Tensor]], batch: Batch
    ) -> dict[str, Tensor] | None:
        """The losses of the batch, its gradient in the weights; None when memory runs out."""
        self.optimizer.zero_grad(set_to_none=True)
        totals: dict[str, Tensor] = {}
        shard, counts = self.world.shard(batch)
        chunks = micro_batches(shard, self.micro_batch)
        try:
            for chunk in chunks:
                share = counts * len(chunk) / len(batch)
                with self.world.gradient_sync(chunk is chunks[-1]):
                    with self.autocast(chunk.images.device):
                        losses = losses_of(chunk)
                    self.scaler.scale(self.world.size * share * losses["loss"]).backward()
                for name, loss in losses.items():
                    totals[name] = totals.get(name, 0) + share * loss.detach()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None  # the tensors of the failed pass are freed with its error
        return totals

    def _halve_micro_batch(self, length: int) -> None:
        """Halve the micro-batch size in a batch of `length` images."""
        current = min(self.micro_batch or length, length)
        if current <= self.min_micro_batch:
            raise out_of_memory_error(current)
        self.micro_batch = max(self.min_micro_batch, ceil(current / 2))

    def add_groups(self, groups: list[dict[str, Any]], first_step: int, warmup_steps: int) -> None:
        """Train the new weights in `groups` from `first_step` on, after a warmup of their own."""
        trained = {weight for group in self.optimizer.param_groups for weight in group["params"]}
        for group in groups:
            if new := [weight for weight in group["params"] if weight not in trained]:
                start = {"first_step": first_step, "warmup_steps": warmup_steps}
                self.optimizer.add_param_group({**group, "params": new, **start})

    def stop(self) -> None:
        """End the training before its steps or minutes are used up."""
        self.stopped = True

    def observe(self, metric: float) -> None:
        """Give the schedule the validation metric of an epoch, lower is better."""
        self.plateau.observe(metric)

    def _optimizer_step(self) -> None:
        """Clip, set each group's learning rate, step, and count the step."""
        groups, lr = self.optimizer.param_groups, self.lr
        if self.clip:
            self.scaler.unscale_(self.optimizer)  # type: ignore[arg-type]
            weights = [p for group in groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(weights, self.clip)
        for group, lr_scale in zip(groups, self.lr_scales, strict=True):
            group["lr"] = lr * lr_scale
        self.scaler.step(self.optimizer)  # type: ignore[arg-type]
        self.scaler.update()
        self.steps_done += 1
        self.done = self._progress()

    def _lr_scale(self, group: dict[str, Any]) -> float:
        scale, warmup = group.get("lr_scale", 1.0), group.get("warmup_steps", 0)
        if not warmup:
            return scale
        return scale * min(1.0, max(0.0, (self.steps_done - group["first_step"] + 1) / warmup))

    def _progress(self) -> float:
        by_steps = self.steps_done / self.total_steps
        if not self.minutes:
            return by_steps
        by_clock = self.seconds / (60 * self.minutes)
        return min(1.0, max(by_steps, self.world.broadcast_number(by_clock)))

    def state_dict(self) -> dict[str, Any]:
        """Optimizer state, number of steps, micro-batch, clock, plateau and loss scale."""
        return {
            "optimizer": self.optimizer.state_dict()["state"],
            "steps_done": self.steps_done,
            "micro_batch": self.micro_batch,
            "seconds": self.seconds,
            "plateau": self.plateau.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`; learning rates and decays stay those of this optimizer."""
        groups = self.optimizer.state_dict()["param_groups"]
        weights = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        state_of = {
            int(k): _in_memory_order(v, weights[int(k)]) for k, v in state["optimizer"].items()
        }
        self.optimizer.load_state_dict({"state": state_of, "param_groups": groups})
        self.steps_done, self.micro_batch = state["steps_done"], state["micro_batch"]
        self.began = time.monotonic() - state["seconds"]
        self.plateau.load_state_dict(state["plateau"])
        self.scaler.load_state_dict(state.get("scaler", {}))
        self.done = self._progress()


def _in_memory_order(state: dict[str, Any], weight: Tensor) -> dict[str, Any]:
    """Moments in the memory format of their weight, which fused optimizers rely on."""
    return {
        name: torch.empty_like(weight).copy_(value)
        if isinstance(value, Tensor) and value.shape == weight.shape
        else value
        for name, value in state.items()
    }


def micro_batches(batch: Batch, size: int) -> list[Batch]:
    """The batch split, in order, into equal parts of at most `size` images; 0: as a whole."""
    if not size:
        return [batch]
    chunks = batch.index.tensor_split(ceil(len(batch) / size))
    ends = accumulate(map(len, chunks), initial=0)
    return [batch[slice(first, end)] for first, end in pairwise(ends)]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, PyTorch's allocator or Python itself ran out of memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def out_of_memory_error(images: int) -> ResourceError:
    """The error where even so few images at a time do not fit."""
    count = "1 image" if images == 1 else f"{images} images"
    return ResourceError(
        f"memory does not suffice for a step with {count} at a time",
        "take a smaller data.size or another model; where train.class_weights keep a batch whole, "
        "a smaller train.batch_size; with several processes, set train.micro_batch_size",
    )


COMPILERS = ("g++", "clang++")
MODES = {  # torch.compile's
    "on": "default",
    "graphs": "reduce-overhead",  # CUDA graphs: all kernels of a pass launched at once
}


def compile_in_place(model: nn.Module, mode: str, device: torch.device) -> None:
    """Have torch.compile compile `model` at its first step: "off", "on", or "graphs" on CUDA.

    It costs 20 to 190 seconds before the first step, and again before the first evaluation; on a
    CPU it gains little or nothing (docs/speed.md).  Weights keep their names, as the module is
    compiled in place.  Raises what `refuse_compiling` raises.
    """
    refuse_compiling(mode, device)
    if mode != "off":
        model.compile(mode=MODES[mode])


def refuse_compiling(mode: str, device: torch.device) -> None:
    """Raise `UsageError` for graphs without CUDA, `ResourceError` without a compiler."""
    if mode == "graphs" and device.type != "cuda":
        hint = "set train.compile=on, or off"
        raise UsageError(f"train.compile=graphs needs a CUDA device, not {device}", hint)
    if mode != "off" and device.type == "cpu" and not has_compiler():
        hint = f"install {COMPILERS[0]}, or leave train.compile=off"
        raise ResourceError("train.compile needs a C++ compiler, and none is found", hint)


def has_compiler() -> bool:
    """Whether there is a C++ compiler, which torch.compile needs on a CPU."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS))
