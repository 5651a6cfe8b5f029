"""Draw a training of the embedded digits as a terminal shows it: docs/images/terminal.svg.

python examples/draw_terminal.py RUN FILE.svg     (RUN is made)
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 84


def main(run: str, file: str) -> None:
    shown = [f"$ saccade train --out {run}", *frames(["saccade", "train", "--out", run])]
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for line in shown:
        console.print(Text.from_ansi(line))
    console.save_svg(file, title="saccade")


def frames(command: list[str]) -> list[str]:
    """The lines of a command in a terminal, of the moving one only a late state."""
    master, slave = pty.openpty()
    environment = os.environ | {"COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        output += chunk
    process.wait()
    text = re.sub(r"\x1b\[[0-9;?]*[A-LN-Za-ln-z]", "", output.decode())  # all but colours
    lines, moving = [], ""
    for line in re.split(r"[\r\n]+", text):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if plain.startswith(("epoch", "starting", "reading", "examining")):
            moving = line
        elif plain.strip():
            if moving and plain.startswith("test accuracy"):
                lines.append(moving)
            lines.append(line)
    return lines


if __name__ == "__main__":
    main(*sys.argv[1:])
