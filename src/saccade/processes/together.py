"""together: what each process of a training does around its work, whoever launched it."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from saccade.engine.distributed import joined_world
from saccade.engine.world import World
from saccade.errors import ResourceError, SaccadeError

HUSHED = "SACCADE_LAUNCHED"  # set where the launcher, not the process itself, tells of failures


@contextmanager
def together() -> Iterator[World]:
    """This process's world; a failure is left where the launcher looks for it."""
    try:
        with joined_world() as world:
            yield world
    except Exception as error:
        if "TORCHELASTIC_ERROR_FILE" not in os.environ:
            raise
        lost = _is_loss(error)
        _leave_word(error, lost=lost)
        if os.environ.get(HUSHED):
            write_to(Path(os.environ["TORCHELASTIC_ERROR_FILE"]).with_name("said.txt"))
        if lost:
            what = "another process of this training is gone, or does not answer"
            raise ResourceError(
                what, "see which one failed; the last checkpoint is whole"
            ) from error
        raise


def write_to(file: Path) -> None:
    """Let all that this process says from now on stand in `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with file.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)


def run_before() -> Path | None:
    """The run that these processes had begun before the launcher restarted them."""
    note = _note()
    restarted = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))
    return Path(note.read_text()) if restarted and note and note.exists() else None


def remember_run(run: Path) -> None:
    """Note the run folder for the launcher, and for these processes when they are restarted."""
    if note := _note():
        note.write_text(str(run))


def _note() -> Path | None:
    """A file that all processes of this machine have in common; None without a launcher."""
    error_file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    return Path(error_file).parents[2] / "run.txt" if error_file else None


def _is_loss(error: Exception) -> bool:
    """Whether an error only says that another process has gone."""
    from torch.distributed import DistError

    return isinstance(error, DistError) or (
        isinstance(error, RuntimeError) and "gloo" in str(error).lower()
    )


def _leave_word(error: Exception, *, lost: bool) -> None:
    """Write the launcher's file of an error, in its form, with what `launch` asks for beside."""
    words, hint = (error.what, error.hint) if isinstance(error, SaccadeError) else (str(error), "")
    told = {
        "kind": type(error).__name__,
        "what": words,
        "hint": hint,
        "exit_code": getattr(error, "exit_code", 1),
        "lost": lost,
        "time": time.time(),
        "traceback": "".join(traceback.format_exception(error)),
    }
    extra = {"py_callstack": told["traceback"], "timestamp": str(int(time.time()))}
    message = {"message": f"{told['kind']}: {words}", "extraInfo": extra}
    file = Path(os.environ["TORCHELASTIC_ERROR_FILE"])
    file.write_text(json.dumps({"message": message, "saccade": told}))
