"""Guards of a training: disk, memory, and layers that do not learn."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from saccade.data.loader import evenly_spaced
from saccade.data.store import format_bytes, free_disk
from saccade.engine.checkpoint import KEEP_LAST, load_checkpoint
from saccade.engine.evaluate import evaluate
from saccade.engine.loop import Position
from saccade.engine.step import is_out_of_memory
from saccade.errors import RecipeError, ResourceError, WeightsError
from saccade.explain.layer_stats import LayerMonitor, problems
from saccade.metrics.measure import scores
from saccade.runs.run import Run
from saccade.training.prepare import TrainingSetup

FULL = (errno.ENOSPC, errno.EDQUOT)
IMAGES = 256  # of the training split, evenly spread, on which layer statistics are measured


@contextmanager
def resource_errors(run: Run) -> Iterator[None]:
    """Within the block, errors of disk and memory become a `ResourceError` about `run`."""
    try:
        yield
    except BrokenPipeError:  # the reader of stdout is gone: no fault of the disk
        raise
    except OSError as error:
        raise _unwritable(run, error) from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ResourceError(
            f"memory ran out outside of a step; {saved_so_far(run)}",
            f"free some, then go on with: {run.again()}",
        ) from error


def saved_so_far(run: Run) -> str:
    """A description of the last whole checkpoint."""
    try:
        state, _ = load_checkpoint(run.path / "checkpoint")
    except WeightsError:
        return "no checkpoint was kept"
    return f"the checkpoint of epoch {state['epoch']}, step {state['step']} is whole"


def refuse_too_little_disk(folder: Path, checkpoint: int) -> None:
    """Raise `ResourceError` where a run with checkpoints of `checkpoint` bytes does not fit.

    A new one is written before an old one is removed; a bundle is never larger.
    """
    needed, free = (KEEP_LAST + 2) * checkpoint, free_disk(folder)
    if needed > free:
        raise ResourceError(
            f"the run needs {format_bytes(needed)} of disk in '{folder}'; "
            f"{format_bytes(free)} are free",
            "make room, or name another folder with --out",
        )


def undefined_score(setup: TrainingSetup) -> str:
    """A note where the validation score is undefined, as where all labels are the same.

    Raises `RecipeError` where something is decided by it.
    """
    val, task, settings = setup.splits["val"], setup.task, setup.recipe.train
    if len(val.targets.unique(dim=0)) > 1:
        return ""
    name = task.metric().score.name
    rows = evaluate(setup.eval_model, task, val.sequential()).rows
    if math.isfinite(scores(task.metric(), rows)[name]):
        return ""
    what = (
        f"the validation score, {name}, is undefined: all {len(val.items):,} validation images "
        "have the same label"
    )
    decides = {
        "train.patience=0": settings.patience > 0,
        "train.checkpoint=last": settings.checkpoint == "best",
        "optim.schedule=constant": setup.recipe.optim.schedule == "plateau",
    }
    if by := [setting for setting, used in decides.items() if used]:
        raise RecipeError(f"{what}, and no epoch is the best by it", f"set {' and '.join(by)}")
    return what


def _unwritable(run: Run, error: OSError) -> ResourceError:
    if not (run.path / "recipe.toml").is_file():
        return ResourceError(
            f"the run folder '{run.path}' has vanished during the training; nothing was kept",
            "leave it where it is, and train again",
        )
    cure = "make room" if error.errno in FULL else "see to the disk"
    return ResourceError(
        f"cannot write to the run '{run.path}': {error.strerror or error}; {saved_so_far(run)}",
        f"{cure}, then go on with: {run.again()}",
    )


class LayerMonitoring:
    """Measures layer statistics at the end of every train.layer_statistics epochs; 0: never."""

    def __init__(self, setup: TrainingSetup):
        self.every = setup.recipe.train.layer_statistics  # epochs
        self.steps = len(setup.loader)
        self.reported: set[str] = set()
        if self.every:
            train = setup.splits["train"]
            indices = evenly_spaced(len(train.items), IMAGES)(0)
            device = next(setup.model.parameters()).device
            self.monitor = LayerMonitor(setup.model, train.images.take(indices).to(device))

    def prepare_step(self, position: Position) -> None:
        """Copy the weights before the last step of an epoch whose update is measured."""
        if self.every and position.step == self.steps - 1 and self._due(position.epoch):
            self.monitor.copy_weights()

    def measure(self, epoch: int) -> tuple[dict[str, Any], list[str]]:
        """The layer statistics for the log after `epoch`, from 0, and problems not seen before."""
        if not self.every or not self._due(epoch):
            return {}, []
        rows = self.monitor.measure()
        new_problems = [
            problem for problem in problems(rows) if problem.split()[0] not in self.reported
        ]
        self.reported |= {problem.split()[0] for problem in new_problems}  # of a row once
        return {"layers": [asdict(row) for row in rows]}, new_problems

    def _due(self, epoch: int) -> bool:
        return (epoch + 1) % self.every == 0
