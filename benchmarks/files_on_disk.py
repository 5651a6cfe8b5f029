"""Data sets as files in folders of classes, below train, val and test: what everybody can read.

`val`, a few images of the training ones, is there for saccade, which wants one; no other sees it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.data.sources import open_source

Write = Callable[[Path], None]  # writes one image, given its path without a suffix
Images = Iterator[tuple[str, Write]]  # class and image


def mnist(data: Path, split: str) -> Images:
    """PNG of 28 x 28 from DATA/mnist, else from the published files."""
    source = open_source(f"mnist::{data / 'mnist'}" if (data / "mnist").is_dir() else "mnist")
    for item in source.read(split):
        pixels = np.asarray(item.image.read()).squeeze()
        yield str(item.label), lambda path, p=pixels: Image.fromarray(p).save(f"{path}.png")


def cifar10(data: Path, split: str) -> Images:
    """JPEG of 32 x 32 from DATA/cifar10_jpeg, the bytes as they are there."""
    packed = np.load(data / "cifar10_jpeg" / f"cifar10_{split}_jpeg.npz")
    stream, bounds, classes = packed["jpeg_bytes"], packed["offsets"], packed["classes"]
    for k, label in enumerate(packed["labels"]):
        raw = stream[bounds[k] : bounds[k + 1]].tobytes()
        yield str(classes[label]), lambda path, r=raw: _write(Path(f"{path}.jpg"), r)


def photographs(data: Path, split: str) -> Images:
    """Ants and bees from DATA/hymenoptera, as they are."""
    folder = data / "hymenoptera" / {"train": "train", "test": "val"}[split]
    for path in sorted(folder.rglob("*.jpg")):
        yield path.parent.name, lambda to, p=path: _write(Path(f"{to}.jpg"), p.read_bytes())


SETS: dict[str, Callable[[Path, str], Images]] = {
    "mnist": mnist,
    "cifar10": cifar10,
    "photographs": photographs,
}


def laid_out(name: str, data: Path, work: Path, counts: dict[str, int]) -> Path:
    """A folder below `work` with so many images of `train`, `val` and `test`; 0: all there are.

    Each class comes as often as any other, as far as the set has them.
    """
    folder = work / "-".join([name, *map(str, counts.values())])
    if not (folder / "done").exists():
        train, test = (in_turn(SETS[name](data, split)) for split in ("train", "test"))
        rest = train[counts["val"] :]
        _lay(train[: counts["val"]], folder / "images" / "val")
        _lay(rest[: counts["train"] or None], folder / "images" / "train")
        _lay(test[: counts["test"] or None], folder / "images" / "test")
        (folder / "done").touch()
    return folder / "images"


def in_turn(images: Images) -> list[tuple[str, Write]]:
    """The first of every class, then the second of every class, and so on."""
    seen: Counter[str] = Counter()
    ranked = []
    for label, write in images:
        seen[label] += 1
        ranked.append((seen[label], label, write))
    return [(label, write) for _, label, write in sorted(ranked, key=lambda one: one[0])]


def _lay(images: list[tuple[str, Write]], folder: Path) -> None:
    for number, (label, write) in enumerate(images):
        (folder / label).mkdir(parents=True, exist_ok=True)
        write(folder / label / f"{number:05d}")


def _write(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
