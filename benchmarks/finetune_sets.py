"""Five sets of few images, as folders, that finetune.py measures on.

Three are of photographs like those that the networks have learned from, two are not: small pictures
of things, and handwritten digits.
"""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

TEST = 2000  # images of the larger sets
TRAIN = 1000
SCENES = 800


def photographs(folder: Path, train: str, test: str) -> Iterator[tuple[str, str, Path]]:
    """Split, class and file of folders of folders."""
    for split, name in (("train", train), ("test", test)):
        for kind in sorted(path for path in (folder / name).iterdir() if path.is_dir()):
            yield from ((split, kind.name, file) for file in sorted(kind.iterdir()))


def hymenoptera(data: Path, out: Path) -> None:
    """Ants and bees: 244 and 153."""
    for split, kind, file in photographs(data / "hymenoptera", "train", "val"):
        copy(file, out / split / kind)


def scenes(data: Path, out: Path) -> None:
    """Six kinds of scenes: the first 800 of 1,500, and 600."""
    places: dict[tuple[str, str], int] = {}
    for split, kind, file in photographs(data / "intel_scenes", "train", "test"):
        seen = places[split, kind] = places.get((split, kind), 0) + 1
        if split == "test" or seen <= SCENES // 6 + (kind in ("buildings", "forest")):
            copy(file, out / split / kind)


def pets(data: Path, out: Path) -> None:
    """Three breeds, as the data set divides them: 300 and 298."""
    with (data / "pets" / "split.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if split := {"trainval": "train", "test": "test"}.get(row["split"]):
                copy(data / "pets" / row["image"], out / split / row["breed"])


def cifar(data: Path, out: Path) -> None:
    """CIFAR-10 as JPEG: the first 1,000 and 2,000."""
    for split, count in (("train", TRAIN), ("test", TEST)):
        arrays = np.load(data / "cifar10_jpeg" / f"cifar10_{split}_jpeg.npz")
        ends, names = arrays["offsets"], arrays["classes"]
        for k, label in enumerate(arrays["labels"][:count]):
            place = out / split / str(names[label])
            place.mkdir(parents=True, exist_ok=True)
            content = arrays["jpeg_bytes"][ends[k] : ends[k + 1]].tobytes()
            (place / f"{k:05d}.jpg").write_bytes(content)


def mnist(data: Path, out: Path) -> None:
    """Handwritten digits: the first 1,000 and 2,000."""
    for split, prefix, count in (("train", "train", TRAIN), ("test", "t10k", TEST)):
        images = of_idx(data / "mnist" / f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        labels = of_idx(data / "mnist" / f"{prefix}-labels-idx1-ubyte.gz", 8)
        for k, (pixels, label) in islice(enumerate(zip(images, labels, strict=True)), count):
            place = out / split / str(label)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place / f"{k:05d}.png")


def of_idx(file: Path, head: int) -> np.ndarray:
    """The bytes behind the head of an idx file."""
    return np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=head)


def copy(file: Path, folder: Path) -> None:
    """Copy a file into a folder, made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)


SETS: dict[str, Callable[[Path, Path], None]] = {
    "hymenoptera": hymenoptera,
    "scenes": scenes,
    "pets": pets,
    "cifar": cifar,
    "mnist": mnist,
}


def folder_of(name: str, data: Path, out: Path) -> Path:
    """The folder of a set, made once."""
    folder = out / "sets" / name
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        SETS[name](data, unfinished)
        unfinished.rename(folder)
    return folder
