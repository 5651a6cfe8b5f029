"""Training: from a source to a finished run, and resuming one that was stopped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from saccade.data.classes import write_classes
from saccade.data.grouping import by_source
from saccade.data.item import label_text
from saccade.data.sources import absolute_location
from saccade.data.split_table import write_split
from saccade.data.splits import DataSplit, with_notes
from saccade.device import device, environment, limit_threads
from saccade.engine.checkpoint import fingerprint, load_checkpoint
from saccade.engine.distributed.world import SINGLE_PROCESS, World
from saccade.engine.loop import Position, train
from saccade.engine.stages import extended_stages
from saccade.engine.stopping import StopRequest, stop_requests
from saccade.errors import UsageError
from saccade.files import refuse_unwritable
from saccade.models.table import shown_name
from saccade.own import code_notes, own_parts, own_sources, refuse_missing
from saccade.progress import say
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import Settings
from saccade.runs.images import change_note, move, split_of, write_images
from saccade.runs.naming import name_note
from saccade.runs.run import Run
from saccade.training.finish import finish, unwritten_error
from saccade.training.follow import (
    broadcast_plan,
    broadcast_start,
    receive_plan,
    receive_start,
)
from saccade.training.inputs import training_inputs
from saccade.training.logbook import Logbook, Losses
from saccade.training.lr_find import with_found_lr
from saccade.training.plan import folder_of, forecast
from saccade.training.prepare import Split, TrainingSetup, claim_device, prepare
from saccade.training.view import View
from saccade.training.watch import (
    refuse_too_little_disk,
    resource_errors,
    undefined_score,
)


def start_training(
    data: str | Path | None,
    recipe: str | Path | None,
    flags: Mapping[str, Any],
    out: Path | None,
    command: str,
    view: View,
    world: World = SINGLE_PROCESS,
) -> Run:
    """Train on `data` into a new run folder, made once images and network are ready."""
    began = time.perf_counter()
    refuse_unwritable(out or Path("runs") / "new")
    if out is not None and out.exists():
        raise UsageError(f"the folder '{out}' exists", "take another --out, or remove it")
    inputs = training_inputs(data, recipe, flags)
    source, settings, division, notes, facts, data = inputs
    claim_device(settings.recipe, world)
    view.settings(settings, notes)
    broadcast_plan(world, settings.recipe, absolute_location(data), division)
    with limit_threads(int(settings.recipe.train.threads)):
        setup = prepare(settings.recipe, division, view.decoding, world)
        if undefined := undefined_score(setup):
            view.note(undefined)
            notes.append(undefined)
        plan = checked_plan(setup, out, view)
        settings, setup = with_found_lr(settings, setup)
        own = own_parts(settings.recipe.settings())
        given = settings.recipe.train.name
        name = given or f"{source.name}-{shown_name(settings.recipe.model.name)}"
        run = replace(Run.create(out, name, given=bool(given)), own=own)
        if given and out is None and (renamed := name_note(run.path, given)):
            say(renamed)
        for line in setup.notes:
            say(line)
        begun = {
            "command": command,
            "data": absolute_location(data),
            "notes": [*notes, *setup.notes],
            "own": own_sources(own),
            "at": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        with resource_errors(run):
            _write_start(run, settings, division, setup, begun)
            write_images(run.path, division.items, facts)
            run.log("plan", **plan)
            broadcast_start(world, run, None)
            return _train_and_finish(run, setup, Position(), {}, view, began)


def checked_plan(setup: TrainingSetup, out: Path | None, view: View) -> dict[str, Any]:
    """The plan of the training, shown to the view; raises `ResourceError` for a too small disk.

    Empty with several processes, none of which can take a step without the others.
    """
    if setup.world.size > 1:
        return {}
    counts = {name: len(split.items) for name, split in setup.splits.items()}
    plan = forecast(setup, counts, folder_of(out))
    refuse_too_little_disk(folder_of(out), plan.checkpoint)
    view.note(plan.line())
    return plan.to_dict()


def resume_training(
    run: Run,
    view: View,
    world: World = SINGLE_PROCESS,
    *,
    epochs: int | None = None,
    data: str | Path | None = None,
) -> Run:
    """Finish an unfinished run from its last whole checkpoint, or from the start without one.

    With `epochs` it is extended to that many in all, a finished run too: its files stay until the
    new ones are complete.  `data` is where its images lie now.
    """
    if data is not None:
        move(run, data)
    if epochs is None and run.finished:
        report = run.path / "report.html"
        hint = f"its report is {report}; --epochs with more than before goes on"
        raise UsageError(f"the run '{run.path}' is finished", hint)
    recipe = run.recipe if epochs is None else extended_recipe(run, epochs)
    refuse_missing(recipe.settings(), run.again(epochs=epochs))
    with limit_threads(int(recipe.train.threads)):
        return _resume(run, recipe, view, world)


def extended_recipe(run: Run, epochs: int) -> Recipe:
    """The recipe of `run` with `epochs` in all, and without a limit of minutes."""
    done = max((row["epoch"] for row in run.history), default=0)
    if epochs <= done:
        raise UsageError(
            f"the run '{run.path}' has trained for {done} epochs, which is not less than {epochs}",
            f"--epochs is their number in all: {done + 10}, say",
        )
    if (
        run.finished
        and epochs == run.recipe.train.epochs
        and run.events("checkpoint")[-1]["stopped_early"]
    ):
        raise UsageError(
            f"the run '{run.path}' ended after {done} of its {epochs} epochs, since validation no "
            f"longer improved",
            f"with any other number it goes on: --epochs {epochs + 10}, say",
        )
    changes: dict[str, Any] = {"train.epochs": epochs, "train.minutes": 0.0}
    if len(run.recipe.stages) > 1:
        changes["model.stages"] = extended_stages(run.recipe.stages)
    return run.recipe.with_(changes)


def _resume(run: Run, recipe: Recipe, view: View, world: World) -> Run:
    began = time.perf_counter()
    started = run.started
    division = split_of(run)
    claim_device(recipe, world)
    current = fingerprint(device(recipe.train.device), world.size)
    notes = [
        f"{name} was {then}, is {current.get(name)}: the last bits of the weights will differ"
        for name, then in started["fingerprint"].items()
        if current.get(name) != then
    ]
    notes += [*with_notes(division, by_source).notes, *change_note(run, division.items)]
    sources = own_sources(run.own)
    notes += code_notes([f.get("own") for f in (started, *run.events("resumed"))], sources)
    broadcast_plan(world, recipe, run.data, division)
    setup = prepare(recipe, division, view.decoding, world)
    position, losses, state = Position(), {}, None
    if (run.path / "checkpoint" / "latest.json").exists():
        state, damaged = load_checkpoint(run.path / "checkpoint")
        notes += damaged
    broadcast_start(world, run, state)
    if state:
        position, losses = setup.load_state_dict(state), state["losses"]
    with resource_errors(run):
        if recipe != run.recipe:
            notes.append(_extend(run, setup))
            run = Run(run.path, run.own)
        view.settings(Settings(recipe, run.origins), notes)
        position_fields = {"epoch": position.epoch, "step": position.step}
        facts = {"seconds": setup.stepper.seconds, "own": sources, "notes": notes}
        run.log("resumed", **position_fields, **facts)
        return _train_and_finish(run, setup, position, losses, view, began)


def follow_training(view: View, world: World, own: Mapping[str, Any]) -> Run:
    """Take part in the training that the process of rank 0 starts or resumes.

    `own` are the parts of a person's own, by their setting.
    """
    began = time.perf_counter()
    recipe, division = receive_plan(world)
    recipe = recipe.with_(own)
    with limit_threads(int(recipe.train.threads)):
        setup = prepare(recipe, division, view.decoding, world)
        run, state = receive_start(world)
        position, losses = Position(), {}
        if state:
            position, losses = setup.load_state_dict(state), state["losses"]
        return _train_and_finish(run, setup, position, losses, view, began)


def _extend(run: Run, setup: TrainingSetup) -> str:
    """Log the new number of epochs and save the recipe; returns a note on the learning rate."""
    before, now, stepper = run.recipe.train, setup.recipe.train, setup.stepper
    was = f"{before.minutes:g} minutes" if before.minutes else f"{before.epochs} epochs"
    note = (
        f"{now.epochs} epochs in place of {was}: the learning rate goes on at {stepper.lr:.3g}, "
        f"that of schedule {setup.recipe.optim.schedule} at {100 * stepper.done:.0f} % of the "
        "training"
    )
    changed: dict[str, Any] = {"train.epochs": now.epochs, "train.minutes": now.minutes}
    if setup.recipe.model.stages != run.recipe.model.stages:
        changed["model.stages"] = setup.recipe.model.stages
    origins = dict.fromkeys(changed, f"resume, {was} before")
    setup.recipe.save(run.path / "recipe.toml", run.origins | origins)
    run.log("extended", **changed, origins=origins, note=note)
    return note


def _write_start(
    run: Run,
    settings: Settings,
    division: DataSplit,
    setup: TrainingSetup,
    facts: Mapping[str, Any],
) -> None:
    """Write all that a run folder holds before the first step."""
    settings.recipe.save(run.path / "recipe.toml", settings.origins)
    write_classes(run.path / "classes.txt", division.classes)
    write_split(run.path / "split.csv", division)
    run.log(
        "started",
        **facts,
        origins=dict(settings.origins),
        images={name: _counts(split) for name, split in setup.splits.items()},
        environment=environment(),
        fingerprint=fingerprint(device(settings.recipe.train.device), setup.world.size),
    )
    for skipped in setup.unreadable:
        run.log("unreadable", name=skipped.name, reason=skipped.reason)


def _train_and_finish(
    run: Run, setup: TrainingSetup, start: Position, losses: Losses, view: View, began: float
) -> Run:
    """Train from `start` to the end, and write all that a finished run holds."""
    with stop_requests() as request:
        train_epochs(run, setup, start, losses, view, request)
        failures = finish(run, setup, view, began)
    view.finished(run)
    if failures:
        raise unwritten_error(run, failures)
    return run


def train_epochs(
    run: Run,
    setup: TrainingSetup,
    start: Position,
    losses: Losses,
    view: View,
    request: StopRequest,
) -> None:
    """Train from `start` to the end, with a log entry and a checkpoint after every epoch.

    `losses` are those of the steps before `start` in its epoch.  Raises `Stopped` after a signal,
    once a checkpoint is saved.
    """
    recipe = setup.recipe
    view.training(run, len(setup.loader), start)
    logbook = Logbook(run, setup, start, losses, view)
    events = train(
        setup.state,
        setup.loader,
        setup.augment,
        epochs=recipe.train.epochs,
        seed=recipe.train.seed,
        start=start,
    )
    for event in events:
        signum = setup.world.max_over_processes(request.signum or 0)
        logbook.record(event, read_losses=signum > 0)
        if signum and logbook.midway:
            raise logbook.stop(signum)


def _counts(split: Split) -> dict[str, int]:
    """The number of images of each class or label set; of numbers all together under ""."""
    labels = (item.label for item in split.items)
    return dict(Counter("" if isinstance(x, int | float) else label_text(x) for x in labels))
