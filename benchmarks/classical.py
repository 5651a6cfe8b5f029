"""The classical recipes on real images, and dense SIFT beside OpenCV's on the same grid.

    python benchmarks/classical.py DATA

DATA is a folder with `intel_scenes` and `hymenoptera`, each a source with a split to train on and
one to measure.  Times are seconds of processor time; set OMP_NUM_THREADS=1 for those of one core.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from saccade.auto.summary import channel_statistics
from saccade.classical.descriptors import DenseSift, blur_sigma, grid_points
from saccade.classical.fit import fit
from saccade.data.cache import CachedImages, ImageStore, decode_all
from saccade.data.classes import class_indices
from saccade.data.decode import Preprocessing
from saccade.data.sources import open_source
from saccade.metrics.intervals import wilson
from saccade.models.catalogue import CLASSICAL_MODELS
from saccade.models.layers.blocks import normalized
from saccade.words import proportion

SETS = (("hymenoptera", "train", "val"), ("intel_scenes", "train", "test"))
SEED = 0


def read(folder: Path, split: str, classes: tuple[str, ...]) -> tuple[ImageStore, torch.Tensor]:
    """The images of a split, and their classes."""
    items = open_source(folder).read(split)
    found = decode_all(items, Preprocessing(size=CLASSICAL_MODELS["hog"].input[1]), mode="memory")
    return found.images, torch.from_numpy(class_indices([items[k] for k in found.indices], classes))


def measure(name: str, folder: Path, train: str, held: str) -> None:
    """Print one recipe's accuracy on one set, and what it took."""
    classes = tuple(sorted({str(item.label) for item in open_source(folder).read(train)}))
    (images, targets), (unseen, truth) = (read(folder, s, classes) for s in (train, held))
    model = normalized(CLASSICAL_MODELS[name].make(len(classes)), *channel_statistics(images))
    start = time.process_time()
    fit(model, images, targets, SEED, lambda *_: None)
    fitted = time.process_time() - start
    start = time.process_time()
    with torch.inference_mode():
        parts = torch.arange(len(unseen)).split(16)
        said = torch.cat([model(unseen.take(part)).argmax(1) for part in parts])
    speed = len(unseen) / (time.process_time() - start)
    right, n = int((said == truth).sum()), len(truth)
    share = proportion(right / n, wilson(right, n), n)
    print(
        f"| {folder.name} | {name} | {share} | {fitted:.0f} s | {speed:.0f} images/s |",
        flush=True,
    )


def beside_opencv(cell: int, count: int = 20) -> None:
    """Print images a second of one scale, ours and OpenCV's, on the same grid."""
    pixels = np.random.default_rng(SEED).integers(0, 256, (count, 128, 128), dtype=np.uint8)
    grid = grid_points(128, 4, torch.empty(0)).tolist()
    points = [cv2.KeyPoint(float(x), float(y), cell / 1.5, 0.0) for y in grid for x in grid]
    theirs = cv2.SIFT.create(sigma=(blur_sigma(cell) ** 2 + 0.25) ** 0.5)
    row, images = DenseSift((cell,)), CachedImages(torch.from_numpy(pixels)[:, None])
    row(images.take(torch.arange(1)) / 255)
    start = time.process_time()
    for k in range(count):
        theirs.compute(pixels[k], points)
    middle = time.process_time()
    row(images.take(torch.arange(count)) / 255)
    end = time.process_time()
    ours, other = count / (end - middle), count / (middle - start)
    print(f"| {cell} | {ours:.0f} | {other:.0f} | {ours / other:.1f} |", flush=True)


def main(data: Path) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    print("| cell, pixels | DenseSift, images/s | OpenCV | ratio |\n|---|---|---|---|")
    for cell in (4, 6, 8, 10):
        beside_opencv(cell)
    print("\n| set | recipe | accuracy | fitting | prediction |\n|---|---|---|---|---|")
    for name, train, held in SETS:
        for recipe in CLASSICAL_MODELS:
            measure(recipe, data / name, train, held)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
