"""The training loop, as an iterator over steps and epochs.

What other libraries put into callbacks (logs, checkpoints, EMA, progress, early stopping) is what
the consumer does between two events.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation
from saccade.data.loader import Loader
from saccade.engine.state import TrainState


@dataclass(frozen=True)
class Step:
    """One training step: an optimizer step of each network on one batch."""

    epoch: int  # from 0
    step: int  # in its epoch, from 0
    losses: Mapping[str, Tensor]  # scalars on the device by label; reading one waits for it
    lr: Mapping[str, float]  # learning rates by label
    index: Tensor  # [N] positions of the images in their split


@dataclass(frozen=True)
class Epoch:
    """The end of an epoch: every training image was used once, or the training ended before."""

    epoch: int  # from 0
    seconds: float  # since the epoch began, or went on
    images: int  # trained on in these seconds


@dataclass(frozen=True)
class Position:
    """Where to go on: the first step not yet done."""

    epoch: int = 0
    step: int = 0


def train(
    state: TrainState,
    loader: Loader,
    augment: Augmentation,
    *,
    epochs: int,
    seed: int = 0,
    start: Position | None = None,
) -> Iterator[Step | Epoch]:
    """Train the networks of `state` in place, yielding after every step and every epoch.

    The random draws of a step (augmentation, dropout) depend on (seed, epoch, step) alone, so a
    training resumed at any position goes on exactly.  When its steps or its minutes are used up,
    the training ends within an epoch, which may then be a short one.
    """
    device, rank = state.device, state.world.rank
    start = start or Position()
    for epoch in range(start.epoch, epochs):
        if state.finished:
            return
        first = start.step if epoch == start.epoch else 0
        began, images = time.perf_counter(), 0
        for step, batch in enumerate(loader.epoch(epoch, first), first):
            state.train_mode()
            batch = augment(batch.to(device), step_generator(seed, epoch, step, device, rank))
            lr = state.lr
            losses = state.train_step(batch)
            images += len(batch)
            yield Step(epoch, step, losses, lr, batch.index)
            if state.finished:
                break
        yield Epoch(epoch, time.perf_counter() - began, images)


def step_generator(
    seed: int, epoch: int, step: int, device: torch.device, rank: int = 0
) -> torch.Generator:
    """The generator of one step; PyTorch's global one, which dropout draws from, is seeded too.

    All processes of a world draw the same from the generator, for the whole batch, and each its own
    from the global one, for its part of the batch.
    """
    digest = hashlib.blake2b(f"{seed} {epoch} {step}".encode(), digest_size=8).digest()
    step_seed = int.from_bytes(digest, "little") >> 1
    torch.manual_seed(step_seed + rank)
    return torch.Generator(device).manual_seed(step_seed)
