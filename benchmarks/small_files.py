"""Small files to pixels: alone, through a process of their own, and several at a time.

    python benchmarks/small_files.py

10,000 PNG of 28 x 28 grey pixels to uint8 [1,32,32], in memory already.  CPU seconds of this
process and its children together, one worker, medians of rounds in turn; the tutorial's loader is
Pillow with torchvision's Resize and PILToTensor.
"""

from __future__ import annotations

import io
import resource
import statistics
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

from saccade.data.decode import Preprocessing, decode
from saccade.data.parallel import CHUNK
from saccade.data.pool import DecoderPool

COUNT, ROUNDS = 10_000, 5
PREPROCESSING = Preprocessing(32, colour="grey")


def files() -> list[bytes]:
    """Soft spots, which compress as digits do: some 300 bytes each."""
    y, x = np.ogrid[:28, :28]
    found = []
    for seed in range(COUNT):
        row, column, width = np.random.default_rng(seed).uniform((8, 8, 1), (20, 20, 3))
        spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
        stream = io.BytesIO()
        Image.fromarray((255 * spot).astype(np.uint8)).save(stream, "PNG")
        found.append(stream.getvalue())
    return found


def alone(raw: list[bytes]) -> None:
    for file in raw:
        decode(file, PREPROCESSING)


def tutorial(raw: list[bytes]) -> None:
    transform = v2.Compose([v2.Resize((32, 32)), v2.PILToTensor()])
    for file in raw:
        transform(Image.open(io.BytesIO(file)).convert("L"))


def through_a_worker(together: int) -> Callable[[list[bytes]], None]:
    def run(raw: list[bytes]) -> None:
        with DecoderPool(1) as workers:
            for start in range(0, len(raw), together):
                workers.decode(raw[start : start + together], PREPROCESSING)

    return run


def cpu() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    torch.set_num_threads(1)
    raw = files()
    ways = {
        "the tutorial's loader": tutorial,
        "saccade, in this process": alone,
        "saccade, through a worker one by one": through_a_worker(1),
        f"saccade, through a worker {CHUNK} at a time, as trainings do": through_a_worker(CHUNK),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = cpu()
            way(raw)
            seconds[name].append(cpu() - start)
    print(f"{COUNT:,} PNG of 28x28, {sum(map(len, raw)) / COUNT:.0f} bytes each, to 32x32\n")
    print("| | microseconds a file |\n|---|---:|")
    for name, taken in seconds.items():
        print(f"| {name} | {1e6 * statistics.median(taken) / COUNT:.0f} |")


if __name__ == "__main__":
    main()
