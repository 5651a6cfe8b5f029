"""Minutes and memory of the studies that come with saccade, on the data that they name.

    python benchmarks/studies.py [NAME ...] [--seeds 1]

Runs `saccade study NAME --jobs 1` in a process of its own, with so many of the study's seeds, and
prints a row a study: processor minutes of one thread for all of its seeds, and the peak of the
proportional set size of all its processes.  The figures stand in the study's file, `[measured]`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from memory import measured
from saccade.studies.load import SHIPPED, find_study

UNLIMITED = 2**20  # gigabytes


def worked() -> float:
    """Processor seconds of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    print("| study | data | exit code | minutes of one thread, all seeds | MB |")
    print("|---|---|---|---|---|")
    os.environ["SACCADE_OFFLINE"] = "1"
    for name in asked.names or SHIPPED:
        study, before = find_study(name), worked()
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "saccade.cli", "study", name, "--jobs", "1"]
            out = str(Path(folder) / "study")
            command += ["--seeds", str(asked.seeds), "--out", out]
            code, _, peak, _ = measured(command, UNLIMITED)
        minutes = (worked() - before) * study.seeds / asked.seeds / 60
        print(f"| {name} | {study.data} | {code} | {minutes:.1f} | {peak / 1e6:.0f} |", flush=True)


if __name__ == "__main__":
    main()
