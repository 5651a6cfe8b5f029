"""Images decoded a second, side by side with Pillow, torchvision and simplejpeg; data in a step.

    python benchmarks/data.py [FOLDER]     prints the tables and writes them to results/data.md
    python benchmarks/train.py --make-peers     the environment that fastai's rows need

One thread, CPU seconds, every competitor in turn, medians of several rounds.  JPEG files of two
sizes, quality 90, made of the photographs in FOLDER or of noise with a natural spectrum, come out
as uint8 [3,S,S].  torchvision decodes with `torchvision.io`, v2 is `transforms.v2` on Pillow
images.  simplejpeg, with its defaults of the exact transform and smooth colours, decodes whole,
or scales while decoding: at equal quality to no less than what saccade resizes from, else down to
the very size, from fewer pixels.  timm is its evaluation transform on an `ImageDataset`'s Pillow
image, without its normalisation; fastai its loader, floating point, in a process of its own.
"""

from __future__ import annotations

import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy
from torchvision.transforms import v2

import decoders
from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.data.batch import Batch
from saccade.data.cache import CachedImages, decode_all
from saccade.data.decode import Preprocessing
from saccade.data.item import EncodedImage, ImageArray, Item
from saccade.data.loader import Loader, shuffled
from saccade.data.pool import DecoderPool
from saccade.files import cache_folder
from saccade.models.create import create_model
from saccade.models.layers.blocks import Normalize

RESULTS = Path(__file__).parent / "results" / "data.md"
ROUNDS = 5
IMAGES = 24  # of each size
STORED = ((500, 375), (1600, 1200))
TRAINED = (224, 160, 128, 96, 64)
SMALLEST = "simplejpeg, scaled to the very size + interpolate"
AUGMENTED = ("flip", "rotate:10", "scale:0.1", "perspective:0.2", "brightness:0.2", "contrast:0.2")


def files(width: int, height: int, folder: Path | None) -> list[bytes]:
    """JPEG files of one size."""
    raw = []
    photographs = sorted(p for p in folder.rglob("*.[jJ]*")) if folder else []
    for k in range(IMAGES):
        if photographs:
            image = Image.open(photographs[k * len(photographs) // IMAGES]).convert("RGB")
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        else:
            image = Image.fromarray(natural(height, width, k))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=90)
        raw.append(stream.getvalue())
    return raw


def natural(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Noise whose amplitude falls with 1 / frequency, as in photographs (Field 1987).  [H,W,3]"""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3))
    y, x = np.fft.fftfreq(height).reshape(-1, 1, 1), np.fft.fftfreq(width).reshape(1, -1, 1)
    falling = np.fft.fft2(noise, axes=(0, 1)) / np.maximum(np.hypot(y, x), 1 / width)
    tones = np.fft.ifft2(falling, axes=(0, 1)).real
    return (128 + 50 * (tones - tones.mean()) / tones.std()).clip(0, 255).astype(np.uint8)


def decoding(folder: Path | None) -> list[str]:
    """The table of images a second and core."""
    competitors: dict[str, Callable[[bytes, int], Tensor]] = {
        "Pillow": decoders.by_pillow,
        "Pillow, draft and reducing_gap": decoders.by_pillow_draft,
        "torchvision.io + interpolate": decoders.by_torchvision,
        "torchvision v2": decoders.by_v2,
        "timm's loader, an image": decoders.by_timm,
        "simplejpeg, whole + interpolate": decoders.by_simplejpeg,
        "simplejpeg, scaled at equal quality + interpolate": decoders.by_simplejpeg_alike,
        SMALLEST: decoders.by_simplejpeg_smallest,
        "**saccade**": decoders.by_saccade,
    }
    try:
        import simplejpeg  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError:
        competitors = {k: v for k, v in competitors.items() if not k.startswith("simplejpeg")}
    titles = [f"{w}x{h} to {size}" for w, h in STORED for size in TRAINED]
    columns = []
    for stored in STORED:
        raw = files(*stored, folder)
        fastai = by_fastai(*stored, folder).get("decoded", {})
        for size in TRAINED:
            rates = side_by_side(competitors, raw, size)
            if fastai:
                rates["fastai's loader, an image"] = fastai[str(size)]
            rates["**saccade**, in workers"] = in_workers(raw, size)
            columns.append(rates)
    rows = ["| images/s per core | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    for name in columns[0]:
        figures = " | ".join(f"{rates[name]:,.0f}" for rates in columns)
        rows.append(f"| {name} | {figures} |")
    peers = [{k: v for k, v in rates.items() if "saccade" not in k} for rates in columns]
    alike = [max(v for k, v in rates.items() if k != SMALLEST) for rates in peers]
    for title, others in (
        ("saccade / fastest at equal quality", alike),
        ("saccade / fastest of all", [max(rates.values()) for rates in peers]),
        ("saccade / Pillow", [rates["Pillow"] for rates in peers]),
    ):
        shares = " | ".join(f"{c['**saccade**'] / b:.2f}" for c, b in zip(columns, others))
        rows.append(f"| {title} | {shares} |")
    return rows


@cache
def by_fastai(width: int, height: int, photographs: Path | None) -> dict[str, dict[str, float]]:
    """What peers/data_with_fastai.py says of these files; nothing without its environment."""
    python = cache_folder() / "peers" / "bin" / "python"
    if not python.exists():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for k, file in enumerate(files(width, height, photographs)):
            path = Path(folder, f"class{k % 2}", f"{k}.jpg")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file)
        command = [python, Path(__file__).parent / "peers" / "data_with_fastai.py", folder]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def augmenting(folder: Path | None) -> list[str]:
    """From files to augmented batches: mirrored, turned, enlarged, in perspective, lighted."""
    raw = files(*STORED[0], folder)
    fastai = by_fastai(*STORED[0], folder).get("augmented", {})
    augmentation = compose([parse_augmentation(text) for text in AUGMENTED])
    generator = torch.Generator().manual_seed(0)
    theirs = v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomAffine((-10, 10), scale=(1, 1.1), interpolation=v2.InterpolationMode.BILINEAR),
            v2.RandomPerspective(0.2),
            v2.ColorJitter(0.2, 0.2),
        ]
    )

    def with_v2(size: int) -> object:
        return torch.stack([theirs(decoders.by_v2(file, size)) for file in raw]).float()

    def with_saccade(size: int) -> object:
        images = torch.stack([decoders.by_saccade(file, size) for file in raw])
        count = len(raw)
        return augmentation(
            Batch(images, torch.zeros(count).long(), torch.arange(count)), generator
        )

    rows = [
        "| 500x375 to augmented batches, images/s per core | saccade | torchvision v2 | fastai |",
        "|---|---|---|---|",
    ]
    for size in (224, 32):
        seconds: dict[Callable[[int], object], list[float]] = {with_saccade: [], with_v2: []}
        for _ in range(ROUNDS):
            for way, taken in seconds.items():
                start = time.process_time()
                way(size)
                taken.append(time.process_time() - start)
        rates = [len(raw) / statistics.median(taken) for taken in seconds.values()]
        rates += [fastai[str(size)]] if fastai else []
        rows.append(f"| to {size} px | " + " | ".join(f"{rate:,.0f}" for rate in rates) + " |")
    return rows


def side_by_side(
    competitors: dict[str, Callable[[bytes, int], Tensor]], raw: list[bytes], size: int
) -> dict[str, float]:
    """Images a CPU second of each, interleaved."""
    seconds = {name: [] for name in competitors}
    for _ in range(ROUNDS):
        for name, competitor in competitors.items():
            start = time.process_time()
            for file in raw:
                competitor(file, size)
            seconds[name].append(time.process_time() - start)
    return {name: len(raw) / statistics.median(taken) for name, taken in seconds.items()}


def in_workers(raw: list[bytes], size: int) -> float:
    """Images a CPU second of this process and its worker together, without the start."""

    def seconds(count: int) -> float:
        start = cpu()
        with DecoderPool(1) as workers:
            for k in range(count):
                workers.decode([raw[k % len(raw)]], Preprocessing(size))
        return cpu() - start

    def cpu() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    many = 8 * len(raw)
    few, more = (statistics.median(seconds(count) for _ in range(3)) for count in (1, many))
    return (many - 1) / (more - few)


def in_a_step() -> list[str]:
    """What the data takes of a LeNet epoch on 60,000 images from the cache."""
    chance = np.random.default_rng(0)
    array = chance.integers(0, 256, (60_000, 28, 28), np.uint8)
    items = [Item(str(k), None, ImageArray(pixels)) for k, pixels in enumerate(array)]
    start = time.process_time()
    images = decode_all(items, Preprocessing(28, colour="grey"), mode="memory").images
    building = time.process_time() - start
    assert isinstance(images, CachedImages)
    targets = torch.from_numpy(chance.integers(0, 10, 60_000))
    model = torch.nn.Sequential(Normalize((0.13,), (0.31,)), create_model("lenet_caffe", 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    rows = [
        "| LeNet, batch of 128, 60,000 images of 28x28 | ms a step | of the step |",
        "|---|---|---|",
    ]
    steps, data = [], []
    for _ in range(3):
        loader = Loader(images, targets, 128, shuffled(60_000, seed=0))
        start = time.process_time()
        count = sum(1 for _ in loader.epoch(0))
        data.append((time.process_time() - start) / count)
        start = time.process_time()
        for _, batch in zip(range(60), loader.epoch(1)):
            optimizer.zero_grad()
            cross_entropy(model(batch.images), batch.targets).backward()
            optimizer.step()
        steps.append((time.process_time() - start) / 60)
    step, part = statistics.median(steps), statistics.median(data)
    rows.append(f"| data: order, images, targets | {1e3 * part:.3f} | {part / step:.1%} |")
    rows.append(f"| all | {1e3 * step:.2f} | |")
    return [*rows, "", f"Building this cache from arrays took {building:.2f} CPU seconds."]


def streaming(folder: Path | None) -> list[str]:
    """The same images, from memory and decoded when taken."""
    raw = files(*STORED[0], folder)
    items = [Item(str(k), None, EncodedImage(raw[k % len(raw)])) for k in range(10 * len(raw))]
    rows = ["| 500x375 to 224, two workers | images/s, on the wall |", "|---|---|"]
    for mode in ("memory", "off"):
        images = decode_all(items, Preprocessing(224), mode=mode).images
        images.take(torch.arange(48))
        start = time.perf_counter()
        for batch in torch.arange(len(items)).split(48):
            images.take(batch)
        rows.append(f"| {mode} | {len(items) / (time.perf_counter() - start):,.0f} |")
    return rows


def main(folder: Path | None) -> None:
    torch.set_num_threads(1)
    source = "photographs" if folder else "noise with a natural spectrum"
    versions = f"torch {torch.__version__}, torchvision {torchvision.__version__}"
    lines = [
        "# Data: decoding, and its part of a step",
        "",
        f"{date.today()}, {platform.machine()} with {torch.backends.cpu.get_cpu_capability()}, "
        f"{versions}, Pillow {PIL.__version__}; one thread, CPU seconds, medians of {ROUNDS} "
        f"rounds of {IMAGES} images, interleaved; JPEG quality 90, {source}; "
        f"load average {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors. "
        "Made by `python benchmarks/data.py [FOLDER]`.",
        "",
        *decoding(folder),
        "",
        *augmenting(folder),
        "",
        *in_a_step(),
        "",
        *streaming(folder),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
