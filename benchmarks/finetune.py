"""Is fine-tuning worth its time?  Beside features on five sets of few images, and beside peers.

    python benchmarks/finetune.py DATA OUT [--sets pets ...] [--networks ...] [--ways ...]

DATA is a folder with the sets of `finetune_sets` and with `weights`.  OUT takes the sets as
folders, the runs, and a file a case, so that a second call goes on where the first ended.  Each
case is a process of one thread; its processor time counts all, from the first import to the report.
Ways: the recipes `features` and `finetune` as they come, and the peers in the time that ours took.
Prints the table of docs/transfer.md: accuracy on the test images, and the difference to features by
McNemar's test with the interval of Bonett & Price.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from finetune_sets import SETS, folder_of
from saccade.files import atomic_write, cache_folder
from saccade.metrics.intervals import proportion_interval
from saccade.metrics.paired import paired_accuracy

HERE = Path(__file__).parent
NETWORKS = {
    "googlenet_2014": "googlenet_bvlc_imagenet_fp16.npz",
    "efficientnet_lite0": "tf_efficientnet_lite0_fp16.safetensors",
}
OURS = ("features", "finetune")
PEERS = {"fastai": "finetune_with_fastai.py", "timm": "finetune_with_timm.py"}


class Case(NamedTuple):
    """A set, learned by a network in one way."""

    data: str
    network: str
    way: str
    seed: int

    def __str__(self) -> str:
        return "-".join(map(str, self))


class Result(NamedTuple):
    """Which test images are right, in the order of their names, and processor seconds."""

    right: str  # 0 and 1
    seconds: float

    @property
    def mask(self) -> torch.Tensor:
        """-> [N] bool"""
        return torch.tensor([one == "1" for one in self.right])


def measured(case: Case, data: Path, out: Path, results: dict[Case, Result]) -> Result:
    """The result of a case, from its file if it was measured before."""
    file = out / "cases" / f"{case}.json"
    if file.exists():
        return Result(*json.loads(file.read_text()))
    folder = folder_of(case.data, data, out)
    before = worked()
    if case.way in OURS:
        right = ours(case, data, folder, out)
    else:
        budget = results[case._replace(way="finetune")].seconds
        right = peers(case, data, folder, budget)
    result = Result(right, round(worked() - before, 1))
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, json.dumps(result))
    return result


def ours(case: Case, data: Path, folder: Path, out: Path) -> str:
    """Of `saccade train`, as it is typed."""
    run = out / "runs" / str(case)
    shutil.rmtree(run, ignore_errors=True)
    command = ["train", str(folder), "--recipe", case.way, "--model", case.network]
    command += ["--weights", str(data / "weights" / NETWORKS[case.network])]
    command += ["--seed", str(case.seed), "--out", str(run), "--quiet"]
    start = "import sys; from saccade.cli import entry; sys.exit(entry())"
    subprocess.run([sys.executable, "-c", start, *command], env=one_thread(out), check=True)
    with (run / "predictions.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["name"])
    return "".join(str(int(row["prediction"] == row["label"])) for row in rows)


def peers(case: Case, data: Path, folder: Path, budget: float) -> str:
    """Of a peer, in an environment of its own (benchmarks/train.py --make-peers)."""
    asked = {
        "folder": str(folder),
        "network": case.network,
        "weights": str(data / "weights" / NETWORKS[case.network]),
        "seed": case.seed,
        "seconds": budget,
    }
    python = cache_folder() / "peers" / "bin" / "python"
    script = HERE / "peers" / PEERS[case.way]
    done = subprocess.run(
        [python, script, json.dumps(asked)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def one_thread(out: Path) -> dict[str, str]:
    """The environment of a case, with a cache that no case before has filled."""
    cache = out / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    return {**os.environ, "OMP_NUM_THREADS": "1", "SACCADE_CACHE": str(cache)}


def worked() -> float:
    """Processor seconds of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def table(results: dict[Case, Result]) -> Iterator[str]:
    """A row a case: accuracy, difference to features, minutes."""
    yield "| set | network | way | test accuracy, % | points above features | p | CPU minutes |"
    yield "|---|---|---|---|---|---|---|"
    for case, result in results.items():
        right, n = int(result.mask.sum()), len(result.right)
        low, high = proportion_interval(right, n)
        cells = [case.data, case.network, case.way]
        cells.append(f"{100 * right / n:.1f} ({100 * low:.1f}–{100 * high:.1f}, n = {n:,})")
        base = results.get(case._replace(way="features"))
        if case.way == "features" or base is None:
            cells += ["", ""]
        else:
            test = paired_accuracy(base.mask, result.mask)
            ends = " to ".join(f"{100 * end:+.1f}" for end in test.interval)
            cells += [f"{100 * test.difference:+.1f} ({ends})", f"{test.test.mid:.3f}"]
        yield "| " + " | ".join((*cells, f"{result.seconds / 60:.1f}")) + " |"


def cases(asked: argparse.Namespace) -> Iterator[Case]:
    for name in asked.sets:
        for network in asked.networks:
            for way in asked.ways:
                if way != "timm" or network != "googlenet_2014":  # timm has not that one
                    yield Case(name, network, way, asked.seed)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=[*SETS])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--ways", nargs="+", choices=[*OURS, *PEERS], default=[*OURS])
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    results: dict[Case, Result] = {}
    for case in cases(asked):
        results[case] = measured(case, asked.data, asked.out, results)
        print(f"{case}: {results[case].seconds:.0f} s", file=sys.stderr, flush=True)
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
