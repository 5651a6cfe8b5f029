"""What a prediction costs beside what it cannot do without, in seconds of all processors.

`python benchmarks/predict.py RUN [IMAGE]`: the command `saccade predict RUN IMAGE` from first to
last beside `import torch`, and one image of a warm predictor beside the network alone.  The
processes that open the image are counted in both.  Medians over rounds in which both take turns;
without an image, noise of 500 x 375 pixels as a JPEG.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

import saccade
from saccade.runs.bundle import Bundle
from saccade.runs.predictor import Predictor

ROUNDS = 7
IMAGES = 100  # of a round of the warm predictor
LISTS = ("models", "recipes", "settings", "studies", "--help")


def cpu() -> float:
    """Seconds of this process and of all that it waited for."""
    return sum(os.times()[:4])


def spent(work: Callable[[], object]) -> float:
    start = cpu()
    work()
    return cpu() - start


def process(*words: str | Path) -> Callable[[], object]:
    command = [sys.executable, *map(str, words)]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def noise(folder: Path) -> Path:
    coarse = np.random.default_rng(0).integers(0, 256, (25, 32, 3), np.uint8)
    pixels = coarse.repeat(15, axis=0).repeat(16, axis=1)[:375, :500]
    Image.fromarray(pixels).save(folder / "noise.jpg", quality=90)
    return folder / "noise.jpg"


def in_turn(bundle: Bundle, image: Path, times: int) -> tuple[float, float]:
    """Seconds of so many predictions, with the processes that they need, and of the network.

    Both take turns, so that each finds the caches as the other left them.
    """
    p = bundle.preprocessing
    shape = (1, p.channels, p.size, p.size)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8)
    network = 0.0
    start = cpu()
    with Predictor(bundle.model, bundle.task, p, novelty=bundle.novelty, workers=1) as predictor:
        for _ in range(times):
            predictor.predict(image)
            with torch.inference_mode():
                begun = time.process_time()
                bundle.model(pixels)
                network += time.process_time() - begun
    return cpu() - start - network, network


def whole_commands(run: Path, image: Path) -> None:
    cli = ("-m", "saccade.cli")
    predict = process(*cli, "predict", run, image)
    alone = process("-c", "import torch")
    pairs = [(spent(predict), spent(alone)) for _ in range(ROUNDS)]
    ratio = median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (median(column) for column in zip(*pairs, strict=True))
    print(f"saccade predict: {ratio:.2f} times import torch ({ours:.2f} s, {theirs:.2f} s)")
    for words in LISTS:
        print(
            f"saccade {words}: {median(spent(process(*cli, words)) for _ in range(ROUNDS)):.2f} s"
        )


def one_image(bundle: Bundle, image: Path) -> None:
    """A hundred images and one, less what one alone takes: the start of its process."""
    torch.set_num_threads(1)
    in_turn(bundle, image, 2)
    rounds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        first, _ = in_turn(bundle, image, 1)
        many, network = in_turn(bundle, image, 1 + IMAGES)
        rounds.append((1000 * (many - first) / IMAGES, 1000 * network / (1 + IMAGES)))
    ours, network = (median(column) for column in zip(*rounds, strict=True))
    beside = median(ours - network for ours, network in rounds)
    print(f"one image: {ours:.2f} ms, of which the network {network:.2f} ms: "
          f"{ours / network:.2f} times it, {beside:.2f} ms beside it")  # fmt: skip


def main(run: Path, image: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(image) if image else noise(Path(folder))
        whole_commands(run, path)
        one_image(saccade.open_bundle(run), path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
