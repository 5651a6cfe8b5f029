"""Shortage of memory: what allocators say, and what a person is told."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.engine.distributed.world import ALONE, World
from saccade.engine.optim import Optimizer
from saccade.engine.schedule import Plateau, Schedule
from saccade.errors import ResourceError, UsageError


def is_shortage(error: BaseException) -> bool:
    """Whether a device, PyTorch's allocator or Python itself ran out of memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def too_large(pictures: int) -> ResourceError:
    """The error where even so few pictures at a time do not fit."""
    count = "1 picture" if pictures == 1 else f"{pictures} pictures"
    return ResourceError(
        f"memory does not suffice for a step with {count} at a time",
        "take a smaller data.size or another model; where train.class_weights keep a batch whole, "
        "a smaller train.batch_size; with several processes, set train.micro_batch_size",
    )


# Descent: an optimizer with all that stands around its step, so that the loop has no `if`.


PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class Descent:
    """Rate by schedule, forward in lower precision, gradients gathered and clipped.

    In float16, whose range is narrow, the loss is scaled up for the way back (Micikevicius 2017,
    Section 3.2); a step whose gradient overflows is left out, and the scale halved.

    A group of the optimizer that has a "rate" moves at that share of the whole rate; one that has
    joined in step "joined" comes to it over the next "rise" steps.  The clock of `minutes` begins
    here, and goes on where it was when a state is taken up.
    """

    optimizer: Optimizer
    schedule: Schedule
    total_steps: int
    _: KW_ONLY
    precision: str = "float32"  # of convolutions and matrix products; weights stay float32
    clip: float = 0.0  # highest norm of the whole gradient; 0: as it is
    minutes: float = 0.0  # after which the schedule is at its end all the same; 0: no limit
    micro_batch: int = 0  # pictures that go through at a time; 0: the whole batch
    least: int = 1  # pictures that memory may bring micro_batch down to
    plateau: Plateau = field(default_factory=Plateau)
    world: World = ALONE  # the processes that go down together

    def __post_init__(self) -> None:
        self.lower = PRECISIONS[self.precision]
        place = next(p.device.type for g in self.optimizer.param_groups for p in g["params"])
        self.scaler = torch.amp.GradScaler(place, enabled=self.lower is torch.float16)
        self.full_rate: float = self.optimizer.param_groups[0]["lr"]
        self.steps_done = 0
        self.began = time.monotonic()
        self.done = 0.0  # share of the training
        self.ended = False  # before its time

    @property
    def shares(self) -> list[float]:
        """Of the whole rate, that of each group in the step to come."""
        return [self._share(group) for group in self.optimizer.param_groups]

    @property
    def lr(self) -> float:
        """The rate of the step to come."""
        return self.full_rate * self.schedule(self.done) * self.plateau.factor

    @property
    def over(self) -> bool:
        """Whether steps or time are used up, or it was ended."""
        return self.done >= 1 or self.ended

    @property
    def seconds(self) -> float:
        """What the clock has counted."""
        return time.monotonic() - self.began

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """The context for the forward pass."""
        lower = self.lower is not torch.float32
        return torch.autocast(device.type, dtype=self.lower, enabled=lower)

    def step(self, loss: Tensor) -> None:
        """Go down the gradient of `loss` once."""
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self._move()

    def down(
        self, losses_of: Callable[[Batch], Mapping[str, Tensor]], batch: Batch
    ) -> dict[str, Tensor]:
        """Go down the gradient of the batch's "loss" once; gives all losses, detached.

        Gathered from micro-batches, the gradient is that of the whole batch where losses are means
        over pictures that do not meet, as they do in batch normalisation.  Where memory does not
        suffice, the step begins again with half as many pictures at a time, down to `least`.
        Raises `ResourceError` where these are too many.
        """
        while (totals := self._gathered(losses_of, batch)) is None:
            self._halve(len(self.world.part(batch)[0]))
            torch.manual_seed(torch.initial_seed())  # the chance of the step, from its beginning
        self._move()
        return self.world.total(totals)

    def _gathered(
        self, losses_of: Callable[[Batch], Mapping[str, Tensor]], batch: Batch
    ) -> dict[str, Tensor] | None:
        """The losses of the batch, its gradient in the weights; None where memory is short."""
        self.optimizer.zero_grad(set_to_none=True)
        totals: dict[str, Tensor] = {}
        mine, counts = self.world.part(batch)
        parts = _parts(mine, self.micro_batch)
        try:
            for part in parts:
                share = counts * len(part) / len(batch)
                with self.world.meeting(part is parts[-1]):
                    with self.autocast(part.images.device):
                        losses = losses_of(part)
                    self.scaler.scale(self.world.size * share * losses["loss"]).backward()
                for name, loss in losses.items():
                    totals[name] = totals.get(name, 0) + share * loss.detach()
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error):
                raise
            return None  # what the failed pass held goes with its error
        return totals

    def _halve(self, length: int) -> None:
        """Take half as many pictures of a batch of `length` at a time as just now."""
        now = min(self.micro_batch or length, length)
        if now <= self.least:
            raise too_large(now)
        self.micro_batch = max(self.least, ceil(now / 2))

    def join(self, groups: list[dict[str, Any]], joined: int, rise: int) -> None:
        """Let what is new in `groups` move from step `joined` on; what moves already stays."""
        held = {weight for group in self.optimizer.param_groups for weight in group["params"]}
        for group in groups:
            if new := [weight for weight in group["params"] if weight not in held]:
                more = {**group, "params": new, "joined": joined, "rise": rise}
                self.optimizer.add_param_group(more)

    def end(self) -> None:
        """Let it be over before its time."""
        self.ended = True

    def observe(self, number: float) -> None:
        """Hear, once an epoch, a held-out number that ought to fall."""
        self.plateau.observe(number)

    def _move(self) -> None:
        groups, rate = self.optimizer.param_groups, self.lr
        if self.clip:
            self.scaler.unscale_(self.optimizer)  # type: ignore[arg-type]
            weights = [p for group in groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(weights, self.clip)
        for group, share in zip(groups, self.shares, strict=True):
            group["lr"] = rate * share
        self.scaler.step(self.optimizer)  # type: ignore[arg-type]
        self.scaler.update()
        self.steps_done += 1
        self.done = self._share_done()

    def _share(self, group: dict[str, Any]) -> float:
        whole, rise = group.get("rate", 1.0), group.get("rise", 0)
        if not rise:
            return whole
        return whole * min(1.0, max(0.0, (self.steps_done - group["joined"]) / rise))

    def _share_done(self) -> float:
        by_steps = self.steps_done / self.total_steps
        if not self.minutes:
            return by_steps
        by_clock = self.seconds / (60 * self.minutes)
        return min(1.0, max(by_steps, self.world.leaders(by_clock)))

    def state_dict(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer.state_dict()["state"],
            "steps_done": self.steps_done,
            "micro_batch": self.micro_batch,
            "seconds": self.seconds,
            "plateau": self.plateau.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        groups = self.optimizer.state_dict()["param_groups"]
        weights = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        state_of = {int(k): _laid_out(v, weights[int(k)]) for k, v in state["optimizer"].items()}
        self.optimizer.load_state_dict({"state": state_of, "param_groups": groups})
        self.steps_done, self.micro_batch = state["steps_done"], state["micro_batch"]
        self.began = time.monotonic() - state["seconds"]
        self.plateau.load_state_dict(state["plateau"])
        self.scaler.load_state_dict(state.get("scaler", {}))
        self.done = self._share_done()


def _laid_out(state: dict[str, Any], weight: Tensor) -> dict[str, Any]:
    """Moments in the order in memory of their weight, which fused optimizers rely on."""
    return {
        name: torch.empty_like(weight).copy_(value)
        if isinstance(value, Tensor) and value.shape == weight.shape
        else value
        for name, value in state.items()
    }


def _parts(batch: Batch, size: int) -> list[Batch]:
    """The batch in order, in parts of equal length that have at most `size` pictures."""
    if not size:
        return [batch]
    count = ceil(len(batch) / size)
    split = (t.tensor_split(count) for t in (batch.images, batch.targets, batch.index))
    return list(map(Batch, *split))


# compile_in_place: a network's forward and backward pass as generated code, by torch.compile.
#
# It costs 20 to 190 seconds before the first step, and again for the first measuring; on a
# processor it gains little or nothing (docs/speed.md).  Weights keep their names: the module
# itself stays.


COMPILERS = ("g++", "clang++")
MODES = {  # torch.compile's
    "on": "default",
    "graphs": "reduce-overhead",  # CUDA graphs: all kernels of a pass launched at once
}


def compile_in_place(model: nn.Module, how: str, device: torch.device) -> None:
    """Have `model` compiled at its first step: "off", "on", or "graphs" on a CUDA device."""
    refuse_compiling(how, device)
    if how != "off":
        model.compile(mode=MODES[how])


def refuse_compiling(how: str, device: torch.device) -> None:
    """Raise `UsageError` for graphs without CUDA, `ResourceError` without a compiler."""
    if how == "graphs" and device.type != "cuda":
        hint = "set train.compile=on, or off"
        raise UsageError(f"train.compile=graphs needs a CUDA device, not {device}", hint)
    if how != "off" and device.type == "cpu" and not has_compiler():
        hint = f"install {COMPILERS[0]}, or leave train.compile=off"
        raise ResourceError("train.compile needs a C++ compiler, and none is found", hint)


def has_compiler() -> bool:
    """Whether torch.compile finds what it needs for a processor."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS))
