"""What `saccade train` without an argument reaches: accuracy and time over five seeds.

python benchmarks/digits.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDS = range(5)


def main() -> None:
    accuracies, training, whole = [], [], []
    print("| seed | test accuracy | training, s | whole command, s |\n|---|---|---|---|")
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            words = ["train", "--seed", str(seed), "--out", str(out), "--json"]
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "saccade.cli", *words], capture_output=True, check=True
            )
            whole.append(time.perf_counter() - began)
            log = (out / "log.jsonl").read_text().splitlines()
            epochs = [fact for fact in map(json.loads, log) if fact["event"] == "epoch"]
            training.append(sum(fact["seconds"] for fact in epochs))
            numbers = json.loads(done.stdout)["test"]["metrics"]
            accuracies.append({one["name"]: one["value"] for one in numbers}["accuracy"])
        row = f"{100 * accuracies[-1]:.1f} % | {training[-1]:.1f} | {whole[-1]:.1f}"
        print(f"| {seed} | {row} |", flush=True)
    medians = [statistics.median(values) for values in (accuracies, training, whole)]
    print(f"| median | {100 * medians[0]:.1f} % | {medians[1]:.1f} | {medians[2]:.1f} |")


if __name__ == "__main__":
    main()
