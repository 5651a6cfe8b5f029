"""Memory of transfer on 1,000 photographs, as on a laptop: saccade beside the plain loop.

    python benchmarks/memory.py PHOTOS WEIGHTS [--network NAME] [--gigabytes 4] [--count 1000]

PHOTOS is a folder with a folder of photographs for each class; `--count` of them are copied.
WEIGHTS is a file for the network.  Each program runs with RLIMIT_DATA at so many gigabytes, which
the kernel holds each of its processes to, and the memory of all its processes together is read
twice a second: their proportional set size, in which a page that two share counts once.  The plain
loop takes the same network and images, 64 at a time, keeps the features and fits scikit-learn's
logistic regression.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

BATCH = 64  # images of the plain loop


def plain(photos: Path, network: str, weights: Path) -> None:
    """What people write: a loader, the network without its last layer, logistic regression."""
    import numpy as np
    import torch
    from PIL import Image
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    from saccade.models.backbone import backbone
    from saccade.models.create import create_model, input_shape

    size = input_shape(network)[1]

    class Photos(torch.utils.data.Dataset):
        def __init__(self) -> None:
            self.files = sorted(photos.glob("*/*"))
            self.classes = sorted({file.parent.name for file in self.files})

        def __len__(self) -> int:
            return len(self.files)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            file = self.files[index]
            with Image.open(file) as image:
                pixels = np.asarray(image.convert("RGB").resize((size, size)), np.float32)
            return torch.from_numpy(pixels).permute(2, 0, 1), self.classes.index(file.parent.name)

    model = backbone(create_model(network, weights=weights).eval())
    features, labels = [], []
    with torch.inference_mode():
        for images, classes in torch.utils.data.DataLoader(Photos(), BATCH, num_workers=2):
            features.append(model(images - 115).numpy())
            labels.append(classes.numpy())
    x, y = np.concatenate(features), np.concatenate(labels)
    accuracy = cross_val_score(LogisticRegression(max_iter=1000), x, y, cv=5).mean()
    print(f"accuracy {100 * accuracy:.1f} % in 5-fold cross-validation")


def copied(photos: Path, out: Path, count: int) -> Path:
    """A folder with `count` of the photographs, evenly spread over them all."""
    files = sorted(file for file in photos.glob("*/*") if file.is_file())
    for k in sorted({k * len(files) // count for k in range(count)}):
        place = out / "photos" / files[k].parent.name / files[k].name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[k], place)
    return out / "photos"


def tree(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = [pid]
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [one for each in child.read_text().split() for one in tree(int(each))]
    return found


def proportional_set_size(pid: int) -> int:
    """Bytes of a process; a page that n processes share counts as its nth part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, ProcessLookupError):
        return 0


def measured(command: list[str], gigabytes: float) -> tuple[int, float, int, str]:
    """Exit code, seconds, peak bytes of all processes together, and what it said of accuracy."""
    limit = int(gigabytes * 2**30)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    began, peak = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as output:
        program = subprocess.Popen(
            command, preexec_fn=limited, stdout=output, stderr=subprocess.STDOUT
        )
        while program.poll() is None:
            with suppress(OSError):  # a process has ended meanwhile
                peak = max(peak, sum(map(proportional_set_size, tree(program.pid))))
            time.sleep(0.5)
        output.seek(0)
        lines = [line.strip() for line in output if "accuracy" in line] or ["-"]
    return program.returncode, time.monotonic() - began, peak, lines[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--network", default="googlenet_2014")
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.plain:
        return plain(asked.photos, asked.network, asked.weights)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        photos = copied(asked.photos, out, asked.count)
        os.environ["SACCADE_CACHE"] = str(out / "cache")
        names = ("--model", asked.network, "--weights", str(asked.weights))
        cli = [sys.executable, "-m", "saccade.cli"]
        train = [*cli, "train", str(photos), *names, "--out"]
        programs = {
            "plain loop, features": [
                sys.executable, __file__, str(photos), str(asked.weights),
                "--network", asked.network, "--plain",
            ],
            "saccade features": [*cli, "features", asked.network, str(photos), *names[2:],
                                 "--out", str(out / "features")],
            "saccade train --recipe features": [*train, str(out / "f"), "--recipe", "features"],
            "saccade predict": [*cli, "predict", str(out / "f"), str(photos)],
            "saccade train --recipe finetune --epochs 1":
                [*train, str(out / "t"), "--recipe", "finetune", "--epochs", "1"],
        }  # fmt: skip
        print("| program | exit code | seconds | peak of all its processes | said |")
        print("|---|---|---|---|---|")
        for name, command in programs.items():
            code, seconds, peak, said = measured(command, asked.gigabytes)
            row = (name, code, f"{seconds:.0f}", f"{peak / 2**30:.2f} GiB", said[:90])
            print(f"| {' | '.join(map(str, row))} |", flush=True)
    return None


if __name__ == "__main__":
    main()
