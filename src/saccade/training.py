"""A training from a source to a finished run: what happens between two events of `train`."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from saccade.bundle import Bundle
from saccade.data.classes import write_classes
from saccade.data.glance import glance
from saccade.data.source import Item, Skipped
from saccade.data.sources import open_source
from saccade.data.split import divide, read_split, write_split
from saccade.engine.checkpoint import fingerprint, load_checkpoint, save_checkpoint
from saccade.engine.evaluate import evaluate
from saccade.engine.stopping import stop_requests
from saccade.engine.train import Epoch, Position, Step, train
from saccade.environment import environment
from saccade.errors import DivergedError, Stopped, UsageError
from saccade.examining import grouped
from saccade.prepared import Prepared, Split, prepare
from saccade.report.card import model_card
from saccade.report.run_page import write_report
from saccade.results import classifier_evaluation
from saccade.runs import Run, write_predictions
from saccade.settings import Settings, device, resolve

LOOK = 10  # steps between two looks at the loss; a look waits for the device


class View(Protocol):
    """Whoever watches a training."""

    def settings(self, settings: Settings, notes: Sequence[str]) -> None: ...
    def decoding(self, done: int, total: int) -> None: ...
    def training(self, epochs: int, steps: int, start: Position) -> None: ...
    def step(self, step: Step, loss: float) -> None: ...
    def epoch(self, row: Mapping[str, Any]) -> None: ...


def begin(
    data: str | Path | None,
    recipe: str | Path | None,
    flags: Mapping[str, Any],
    out: Path | None,
    command: str,
    view: View,
) -> Run:
    """Train on `data` into a new run folder, made only once pictures and network are ready."""
    began = time.perf_counter()
    if out is not None and out.exists():
        raise UsageError(f"the folder '{out}' exists", "take another --out, or remove it")
    source = open_source(data)
    settings = resolve(recipe, flags, glance(source.read(source.splits[0])))
    held, seed = settings.recipe.data, settings.recipe.train.seed
    group, findings = grouped(source, data, settings.recipe)
    division = divide(source, val=held.val, test=held.test, seed=seed, group=group)
    notes = [*settings.notes, *source.notes, *notes_on(source.skipped), *division.notes, *findings]
    view.settings(settings, notes)
    prepared = prepare(settings.recipe, division, view.decoding)
    run = Run.create(out, f"{source.name}-{settings.recipe.model.name}")
    settings.recipe.save(run.path / "recipe.toml", settings.origins)
    write_classes(run.path / "classes.txt", division.classes)
    write_split(run.path / "split.csv", division)
    run.log(
        "started",
        command=command,
        data=str(Path(data).resolve()) if data and Path(data).exists() else data,
        origins=dict(settings.origins),
        notes=notes,
        pictures={name: _counts(split) for name, split in prepared.splits.items()},
        environment=environment(),
        fingerprint=fingerprint(device(settings.recipe.train.device)),
    )
    for skipped in prepared.unreadable:
        run.log("unreadable", name=skipped.name, reason=skipped.reason)
    return _carry_out(run, prepared, Position(), [], view, began)


def go_on(run: Run, view: View) -> Run:
    """Finish an unfinished run from its last whole checkpoint, or from the start without one."""
    began = time.perf_counter()
    if run.events("finished"):
        report = run.path / "report.html"
        raise UsageError(f"the run '{run.path}' is finished", f"its report is {report}")
    started = run.events("started")[0]
    division = read_split(run.path / "split.csv", open_source(started["data"]))
    here = fingerprint(device(run.recipe.train.device))
    notes = [
        f"{name} was {then}, is {here.get(name)}: the last bits of the weights will differ"
        for name, then in started["fingerprint"].items()
        if here.get(name) != then
    ]
    prepared = prepare(run.recipe, division, view.decoding)
    position, losses = Position(), []
    if (run.path / "checkpoint" / "latest.json").exists():
        state, damaged = load_checkpoint(run.path / "checkpoint")
        position, losses = prepared.load_state(state), state["losses"]
        notes += damaged
    view.settings(Settings(run.recipe, started["origins"]), notes)
    run.log("resumed", epoch=position.epoch, step=position.step, notes=notes)
    return _carry_out(run, prepared, position, losses, view, began)


def _carry_out(
    run: Run, prepared: Prepared, start: Position, losses: list[float], view: View, began: float
) -> Run:
    """Train from `start` to the end, then measure, and write the bundle and the report.

    `losses` are those of the steps already done in the epoch of `start`.
    """
    recipe, loader, items = prepared.recipe, prepared.loader, prepared.splits["train"].items

    def save(position: Position) -> None:
        state = prepared.state(position) | {"losses": losses}
        number = position.epoch * len(loader) + position.step
        save_checkpoint(run.path / "checkpoint", state, number)

    events = train(
        prepared.model,
        prepared.task,
        loader,
        prepared.descent,
        prepared.augment,
        epochs=recipe.train.epochs,
        seed=recipe.train.seed,
        start=start,
    )
    view.training(recipe.train.epochs, len(loader), start)
    unread: list[Step] = []
    with stop_requests() as request:
        for event in events:
            if isinstance(event, Epoch):
                row = _epoch_row(event, losses, prepared)
                run.log("epoch", **row)
                view.epoch(row)
                losses = []
                position = Position(event.epoch + 1)
                save(position)
            else:
                if prepared.average:
                    prepared.average.update()
                unread.append(event)
                position = Position(event.epoch, event.step + 1)
                if position.step % LOOK in (0, 1) or position.step == len(loader) or request.number:
                    losses = losses + read_losses(unread, items)
                    unread = []
                    view.step(event, losses[-1])
            midway = position.step < len(loader) and position.epoch < recipe.train.epochs
            if request.number and midway:
                save(position)
                run.log("stopped", epoch=position.epoch, step=position.step)
                raise Stopped(
                    f"stopped in epoch {position.epoch + 1} of {recipe.train.epochs}; "
                    f"a checkpoint is in {run.path / 'checkpoint'}",
                    f"go on with: saccade resume {run.path}",
                    signal=request.number,
                )
        return _finish(run, prepared, began)


def read_losses(steps: Sequence[Step], items: Sequence[Item]) -> list[float]:
    """The losses of `steps`; raises `DivergedError` with the pictures of one that is not finite."""
    losses = torch.stack([step.losses["loss"] for step in steps]).tolist()
    for step, loss in zip(steps, losses, strict=True):
        if not math.isfinite(loss):
            names = ", ".join(items[k].name for k in step.index[:4].tolist())
            raise DivergedError(
                f"the loss is {loss} at step {step.step + 1} of epoch {step.epoch + 1}, "
                f"on {len(step.index)} pictures such as {names}",
                "take a smaller optim.lr; the last checkpoint is whole",
            )
    return losses


def notes_on(skipped: Sequence[Skipped]) -> list[str]:
    """A line for each reason for which something in a source was left out."""
    names: dict[str, list[str]] = {}
    for one in skipped:
        names.setdefault(one.reason, []).append(one.name)
    return [f"left out: {len(n)} ({reason}), such as {n[0]}" for reason, n in names.items()]


def _epoch_row(event: Epoch, losses: Sequence[float], prepared: Prepared) -> dict[str, Any]:
    """What log.jsonl says of an epoch."""
    val = evaluate(prepared.best, prepared.task, prepared.splits["val"].in_order())
    return {
        "epoch": event.epoch + 1,
        "loss": sum(losses) / len(losses),
        "val_loss": val.scores["log_loss"],
        "val_accuracy": val.scores["accuracy"],
        "images_per_second": event.images / event.seconds,
        "seconds": event.seconds,
    }


def _finish(run: Run, prepared: Prepared, began: float) -> Run:
    """Measure on the held-out splits and write all that a finished run holds."""
    task, test = prepared.task, prepared.splits["test"]
    for name in ("val", "test"):
        result = evaluate(prepared.best, task, prepared.splits[name].in_order())
        run.log("evaluation", **classifier_evaluation(name, result.scores, task.classes).to_dict())
    write_predictions(run.path / "predictions.csv", test.items, task.classes, result.predictions)
    name = prepared.recipe.model.name
    bundle = Bundle(name, task.classes, prepared.preprocessing, prepared.best)
    bundle.save(run.path / "bundle", model_card(run, prepared.preprocessing))
    run.log("finished", seconds=round(time.perf_counter() - began, 2))
    write_report(run, test.pictures)
    return run


def _counts(split: Split) -> dict[str, int]:
    return dict(Counter(str(item.label) for item in split.items))
