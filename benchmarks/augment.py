"""Augmented images a second, side by side with torchvision v2 and kornia.

    python benchmarks/augment.py     prints the table and writes it to results/augment.md

One thread.  CPU seconds, not time on the wall; every competitor in turn, several rounds, medians.
What comes out is a floating point batch: torchvision works on uint8 tensors, an image at a time,
and is stacked and made floating point once for the batch; kornia and saccade take whole batches.
Everything is done again in a process whose allocator keeps large blocks (the MALLOC_ settings of
glibc), since clearing the pages of new ones can cost as much as the work.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "augment.md"
ROUNDS = 9
KEPT = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"}
SIZES = {  # images, side as stored, side as trained
    "32 px, batch of 128": (128, 32, 32),
    "256 to 224 px, batch of 32": (32, 256, 224),
    "224 px, batch of 32": (32, 224, 224),
}


def competitors(count: int, side: int, trained: int) -> dict[str, dict[str, Callable[[], object]]]:
    """For each job a function a competitor, which augments one batch."""
    import torch
    from torchvision.transforms import v2

    from saccade.augmentation.augmentation import compose
    from saccade.augmentation.catalogue import parse_augmentation
    from saccade.data.batch import Batch

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, side, side), generator=generator).byte()
    batch = Batch(images, torch.zeros(count).long(), torch.arange(count))

    def ours(*texts: str) -> Callable[[], object]:
        augmentation = compose([parse_augmentation(text) for text in texts])
        return lambda: augmentation(batch, generator)

    def theirs(*parts: Callable) -> Callable[[], object]:
        transform = v2.Compose(parts)
        return lambda: torch.stack([transform(image) for image in images]).float()

    crop, turned = f"resized_crop:size={trained}", ("translate:4", "rotate:10", "scale:0.1")
    three = ("brightness:0.4", "contrast:0.4", "saturation:0.4")
    crop_v2, flip_v2 = v2.RandomResizedCrop(trained, antialias=True), v2.RandomHorizontalFlip()
    affine_v2 = v2.RandomAffine(
        (-10, 10), (4 / side, 4 / side), (0.9, 1.1), interpolation=v2.InterpolationMode.BILINEAR
    )
    jobs = {
        "crop, flip, colour with hue": {
            "saccade": ours(crop, "flip", *three, "hue:0.1"),
            "torchvision": theirs(crop_v2, flip_v2, v2.ColorJitter(0.4, 0.4, 0.4, 0.1)),
        },
        "crop, flip, colour without hue": {
            "saccade": ours(crop, "flip", *three),
            "torchvision": theirs(crop_v2, flip_v2, v2.ColorJitter(0.4, 0.4, 0.4)),
        },
        "move, turn, scale": {"saccade": ours(*turned), "torchvision": theirs(affine_v2)},
        "pad and crop by 4, flip": {
            "saccade": ours("pad_crop:4,border=zeros", "flip"),
            "torchvision": theirs(v2.RandomCrop(side, padding=4), flip_v2),
        },
        "RandAugment": {
            "saccade": ours("rand_augment:9"),
            "torchvision": theirs(v2.RandAugment(interpolation=v2.InterpolationMode.BILINEAR)),
        },
    }
    try:
        kornia = import_module("kornia.augmentation")
    except ImportError:
        return jobs
    cut = kornia.RandomResizedCrop((trained, trained), scale=(0.08, 1.0))
    hue = kornia.ColorJitter(0.4, 0.4, 0.4, 0.1, p=1.0)
    chain = kornia.AugmentationSequential(cut, kornia.RandomHorizontalFlip(), hue)
    jobs["crop, flip, colour with hue"]["kornia"] = lambda: chain(images.float() / 255)
    return jobs


def measure(jobs: dict[str, dict[str, Callable[[], object]]], count: int) -> dict:
    """Images a CPU second, for each job and competitor."""
    rates: dict[str, dict[str, float]] = {}
    for job, functions in jobs.items():
        seconds: dict[str, list[float]] = {name: [] for name in functions}
        for function in functions.values():
            function()
        for _ in range(ROUNDS):
            for name, function in functions.items():
                start = time.process_time()
                function()
                seconds[name].append(time.process_time() - start)
        rates[job] = {name: count / statistics.median(taken) for name, taken in seconds.items()}
    return rates


def child() -> None:
    """Everything measured in this process, as JSON on stdout."""
    found = {title: measure(competitors(*size), size[0]) for title, size in SIZES.items()}
    print(json.dumps(found))


def table(measured: dict[str, dict]) -> str:
    """The results as Markdown."""
    lines = [
        "# Augmentation",
        "",
        "Written by `python benchmarks/augment.py`: images a CPU second on one thread, medians "
        f"of {ROUNDS} interleaved rounds; in brackets saccade's rate over theirs.",
    ]
    for setting, sizes in measured.items():
        lines += ["", f"## {setting}", "", "| images | job | saccade | torchvision v2 | kornia |"]
        lines.append("|---|---|---|---|---|")
        for title, jobs in sizes.items():
            for job, rates in jobs.items():
                cells = [f"{rates['saccade']:,.0f}"]
                for name in ("torchvision", "kornia"):
                    rate = rates.get(name)
                    cells.append(f"{rate:,.0f} ({rates['saccade'] / rate:.1f})" if rate else "")
                lines.append(f"| {title} | {job} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    settings = {"The allocator as it is": {}, "An allocator that keeps large blocks": KEPT}
    measured = {}
    for setting, variables in settings.items():
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        command = [sys.executable, __file__, "child"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        measured[setting] = json.loads(done.stdout.splitlines()[-1])
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(table(measured), encoding="utf-8")
    print(table(measured), end="")


if __name__ == "__main__":
    child() if sys.argv[1:] == ["child"] else main()
