"""Training steps and whole trainings, side by side with PyTorch's plain loop, timm, fastai, Keras.

    python benchmarks/train.py --data DATA [--rounds 3] [--share 1] [CASE ...]    prints the
                                                    tables and writes them to results/train.md
    python benchmarks/train.py --make-peers [FOLDER]                  the peers' own environment

DATA holds `mnist`, `cifar10_jpeg` and `hymenoptera` as files_on_disk.py reads them.  Everybody
has the same network, files, batch, epochs, optimizer, and one thread, and is a process of its own;
they take turns, round after round.  CPU seconds, user and system; medians.  The scripts, with what
each library is asked to do, lie in peers/.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch

from files_on_disk import laid_out
from saccade.device import environment
from saccade.explain.anatomy import anatomy
from saccade.files import cache_folder
from saccade.metrics.intervals import wilson
from saccade.models.create import create_model

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "train.md"
PEERS = {  # script, and what it wants in the environment
    "plain loop": ("plain.py", {}),
    "timm": ("with_timm.py", {}),
    "fastai": ("with_fastai.py", {}),
    "Keras on torch": ("with_keras.py", {"KERAS_BACKEND": "torch"}),
    "Keras on JAX": ("with_keras.py", {"KERAS_BACKEND": "jax"}),
}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


@dataclass(frozen=True)
class Case:
    """One training that everybody does."""

    title: str
    data: str
    counts: dict[str, int]  # images
    network: str
    size: int  # pixels
    batch: int  # images
    epochs: int

    def shortened(self, share: float) -> Case:
        """The same with fewer training images, in whole batches."""
        batches = max(3, round(share * self.counts["train"] / self.batch))
        return replace(self, counts=self.counts | {"train": batches * self.batch})


CASES = {
    "lenet": Case(
        "LeNet-5, 32 px, PNG of MNIST", "mnist",
        {"train": 12_032, "val": 500, "test": 10_000}, "lenet5", 32, 64, 2,
    ),
    "resnet18-32": Case(
        "ResNet-18, 32 px, JPEG of CIFAR-10", "cifar10",
        {"train": 640, "val": 50, "test": 1_000}, "resnet18_small", 32, 64, 3,
    ),
    "resnet18-224": Case(
        "ResNet-18, 224 px, photographs", "photographs",
        {"train": 112, "val": 16, "test": 16}, "resnet18", 224, 16, 1,
    ),
    "resnet50-224": Case(
        "ResNet-50, 224 px, photographs", "photographs",
        {"train": 56, "val": 8, "test": 8}, "resnet50", 224, 8, 1,
    ),
}  # fmt: skip


def make_peers(folder: Path) -> None:
    """The environment of benchmarks/peers.txt, and our networks in it; some 6 GB, some minutes."""
    venv.create(folder, with_pip=True)
    install = [folder / "bin" / "python", "-m", "pip", "install"]
    subprocess.run([*install, "-r", HERE / "peers.txt"], check=True)
    subprocess.run([*install, "--no-deps", "--editable", HERE.parent], check=True)


def measured(command: list[str | Path], environment: dict[str, str]) -> dict:
    """What the last line of a process says, with its CPU and wall seconds and its memory."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), env={**os.environ, **environment}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said = process.stdout.read().decode().strip().splitlines()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")
    facts = {"cpu": used.ru_utime + used.ru_stime, "wall": time.perf_counter() - began}
    return json.loads(said[-1]) | facts | {"memory": used.ru_maxrss / 1024}


def rounds(case: Case, folder: Path, python: Path, count: int) -> dict[str, list[dict]]:
    """Everybody in turn, `count` times."""
    words = [folder, case.network, case.size, case.batch, case.epochs]
    found: dict[str, list[dict]] = {}
    for number in range(count):
        ours = HERE / "peers" / "with_saccade.py"
        limit = measured([sys.executable, HERE / "peers" / "limit.py"], ONE_THREAD)
        found.setdefault("limit", []).append(limit)
        commands = {"saccade": ([sys.executable, ours, *words], {})}
        for name, (script, wanted) in PEERS.items():
            commands[name] = ([python, HERE / "peers" / script, *words], wanted)
        for name, (command, wanted) in commands.items():
            facts = measured(command, ONE_THREAD | wanted)
            print(f"{case.network} {number + 1} {name}: {facts}", file=sys.stderr, flush=True)
            found.setdefault(name, []).append(facts)
    return found


def table(case: Case, found: dict[str, list[dict]]) -> str:
    """The figures of one case as Markdown."""
    with torch.device("meta"):
        network = create_model(case.network, 10)
    channels = 1 if case.network == "lenet5" else 3
    forward = anatomy(network, (channels, case.size, case.size)).total.multiply_adds
    limits = {kind: median(found["limit"], kind) for kind in ("bfloat16", "float32")}
    ours, count = median(found["saccade"], "rate"), len(found["saccade"])
    images = f"{case.counts['train']:,} images, batch {case.batch}, {case.epochs} epochs"
    lines = [
        f"## {case.title}",
        "",
        f"{images}, {count} rounds. Limit of the core, measured between them, in GFLOP/s: "
        f"{limits['bfloat16'] / 1e9:.0f} in bfloat16, {limits['float32'] / 1e9:.0f} in float32.",
        "",
        "| | images/s in steps | saccade's over theirs | share of the core's limit |"
        " CPU s, the whole process | wall s | MB | test accuracy (95 %) |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name in ("saccade", *PEERS):
        kind = "bfloat16" if name == "saccade" else "float32"
        rate = median(found[name], "rate")
        share = 6 * forward * rate / limits[kind]
        right = statistics.median(facts["accuracies"][-1] for facts in found[name])
        tested = case.counts["test"]
        low, high = wilson(round(right * tested), tested)
        cells = [
            f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}",
            f"{ours / rate:.2f}" if name != "saccade" else "",
            f"{share:.0%} of {kind}",
            *(f"{median(found[name], what):,.0f}" for what in ("cpu", "wall", "memory")),
            f"{right:.1%} ({low:.1%} to {high:.1%})",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def median(facts: list[dict], name: str) -> float:
    return statistics.median(fact[name] for fact in facts)


def head() -> str:
    here = environment()
    return (
        "# Training beside others\n\n"
        f"Written by `python benchmarks/train.py` on {date.today()}: {here['processor']}, "
        f"torch {here['torch']}, {(HERE / 'peers.txt').read_text().replace(chr(10), ', ')[:-2]}. "
        "One thread each; CPU seconds, medians. Everybody does the same work: AdamW at 0.001, no "
        "augmentation; precision, memory layout and reading of files are as each ships them. "
        "Steps are those after the first of an epoch, data included; saccade has decoded the files "
        "before, which the whole process shows, and has examined them, planned and reported.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the training images")
    parser.add_argument("--peers", type=Path, default=cache_folder() / "peers")
    parser.add_argument("--make-peers", action="store_true")
    asked = parser.parse_args()
    if asked.make_peers:
        make_peers(asked.peers)
        return
    python = asked.peers / "bin" / "python"
    if not python.exists() or asked.data is None:
        parser.error("give --data, and make the peers first: --make-peers")
    parts = [head()]
    for name in asked.cases:
        case = CASES[name].shortened(asked.share)
        folder = laid_out(case.data, asked.data, cache_folder() / "benchmarks", case.counts)
        parts.append(table(case, rounds(case, folder, python, asked.rounds)))
        RESULTS.write_text("\n".join(parts), encoding="utf-8")
    print("\n".join(parts), end="")


if __name__ == "__main__":
    main()
