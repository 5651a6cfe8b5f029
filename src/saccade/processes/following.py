"""following: what the leading process of a training tells the others, and how they take part."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from saccade.data.sources import open_source
from saccade.data.split import Division, read_split, write_split
from saccade.engine.checkpoint import packed, unpacked
from saccade.engine.train import Position, Step
from saccade.engine.world import World
from saccade.processes.launch import Launch, launch
from saccade.processes.together import remember_run, write_to
from saccade.recipe import Recipe
from saccade.runs import Run
from saccade.settings import Settings


@dataclass(frozen=True, repr=False)
class Followed(Run):
    """A run that another process writes; here its events are passed over."""

    def log(self, event: str, **facts: Any) -> None:
        pass

    def events(self, kind: str) -> list[dict[str, Any]]:
        return []

    def to_dict(self) -> dict[str, Any]:
        return {"run": str(self.path), "written_by": "rank 0"}

    def rows(self) -> list[tuple[str, str]]:
        return [("run", f"{self.path}, written by the process of rank 0")]

    def __repr__(self) -> str:
        return f"Run({self.path}, written by the process of rank 0)"


class PlainView:
    """Lines in the file of a process that nobody looks at while it works."""

    def settings(self, settings: Settings, notes: Sequence[str]) -> None: ...
    def decoding(self, done: int, total: int) -> None: ...
    def step(self, step: Step, loss: float) -> None: ...

    def training(self, run: Run, steps: int, start: Position) -> None:
        place = f"epoch {start.epoch + 1}, step {start.step + 1} of {steps}"
        self.note(f"process {os.getpid()} on {socket.gethostname()} begins at {place}")

    def epoch(self, row: Mapping[str, Any]) -> None:
        self.note(f"epoch {row['epoch']}: loss {row['loss']:.4f}, {row['seconds']:.1f} s")

    def note(self, words: str) -> None:
        print(words, flush=True)

    def finished(self, run: Run) -> None:
        self.note("finished")


def tell_plan(world: World, recipe: Recipe, data: str | None, division: Division) -> None:
    """Tell the others what is to be trained, and on which pictures."""

    def plan() -> bytes:
        with TemporaryDirectory() as folder:
            write_split(split := Path(folder) / "split.csv", division)
            table = split.read_text(encoding="utf-8")
        return json.dumps({"recipe": recipe.settings(), "data": data, "split": table}).encode()

    _tell(world, plan)


def heard_plan(world: World) -> tuple[Recipe, Division]:
    """The plan; raises `DataError` where this machine has other pictures than the leader's."""
    plan = json.loads(world.told())
    with TemporaryDirectory() as folder:
        (split := Path(folder) / "split.csv").write_text(plan["split"], encoding="utf-8")
        division = read_split(split, open_source(plan["data"]))
    return Recipe().with_(plan["recipe"]), division


def tell_start(world: World, run: Run, state: dict[str, Any] | None) -> None:
    """Tell the others the run folder, and the state to go on from, if there is one."""
    remember_run(run.path.absolute())
    _tell(world, lambda: str(run.path.absolute()).encode())
    _tell(world, lambda: packed(state) if state else b"")


def heard_start(world: World) -> tuple[Run, dict[str, Any] | None]:
    """Run folder and state; what this process says goes to a file in the folder from now on."""
    path = Path(world.told().decode())
    state = world.told()
    remember_run(path)
    write_to(path / "log" / f"rank-{world.rank}.txt")
    return Followed(path), unpacked(state) if state else None


def launched_run(words: Sequence[str], wanted: Launch) -> Run:
    """The run that `saccade WORDS` makes as several processes."""
    path = launch(words, wanted)
    return Run(path) if (path / "log.jsonl").exists() else Followed(path)


def _tell(world: World, words: Callable[[], bytes]) -> None:
    if world.size > 1:
        world.told(words())
