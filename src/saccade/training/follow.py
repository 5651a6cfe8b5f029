"""The processes of a data-parallel training: rank 0 leads, the others follow.

Rank 0 broadcasts recipe, splits and state to the others; it alone prints and writes the run.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from saccade.data.sources import open_source
from saccade.data.split_table import read_split, write_split
from saccade.data.splits import DataSplit
from saccade.device import LAUNCHED
from saccade.engine.checkpoint import deserialize, serialize
from saccade.engine.distributed.launch import Launch, launch
from saccade.engine.distributed.torch_world import init_world
from saccade.engine.distributed.world import World
from saccade.engine.loop import Position, Step
from saccade.errors import ResourceError, SaccadeError
from saccade.progress import quiet
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import Settings
from saccade.runs.run import Run
from saccade.training.view import View
from saccade.words import number


@contextmanager
def process_world() -> Iterator[World]:
    """This process's world; an error is written to the file where the launcher reads it."""
    try:
        with init_world() as world:
            yield world
    except Exception as error:
        if "TORCHELASTIC_ERROR_FILE" not in os.environ:
            raise
        lost = _is_loss(error)
        _write_error_file(error, lost=lost)
        if os.environ.get(LAUNCHED):
            redirect_output(Path(os.environ["TORCHELASTIC_ERROR_FILE"]).with_name("said.txt"))
        if lost:
            what = "another process of this training is gone, or does not answer"
            raise ResourceError(
                what, "see which one failed; the last checkpoint is whole"
            ) from error
        raise


def redirect_output(file: Path) -> None:
    """Append stdout and stderr of this process to `file` from now on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with file.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)


def interrupted_run() -> Path | None:
    """The run folder of these processes from before the launcher restarted them, if any."""
    file = _run_file()
    restarted = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))
    return (
        Path(file.read_text("utf-8", "surrogateescape"))
        if restarted and file and file.exists()
        else None
    )


def remember_run(run: Path) -> None:
    """Write down the run folder for the launcher, and for these processes after a restart."""
    if file := _run_file():
        file.write_text(str(run), "utf-8", "surrogateescape")


def _run_file() -> Path | None:
    """The file with the run folder, shared by all processes of this machine; None if alone."""
    error_file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    return Path(error_file).parents[2] / "run.txt" if error_file else None


def _is_loss(error: Exception) -> bool:
    """Whether an error only says that another process is gone."""
    from torch.distributed import DistError

    return isinstance(error, DistError) or (
        isinstance(error, RuntimeError) and "gloo" in str(error).lower()
    )


def _write_error_file(error: Exception, *, lost: bool) -> None:
    """Write the launcher's error file, in its format, with what `launch` needs under "saccade"."""
    what, hint = (error.what, error.hint) if isinstance(error, SaccadeError) else (str(error), "")
    report = {
        "kind": type(error).__name__,
        "what": what,
        "hint": hint,
        "exit_code": getattr(error, "exit_code", 1),
        "lost": lost,
        "time": time.time(),
        "traceback": "".join(traceback.format_exception(error)),
    }
    extra = {"py_callstack": report["traceback"], "timestamp": str(int(time.time()))}
    message = {"message": f"{report['kind']}: {what}", "extraInfo": extra}
    file = Path(os.environ["TORCHELASTIC_ERROR_FILE"])
    file.write_text(json.dumps({"message": message, "saccade": report}), encoding="utf-8")


@dataclass(frozen=True, repr=False)
class FollowedRun(Run):
    """A run that the process of rank 0 writes; logging is a no-op."""

    def log(self, event: str, **facts: Any) -> None:
        """Do nothing: the process of rank 0 writes."""

    def events(self, kind: str) -> list[dict[str, Any]]:
        """None: the log may be incomplete while rank 0 writes it."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Where the run is, and who writes it."""
        return {"run": str(self.path), "written_by": "rank 0"}

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        return [("run", f"{self.path}, written by the process of rank 0")]

    def __repr__(self) -> str:
        return f"Run({self.path}, written by the process of rank 0)"


class LogView(View):
    """A training view that prints plain lines, for the log file of a process."""

    def settings(self, settings: Settings, notes: Sequence[str]) -> None: ...
    def decoding(self, done: int, total: int) -> None: ...
    def step(self, step: Step, losses: Mapping[str, float]) -> None: ...

    def training(self, run: Run, steps: int, start: Position) -> None:
        position = f"epoch {start.epoch + 1}, step {start.step + 1} of {steps}"
        self.note(f"process {os.getpid()} on {socket.gethostname()} begins at {position}")

    def epoch(self, row: Mapping[str, Any]) -> None:
        losses = {k: v for k, v in row.items() if k.rpartition("/")[2] == "loss"}
        text = ", ".join(f"{name} {number(loss, 4)}" for name, loss in losses.items())
        self.note(f"epoch {row['epoch']}: {text}, {row['seconds']:.1f} s")

    def note(self, message: str) -> None:
        print(message, flush=True)

    def finished(self, run: Run) -> None:
        self.note("finished")


def broadcast_plan(world: World, recipe: Recipe, data: str | None, division: DataSplit) -> None:
    """Send recipe, data and splits to the other processes."""

    def plan() -> bytes:
        with TemporaryDirectory() as folder:
            write_split(split := Path(folder) / "split.csv", division)
            table = split.read_bytes().decode()
        return json.dumps({"recipe": recipe.settings(), "data": data, "split": table}).encode()

    _broadcast(world, plan)


def receive_plan(world: World) -> tuple[Recipe, DataSplit]:
    """Recipe and splits from rank 0; raises `DataError` where this machine has other images."""
    plan = json.loads(world.broadcast_bytes())
    with TemporaryDirectory() as folder:
        (split := Path(folder) / "split.csv").write_bytes(plan["split"].encode())
        division = read_split(split, open_source(plan["data"]))
    return Recipe().with_(plan["recipe"]), division


def broadcast_start(world: World, run: Run, state: dict[str, Any] | None) -> None:
    """Send the run folder, and the state to resume from, if any, to the other processes."""
    remember_run(run.path.absolute())
    _broadcast(world, lambda: os.fsencode(run.path.absolute()))
    _broadcast(world, lambda: serialize(state) if state else b"")


def receive_start(world: World) -> tuple[Run, dict[str, Any] | None]:
    """Run and state from rank 0; output of this process goes to a file in the run from now on."""
    path = Path(os.fsdecode(world.broadcast_bytes()))
    state = world.broadcast_bytes()
    remember_run(path)
    redirect_output(path / "log" / f"rank-{world.rank}.txt")
    return FollowedRun(path), deserialize(state) if state else None


def launched_run(arguments: Sequence[str], spec: Launch) -> Run:
    """The run that `saccade ARGUMENTS` makes as several processes."""
    path = launch([*arguments, *(["--quiet"] if quiet() else [])], spec)
    return Run(path) if (path / "log.jsonl").exists() else FollowedRun(path)


def _broadcast(world: World, data: Callable[[], bytes]) -> None:
    if world.size > 1:
        world.broadcast_bytes(data())
