"""Opening and examining many small files, perhaps beside another version.

    python benchmarks/opening.py                          100,000 PNG of 28 x 28 in 100 classes
    python benchmarks/opening.py --against OTHER/src      the other version in turn, and the ratio

CPU seconds of a process and its children without those of its imports, medians of rounds in turn:
as a folder, a table, a .zip, a .tar, by a pattern, split, and looked at by the doctor.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

COUNT, CLASSES = 100_000, 100
TIMED = """
import resource
from saccade.data.doctor.doctor import examine
from saccade.data.sources import open_source
from saccade.data.splits import split_data

def cpu():
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)

before = cpu()
{code}
print(cpu() - before)
"""


def make(root: Path, count: int) -> None:
    """The set as a folder `set`, a table `set.csv`, `set.zip` and `set.tar`."""
    y, x = np.ogrid[:28, :28]
    rng = np.random.default_rng(0)
    rows = ["path,label"]
    with (
        zipfile.ZipFile(root / "set.zip", "w") as packed,
        tarfile.open(root / "set.tar", "w") as tar,
    ):
        for n in range(count):
            row, column, width = rng.uniform((6, 6, 1), (22, 22, 4))
            spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
            stream = io.BytesIO()
            Image.fromarray((255 * spot).astype(np.uint8)).save(stream, "PNG")
            name = f"c{n % CLASSES:02d}/{n}.png"
            file = root / "set" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(stream.getvalue())
            packed.write(file, name)
            tar.add(file, name)
            rows.append(f"set/{name},c{n % CLASSES:02d}")
    (root / "set.csv").write_text("\n".join(rows), encoding="utf-8")


def ways(root: Path) -> dict[str, str]:
    """The code of each way, by its name."""
    folder = f"open_source({str(root / 'set')!r})"
    return {
        "folder": folder,
        "table": f"open_source({str(root / 'set.csv')!r})",
        ".zip": f"open_source({str(root / 'set.zip')!r})",
        ".tar": f"open_source({str(root / 'set.tar')!r})",
        "pattern": f"open_source({str(root / 'set') + '::^([^/]+)/'!r})",
        "folder and split": f"split_data({folder})",
        "folder and doctor": f"examine({folder})",
    }


def cpu_seconds(code: str, package: Path) -> float:
    """CPU seconds of `code` in a process with the package at `package`."""
    environment = {**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", TIMED.format(code=code)]
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--against", type=Path, help="the src folder of another version")
    arguments.add_argument("--count", type=int, default=COUNT)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    packages = [Path(__file__).parents[1] / "src", *filter(None, [given.against])]
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), given.count)
        for way, code in ways(Path(name)).items():
            rounds = [[cpu_seconds(code, p) for p in packages] for _ in range(given.rounds)]
            own, *other = [statistics.median(column) for column in zip(*rounds)]
            ratio = f", {own / other[0]:.2f} times the other" if other else ""
            print(f"{way:<18} {own:6.1f} s{ratio}", flush=True)


if __name__ == "__main__":
    main()
