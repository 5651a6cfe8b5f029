"""TrainState: the networks that are trained together, by name, each with an optimizer of its own.

An ordinary training has one network, "model".  An adversarial one has a generator and a
discriminator (Goodfellow 2014, "Generative adversarial nets", Algorithm 1): a step of the training
is an optimizer step of each network in turn, on one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.engine.distributed.world import World
from saccade.engine.ema import EMA
from saccade.engine.freezing import ALL_AT_ONCE, Unfreezing, training_mode
from saccade.engine.step import Stepper
from saccade.errors import WeightsError
from saccade.tasks.task import Task

Objective = Callable[[Mapping[str, nn.Module], Batch], Mapping[str, Tensor]]
"""From all networks by name and a batch to scalar losses by name; `"loss"` is minimised."""

MODEL = "model"  # the name of a network that is trained alone


@dataclass(frozen=True)
class NetworkState:
    """One network with its optimizer, its objective, its unfreezing and its EMA."""

    model: nn.Module
    stepper: Stepper  # of the weights of this model alone
    objective: Objective
    unfreezing: Unfreezing = ALL_AT_ONCE
    ema: EMA | None = None

    @property
    def eval_model(self) -> nn.Module:
        """The network to evaluate and to save: its EMA where there is one."""
        return self.ema.model if self.ema else self.model

    @property
    def models(self) -> list[nn.Module]:
        """The network, and its EMA where there is one."""
        return [self.model, *([self.ema.model] if self.ema else [])]

    def begin_epoch(self, epoch: int) -> None:
        """Release the weights whose stage has begun in `epoch`, from 0."""
        self.unfreezing.begin_epoch(self.model, self.stepper, epoch)

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimizer state and EMA."""
        return {
            "weights": self.model.state_dict(),
            "stepper": self.stepper.state_dict(),
            "ema": self.ema.state_dict() if self.ema else None,
        }

    def load_state_dict(self, state: Mapping[str, Any], epoch: int) -> None:
        """Go on within `epoch`, from 0, from a `state_dict`."""
        self.model.load_state_dict(state["weights"])
        self.begin_epoch(epoch)
        self.stepper.load_state_dict(state["stepper"])
        if self.ema:
            self.ema.load_state_dict(state["ema"])


@dataclass(frozen=True)
class TrainState:
    """Networks by name, in the order in which they step."""

    networks: Mapping[str, NetworkState]
    name: str = MODEL  # of the network that is evaluated and saved in the bundle

    @property
    def main(self) -> NetworkState:
        """The network that is evaluated and saved in the bundle."""
        return self.networks[self.name]

    @property
    def models(self) -> list[nn.Module]:
        """All networks and their EMAs."""
        return [model for network in self.networks.values() for model in network.models]

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.main.model.parameters()).device

    @property
    def world(self) -> World:
        """The processes that train together."""
        return self.main.stepper.world

    @property
    def finished(self) -> bool:
        """Whether a network's steps or time are used up, or the training was stopped."""
        return any(stepper.finished for stepper in self.steppers.values())

    @property
    def steppers(self) -> dict[str, Stepper]:
        """The steppers by the name of their network."""
        return {name: network.stepper for name, network in self.networks.items()}

    @property
    def lr(self) -> dict[str, float]:
        """The learning rates of the next step, by their name in the log."""
        return {self.label(name, "lr"): stepper.lr for name, stepper in self.steppers.items()}

    @property
    def micro_batches(self) -> dict[str, int]:
        """The micro-batch size of each network, in images; 0: the whole batch."""
        return {name: stepper.micro_batch for name, stepper in self.steppers.items()}

    def label(self, name: str, value: str) -> str:
        """A value's name in the log: "loss" of the only network, else "generator/loss"."""
        return value if len(self.networks) == 1 else f"{name}/{value}"

    def train_mode(self) -> None:
        """Put all networks into train mode, but for their frozen rows."""
        for network in self.networks.values():
            training_mode(network.model)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One optimizer step of each network in turn; returns all losses [], detached, by label."""
        models = {name: network.model for name, network in self.networks.items()}
        losses: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            parallel = {name: self.world.data_parallel(network.model)}
            network_losses = network.stepper.train_step(
                partial(network.objective, models | parallel), batch
            )
            losses |= {self.label(name, key): loss for key, loss in network_losses.items()}
        return losses

    def begin_epoch(self, epoch: int) -> None:
        """Release the weights whose stage has begun in `epoch`, from 0."""
        for network in self.networks.values():
            network.begin_epoch(epoch)

    def update_ema(self) -> None:
        """Update the EMA of each network that has one."""
        for network in self.networks.values():
            if network.ema:
                network.ema.update()

    def observe(self, metric: float) -> None:
        """Give every schedule the validation metric of an epoch, lower is better."""
        for stepper in self.steppers.values():
            stepper.observe(metric)

    def stop(self) -> None:
        """Finish before steps or time are used up."""
        for stepper in self.steppers.values():
            stepper.stop()

    def state_dict(self) -> dict[str, Any]:
        """The state of each network, by name."""
        return {name: network.state_dict() for name, network in self.networks.items()}

    def load_state_dict(self, state: Mapping[str, Any], epoch: int) -> None:
        """Go on within `epoch`, from 0, from a `state_dict`.

        Raises `WeightsError` where that is of other networks than these.
        """
        if state.keys() != self.networks.keys():
            saved, own = (", ".join(names) or "none" for names in (state, self.networks))
            what = f"the checkpoint holds the networks {saved}; the training has {own}"
            raise WeightsError(what, "train again into a new folder: --out NAME")
        for name, network in self.networks.items():
            network.load_state_dict(state[name], epoch)


def supervised(
    model: nn.Module,
    task: Task,
    stepper: Stepper,
    unfreezing: Unfreezing = ALL_AT_ONCE,
    ema: EMA | None = None,
) -> TrainState:
    """The state of one network, trained on the losses of a task."""

    def objective(networks: Mapping[str, nn.Module], batch: Batch) -> Mapping[str, Tensor]:
        return task.losses(networks[MODEL], batch)

    return TrainState({MODEL: NetworkState(model, stepper, objective, unfreezing, ema)})
