"""The training log: what is logged and saved after each step and each epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from saccade.data.item import Item
from saccade.engine.checkpoint import not_finite, save_checkpoint
from saccade.engine.evaluate import evaluate
from saccade.engine.freezing import trainable_parameters
from saccade.engine.loop import Epoch, Position, Step
from saccade.engine.stages import stage_at
from saccade.engine.state import NetworkState
from saccade.errors import DivergedError, Stopped
from saccade.metrics.measure import scores
from saccade.recipes.training import ENDLESS
from saccade.runs.run import Run
from saccade.training.prepare import TrainingSetup
from saccade.training.view import View
from saccade.training.watch import LayerMonitoring

Losses = dict[str, list[float]]  # of the steps of an epoch, by the name in the log
LOG_EVERY = 10  # steps between two readings of the loss; reading waits for the device


class Logbook:
    """Updates EMAs, reads losses, logs epochs, saves checkpoints, and notifies the view."""

    def __init__(self, run: Run, setup: TrainingSetup, start: Position, losses: Losses, view: View):
        self.run = run
        self.setup = setup
        self.position = start
        # of the steps done in the epoch of `position`
        self.losses = {name: list(values) for name, values in losses.items()}
        self.view = view
        self.unread: list[Step] = []
        self.index = torch.empty(0, dtype=torch.int64)  # images of the last step
        self.micro_batches = setup.state.micro_batches
        self.layers = LayerMonitoring(setup)
        self.layers.prepare_step(start)
        if start == Position():
            self._begin_stage(0)

    @property
    def midway(self) -> bool:
        """Whether steps of this epoch are still to be done."""
        epochs, steps = self.setup.recipe.train.epochs, len(self.setup.loader)
        return self.position.step < steps and self.position.epoch < epochs

    def record(self, event: Step | Epoch, *, read_losses: bool) -> None:
        """Record a step or the end of an epoch; `read_losses` reads the losses now."""
        if isinstance(event, Epoch):
            self._end_epoch(event)
            return
        self.setup.state.update_ema()
        self.unread.append(event)
        self.position, self.index = Position(event.epoch, event.step + 1), event.index
        self.layers.prepare_step(self.position)
        if self.setup.state.micro_batches != self.micro_batches:
            self._log_out_of_memory(event)
        if read_losses or event.step % LOG_EVERY == 0 or not self.midway:
            self._read_losses()
            self.view.step(event, {name: values[-1] for name, values in self.losses.items()})

    def save(self) -> None:
        """Write a checkpoint; raises `OSError` where the run folder is gone."""
        state = self.setup.state_dict(self.position) | {"losses": self.losses}
        if not self.setup.world.is_main_process:
            return
        (self.run.path / "recipe.toml").stat()
        step = self.position.epoch * len(self.setup.loader) + self.position.step
        save_checkpoint(self.run.path / "checkpoint", state, step)

    def stop(self, signal: int) -> Stopped:
        """Save a checkpoint, and return the error that says how to resume."""
        self._refuse_non_finite()
        self.save()
        self.run.log("stopped", epoch=self.position.epoch, step=self.position.step)
        epoch, epochs = self.position.epoch + 1, self.setup.recipe.train.epochs
        position = f"epoch {epoch}" + (f" of {epochs}" if epochs != ENDLESS else "")
        return Stopped(
            f"stopped in {position}; a checkpoint is in {self.run.path / 'checkpoint'}",
            f"go on with: {self.run.again()}",
            signal=signal,
        )

    def _log_out_of_memory(self, step: Step) -> None:
        """Log that memory ran out in a step, and the smaller micro-batch."""
        state, previous = self.setup.state, self.micro_batches
        self.micro_batches = state.micro_batches
        position = {"epoch": step.epoch + 1, "step": step.step + 1}
        for name, size in self.micro_batches.items():
            if size == previous[name]:
                continue
            self.run.log("out_of_memory", **position, **{state.label(name, "micro_batch"): size})
            self.view.note(
                f"memory ran out in step {step.step + 1} of epoch {step.epoch + 1}: from there on "
                f"{size} images at a time, their gradients gathered to the same batch"
            )

    def _end_epoch(self, event: Epoch) -> None:
        """End an epoch: evaluate on validation, log, save a checkpoint."""
        if self.unread:  # the clock ended the epoch early
            self._read_losses()
        self.setup.sync_batch_norm()
        self._refuse_non_finite()
        row = self._epoch_row(event)
        layers, layer_problems = self.layers.measure(event.epoch)
        row |= layers | {
            name: stage_at(network.unfreezing.stages, event.epoch).name
            for name, network in self._staged_networks()
        }
        score = self.setup.task.metric().score
        metric = -score.goodness(row[f"val_{score.name}"])
        self.setup.state.observe(metric)
        self.setup.early_stopping.update(row["epoch"], metric, self.setup.eval_model)
        if self.setup.early_stopping.should_stop:
            self.setup.state.stop()
        self.run.log("epoch", **row)
        self.view.epoch(row)
        for problem in layer_problems:
            self.view.note(problem)
        self.losses = {}
        self.position = Position(event.epoch + 1)
        self.layers.prepare_step(self.position)
        self._begin_stage(self.position.epoch)
        self.save()

    def _begin_stage(self, epoch: int) -> None:
        """Release the weights of the stage that begins with `epoch`, from 0, and log it."""
        self.setup.state.begin_epoch(epoch)
        for name, network in self._staged_networks():
            unfreezing = network.unfreezing
            if not (beginning := unfreezing.stage_begins(epoch)):
                continue
            (number, stage), count = beginning, len(unfreezing.stages)
            trainable, total = trainable_parameters(network.model)
            fields = {"number": number, name: stage.name, "epoch": epoch + 1}
            self.run.log("stage", **fields, epochs=stage.epochs, trainable=trainable, weights=total)
            self.view.note(
                f"{name} {number} of {count}: {stage}; {trainable:,} of {total:,} weights learn"
            )

    def _staged_networks(self) -> list[tuple[str, NetworkState]]:
        """The networks trained in several stages, by the name of their stage in the log."""
        state = self.setup.state
        return [
            (state.label(name, "stage"), network)
            for name, network in state.networks.items()
            if len(network.unfreezing.stages) > 1
        ]

    def _epoch_row(self, event: Epoch) -> dict[str, Any]:
        """The event of an epoch in log.jsonl: losses, validation metrics, seconds."""
        val = self.setup.splits["val"].sequential()
        model, task, world = self.setup.eval_model, self.setup.task, self.setup.world
        metrics = scores(task.metric(), evaluate(model, task, val, world).rows)
        return {
            "epoch": event.epoch + 1,
            **{name: sum(values) / len(values) for name, values in self.losses.items()},
            **{f"val_{name}": value for name, value in metrics.items()},
            "images_per_second": event.images / event.seconds,
            "seconds": event.seconds,
            **self._steps_done(),
        }

    def _steps_done(self) -> dict[str, int]:
        """How many steps an epoch had that the clock ended early."""
        done = max(map(len, self.losses.values()), default=0)
        steps = len(self.setup.loader)
        return {"steps": done, "of_steps": steps} if done < steps else {}

    def _read_losses(self) -> None:
        """Read the losses of the steps since; one that is not finite ends the training."""
        steps, self.unread = self.unread, []
        for name in steps[0].losses:
            values = torch.stack([step.losses[name] for step in steps]).tolist()
            for step, loss in zip(steps, values, strict=True):
                if not math.isfinite(loss):
                    self.position = Position(step.epoch, step.step + 1)
                    raise self._diverged(f"the {name} is {loss}", step.index)
            self.losses[name] = self.losses.get(name, []) + values

    def _refuse_non_finite(self) -> None:
        """Raise `DivergedError` where the state, weights above all, is not finite."""
        if name := not_finite(self.setup.state.state_dict()):
            raise self._diverged(f"{name} has numbers that are not finite", self.index)

    def _diverged(self, message: str, index: Tensor) -> DivergedError:
        """Log the divergence, and return the error with images of the last batch, `index` [N]."""
        epoch, step = self.position.epoch + 1, self.position.step
        self.run.log("diverged", epoch=epoch, step=step, found=message)
        return diverged_error(f"{message} at step {step} of epoch {epoch}", index, self._items)

    @property
    def _items(self) -> Sequence[Item]:
        return self.setup.splits["train"].items


def diverged_error(what: str, index: Tensor, items: Sequence[Item]) -> DivergedError:
    """The error for a number that is not finite, with images of its batch, `index` [N] int64."""
    names = ", ".join(items[k].name for k in index[:4].tolist())
    return DivergedError(
        f"{what}, on {len(index)} images such as {names}",
        "take a smaller optim.lr, or set optim.clip_grad=1; checkpoints of earlier epochs "
        "are whole",
    )
