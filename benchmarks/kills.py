"""Trainings killed with SIGKILL again and again, and gone on with: do they come to the same bits?

python benchmarks/kills.py [--kills 1000] [--inside 200] [--minutes 8] [--seed 0]

Each process is forked from one that has loaded what a training loads, and has computed nothing.
Most are killed after a time that chance draws; those "inside" kill themselves in the middle of
saving a checkpoint: with half a file written, or before or after a flush, a rename or a removal.
The plan ahead of a training, which changes no bit, is left out.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from saccade import api
from saccade.runs.run import Run
from saccade.training import logbook, train

MOMENTS = ((Path, "write_bytes"), (os, "fsync"), (os, "replace"), (Path, "unlink"))
LATEST = 22  # of these moments: those of two savings
LONGER = 1.2  # times the length of a whole training: the last instant of a kill
SETTINGS = {
    "model.name": "lenet5",
    "data.per_class": 8,
    "data.held_out_per_class": 2,
    "data.doctor": "off",
    "train.epochs": 4,
    "train.batch_size": 16,
    "train.ema": 0.9,
    "train.checkpoint": "best",
    "train.threads": 1,
}


@dataclass
class Tally:
    """What has been done so far."""

    kills: int = 0
    inside: int = 0  # of them, inside the saving of a checkpoint
    trainings: int = 0  # that came to their end
    resumed: int = 0  # of them, from what a kill had left; others began anew, or were never hit
    same: int = 0  # of all, to the bit as the one that nothing killed
    damaged: int = 0  # checkpoints that could not be read


def main(kills: int, inside: int, minutes: float, seed: int) -> Tally:
    chance, tally, end = random.Random(seed), Tally(), time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as place:
        load_all(Path(place))
        whole, began = Path(place) / "whole", time.monotonic()
        _ended(forked(lambda: carry_on(whole)))
        length, expected = time.monotonic() - began, result(whole)
        while tally.kills < kills and time.monotonic() < end:
            run = Path(place) / str(tally.trainings)
            while tally.kills < kills and time.monotonic() < end:
                share = (inside - tally.inside) / (kills - tally.kills)
                if not killed(run, chance, length, chance.random() < share, tally):
                    break
            else:
                _ended(forked(lambda run=run: carry_on(run)))
            _compare(run, expected, tally)
            shutil.rmtree(run)
    return tally


def load_all(place: Path) -> None:
    """Import what a whole training does, as one in a process of its own tells."""
    names = place / "modules.json"

    def tell() -> None:
        carry_on(place / "first")
        names.write_text(json.dumps(list(sys.modules)))

    _ended(forked(tell))
    for name in json.loads(names.read_text()):
        with suppress(ImportError):  # some are known by the names that their own package gives them
            importlib.import_module(name)


def killed(run: Path, chance: random.Random, length: float, inside: bool, tally: Tally) -> bool:
    """Whether a process that carries on with `run` was killed before its end."""
    at, after = chance.randint(1, LATEST), chance.random() < 0.5
    instant = chance.uniform(0, LONGER * length)

    def work() -> None:
        if inside:
            kill_at(at, after)
        carry_on(run)

    process = forked(work)
    if not inside:
        time.sleep(instant)
        os.kill(process, signal.SIGKILL)  # one that has ended, and is not waited for, is no more
    if not _ended(process):
        return False
    tally.kills += 1
    tally.inside += inside
    return True


def carry_on(run: Path) -> None:
    """Begin the training, or go on with it, to its end."""
    train.checked_plan = lambda setup, out, view: {}
    log = run / "log.jsonl"
    if run.exists() and not (log.exists() and Run(run).events("started")):
        shutil.rmtree(run)  # killed before its first line
    if run.exists():
        if not Run.open(run).finished:
            api.resume(run)
    else:
        api.train(with_=SETTINGS, out=run)


def kill_at(at: int, after: bool) -> None:
    """Let this process kill itself at the call of that number inside the saving of checkpoints."""
    calls, save, write = itertools.count(1), logbook.save_checkpoint, Path.write_bytes

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            last = next(calls) == at
            if last and not after:
                if call is write:
                    write(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            done = call(*arguments, **named)
            if last:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return counted

    changed = [(owner, name, deadly(getattr(owner, name))) for owner, name in MOMENTS]

    def saving(*arguments: Any) -> Path:
        with ExitStack() as until:
            for moment in changed:
                until.enter_context(patch.object(*moment))
            return save(*arguments)

    logbook.save_checkpoint = saving


def forked(work: Callable[[], None]) -> int:
    """The number of a new process that does `work`, and says nothing but errors."""
    if process := os.fork():
        return process
    errors, silence = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        torch.set_num_threads(1)
        work()
    except BaseException:
        os.write(errors, traceback.format_exc().encode())
        os._exit(1)
    os._exit(0)


def _ended(process: int) -> bool:
    """Wait for the end; gives whether it was a kill, and raises where it was an error."""
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError(f"process {process} failed")
    return False


def result(folder: Path) -> tuple[Any, ...]:
    """All that a training came to, without the time that it took."""
    run = Run(folder)
    rows = [{k: v for k, v in row.items() if "second" not in k} for row in run.history]
    files = ("bundle/model.safetensors", "bundle/config.json", "predictions.csv", "split.csv")
    return (rows, run.test.to_dict(), *((folder / name).read_bytes() for name in files))


def _compare(run: Path, expected: tuple[Any, ...], tally: Tally) -> None:
    events = Run(run).events("resumed")
    tally.trainings += 1
    tally.resumed += bool(events)
    tally.same += result(run) == expected
    notes = [note for event in events for note in event["notes"]]
    tally.damaged += sum("damaged" in note or "cannot be read" in note for note in notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--inside", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--seed", type=int, default=0)
    found = main(**vars(parser.parse_args()))
    print(json.dumps(vars(found)))
    sys.exit(found.same < found.trainings or found.damaged > 0)
