"""Seconds from files on disk to an accuracy, beside PyTorch's plain loop, timm, fastai and Keras.

    python benchmarks/time_to_accuracy.py --data DATA [--rounds 3] [--only PEER ...]
                                          [--out FILE] [CASE ...]

Prints the tables and writes them to results/time_to_accuracy.md, or to FILE.

DATA and the peers' environment are those of benchmarks/train.py.  saccade trains by its command and
a recipe, and its time is that of the whole process, report and all.  Peers train as in peers/, with
AdamW at 0.001, and are stopped after the first epoch that reaches the target on the test images,
which flatters them: in real life nobody knows.  CPU seconds, imports included, one thread.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from files_on_disk import laid_out
from saccade.device import environment
from saccade.files import cache_folder
from train import HERE, ONE_THREAD, PEERS, measured

RESULTS = HERE / "results" / "time_to_accuracy.md"


@dataclass(frozen=True)
class Case:
    """A set, what is to be reached, and how everybody goes about it."""

    title: str
    data: str
    target: float  # test accuracy at which a peer is stopped
    network: str  # of the peers
    size: int  # pixels
    batch: int  # images
    epochs: int  # of a peer, at the most
    words: tuple[str, ...]  # to `saccade train`


VAL = {"mnist": 1_000, "cifar10": 100}  # images that saccade watches itself by, of no training
CASES = {
    "mnist": Case(
        "MNIST as PNG files", "mnist", 0.99, "lenet5", 32, 64, 15,
        ("--recipe", "speed", "--epochs", "2"),
    ),
    "cifar10": Case(
        "CIFAR-10 as JPEG files", "cifar10", 0.8, "airbench_narrow", 32, 64, 15,
        ("--recipe", "speed_colour", "--epochs", "2"),
    ),
}  # fmt: skip


def ours(case: Case, folder: Path, seed: int) -> dict:
    """One run of `saccade train`: CPU seconds and the test accuracy at its end."""
    with tempfile.TemporaryDirectory() as out:
        words = ["train", folder, *case.words, "--seed", seed, "--out", f"{out}/run", "--json"]
        command = [Path(sys.executable).parent / "saccade", *words]
        facts = measured([*command, "--with", "train.threads=1"], ONE_THREAD)
    numbers = {one["name"]: one["value"] for one in facts["test"]["metrics"]}
    return {"cpu": facts["cpu"], "accuracy": numbers["accuracy"], "wall": facts["wall"]}


def theirs(case: Case, folder: Path, python: Path, name: str) -> dict:
    """One run of a peer: CPU seconds to the target, none where it was not reached."""
    script, wanted = PEERS[name]
    words = [case.network, case.size, case.batch, case.epochs, case.target]
    command = [python, HERE / "peers" / script, folder, *words]
    facts = measured(command, ONE_THREAD | wanted)
    reached = facts["accuracies"][-1] >= case.target
    cpu = facts["seconds"][-1] if reached else float("inf")
    return {"cpu": cpu, "accuracy": facts["accuracies"][-1], "epochs": len(facts["seconds"])}


def rows(case: Case, found: dict[str, list[dict]]) -> list[str]:
    """The lines of one case's table."""
    lines = [
        f"## {case.title}",
        "",
        f"Target {case.target:.0%}. saccade: `saccade train FOLDER {' '.join(case.words)}`; "
        f"peers: {case.network}, {case.size} px, batch {case.batch}, up to {case.epochs} epochs.",
        "",
        "| | CPU s, each run | median | theirs over saccade's | test accuracies |",
        "|---|---|---:|---:|---|",
    ]
    mine = statistics.median(run["cpu"] for run in found["saccade"])
    for name, runs in found.items():
        cpu = [run["cpu"] for run in runs]
        shown = ", ".join(f"{seconds:,.0f}" if seconds < float("inf") else "-" for seconds in cpu)
        middle = statistics.median(cpu)
        ratio = f"{middle / mine:.1f}" if name != "saccade" else ""
        accuracies = ", ".join(f"{run['accuracy']:.2%}" for run in runs)
        lines.append(f"| {name} | {shown} | {middle:,.0f} | {ratio} | {accuracies} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=cache_folder() / "peers")
    parser.add_argument("--only", nargs="*", default=list(PEERS), help="of the peers")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    here = environment()
    lines = [
        "# Time to accuracy",
        "",
        f"Written by `python benchmarks/time_to_accuracy.py` on {date.today()}: "
        f"{here['processor']}, torch {here['torch']}, one thread. A dash: not reached.",
    ]
    for name in asked.cases:
        case, found = CASES[name], {}
        counts = {"train": 0, "val": VAL[case.data], "test": 0}
        folder = laid_out(case.data, asked.data, cache_folder() / "benchmarks", counts)
        for number in range(asked.rounds):
            turn = {"saccade": ours(case, folder, number)}
            for peer in asked.only:
                turn[peer] = theirs(case, folder, asked.peers / "bin" / "python", peer)
            print(f"{name} {number + 1}: {turn}", file=sys.stderr, flush=True)
            for who, facts in turn.items():
                found.setdefault(who, []).append(facts)
        lines += ["", *rows(case, found)]
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
