"""Pictures decoded a second, side by side with Pillow, torchvision and simplejpeg; data in a step.

    python benchmarks/data.py [FOLDER]     prints the tables and writes them to results/data.md

One thread, CPU seconds, every competitor in turn, medians of several rounds.  JPEG files of two
sizes, quality 90, made of the photographs in FOLDER or of noise with a natural spectrum, come out
as uint8 [3,S,S].  torchvision decodes with `torchvision.io`, v2 is `transforms.v2` on Pillow
pictures, simplejpeg scales while decoding as saccade does, but down to the very size.
timm is its evaluation transform on an `ImageDataset`'s Pillow picture, without its normalisation.
"""

from __future__ import annotations

import io
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import PIL
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms import v2

from saccade.data.cache import Held, decoded
from saccade.data.decode import Preprocessing, decode
from saccade.data.loader import Loader
from saccade.data.order import shuffled
from saccade.data.source import Encoded, Item, Pixels
from saccade.data.workers import Workers
from saccade.layers.normalize import Normalize
from saccade.models.create import create_model

RESULTS = Path(__file__).parent / "results" / "data.md"
ROUNDS = 7
PICTURES = 24  # of each size
STORED = ((500, 375), (1600, 1200))
TRAINED = (224, 128, 96, 64)


def files(width: int, height: int, folder: Path | None) -> list[bytes]:
    """JPEG files of one size."""
    raw = []
    photographs = sorted(p for p in folder.rglob("*.[jJ]*")) if folder else []
    for k in range(PICTURES):
        if photographs:
            image = Image.open(photographs[k * len(photographs) // PICTURES]).convert("RGB")
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


def by_pillow(raw: bytes, size: int) -> Tensor:
    image = Image.open(io.BytesIO(raw)).convert("RGB")
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def by_pillow_draft(raw: bytes, size: int) -> Tensor:
    image = Image.open(io.BytesIO(raw))
    image.draft("RGB", (size, size))
    image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def by_torchvision(raw: bytes, size: int) -> Tensor:
    data = torch.frombuffer(bytearray(raw), dtype=torch.uint8)
    image = cast(Tensor, decode_jpeg(data, ImageReadMode.RGB))[None]
    return interpolate(image, (size, size), mode="bilinear", antialias=True)[0]


def by_v2(raw: bytes, size: int) -> Tensor:
    image = v2.functional.pil_to_tensor(Image.open(io.BytesIO(raw)).convert("RGB"))
    return v2.functional.resize(image, [size, size], antialias=True)


def by_timm(raw: bytes, size: int) -> Tensor:
    return timm_transform(size)(Image.open(io.BytesIO(raw)).convert("RGB"))


@cache
def timm_transform(size: int) -> Callable[[Image.Image], Tensor]:
    from timm.data.transforms_factory import create_transform

    transform = create_transform(
        size, interpolation="bilinear", crop_pct=1.0, crop_mode="squash", use_prefetcher=True
    )
    return cast(Callable[[Image.Image], Tensor], transform)


def by_simplejpeg(raw: bytes, size: int) -> Tensor:
    import simplejpeg  # pyright: ignore[reportMissingImports]

    array = simplejpeg.decode_jpeg(raw, "RGB", min_height=size, min_width=size, min_factor=1)
    image = torch.from_numpy(array).permute(2, 0, 1)[None]
    return interpolate(image, (size, size), mode="bilinear", antialias=True)[0].contiguous()


def by_saccade(raw: bytes, size: int) -> Tensor:
    return decode(raw, Preprocessing(size))


def decoding(folder: Path | None) -> list[str]:
    """The table of pictures a second and core."""
    competitors: dict[str, Callable[[bytes, int], Tensor]] = {
        "Pillow": by_pillow,
        "Pillow, draft and reducing_gap": by_pillow_draft,
        "torchvision.io + interpolate": by_torchvision,
        "torchvision v2": by_v2,
        "timm's loader, a picture": by_timm,
        "simplejpeg, scaled + interpolate": by_simplejpeg,
        "**saccade**": by_saccade,
    }
    try:
        import simplejpeg  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError:
        del competitors["simplejpeg, scaled + interpolate"]
    titles = [f"{w}x{h} to {size}" for w, h in STORED for size in TRAINED]
    columns = []
    for stored in STORED:
        raw = files(*stored, folder)
        for size in TRAINED:
            rates = side_by_side(competitors, raw, size)
            rates["**saccade**, in workers"] = in_workers(raw, size)
            columns.append(rates)
    rows = ["| images/s per core | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    for name in columns[0]:
        figures = " | ".join(f"{rates[name]:,.0f}" for rates in columns)
        rows.append(f"| {name} | {figures} |")
    best = (max(v for k, v in rates.items() if "saccade" not in k) for rates in columns)
    shares = " | ".join(f"{c['**saccade**'] / b:.2f}" for c, b in zip(columns, best))
    over = " | ".join(f"{c['**saccade**'] / c['Pillow']:.2f}" for c in columns)
    return [*rows, f"| saccade / fastest other | {shares} |", f"| saccade / Pillow | {over} |"]


def side_by_side(
    competitors: dict[str, Callable[[bytes, int], Tensor]], raw: list[bytes], size: int
) -> dict[str, float]:
    """Pictures a CPU second of each, interleaved."""
    seconds = {name: [] for name in competitors}
    for _ in range(ROUNDS):
        for name, competitor in competitors.items():
            start = time.process_time()
            for file in raw:
                competitor(file, size)
            seconds[name].append(time.process_time() - start)
    return {name: len(raw) / statistics.median(taken) for name, taken in seconds.items()}


def in_workers(raw: list[bytes], size: int) -> float:
    """Pictures a CPU second of this process and its worker together, without the start."""

    def seconds(count: int) -> float:
        start = cpu()
        with Workers(1) as workers:
            for k in range(count):
                workers.decode(raw[k % len(raw)], Preprocessing(size))
        return cpu() - start

    def cpu() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    many = 8 * len(raw)
    few, more = (statistics.median(seconds(count) for _ in range(3)) for count in (1, many))
    return (many - 1) / (more - few)


def in_a_step() -> list[str]:
    """What the data takes of a LeNet epoch on 60,000 pictures from the cache."""
    chance = np.random.default_rng(0)
    array = chance.integers(0, 256, (60_000, 28, 28), np.uint8)
    items = [Item(str(k), None, Pixels(pixels)) for k, pixels in enumerate(array)]
    start = time.process_time()
    pictures = decoded(items, Preprocessing(28, colour="grey"), mode="memory").pictures
    building = time.process_time() - start
    assert isinstance(pictures, Held)
    targets = torch.from_numpy(chance.integers(0, 10, 60_000))
    model = torch.nn.Sequential(Normalize((0.13,), (0.31,)), create_model("lenet_caffe", 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    rows = [
        "| LeNet, batch of 128, 60,000 pictures of 28x28 | ms a step | of the step |",
        "|---|---|---|",
    ]
    steps, data = [], []
    for _ in range(3):
        loader = Loader(pictures, targets, 128, shuffled(60_000, seed=0))
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
    rows.append(f"| data: order, pictures, targets | {1e3 * part:.3f} | {part / step:.1%} |")
    rows.append(f"| all | {1e3 * step:.2f} | |")
    return [*rows, "", f"Building this cache from arrays took {building:.2f} CPU seconds."]


def streaming(folder: Path | None) -> list[str]:
    """The same pictures, from memory and decoded when taken."""
    raw = files(*STORED[0], folder)
    items = [Item(str(k), None, Encoded(raw[k % len(raw)])) for k in range(10 * len(raw))]
    rows = ["| 500x375 to 224, two workers | images/s, on the wall |", "|---|---|"]
    for mode in ("memory", "off"):
        pictures = decoded(items, Preprocessing(224), mode=mode).pictures
        pictures.take(torch.arange(48))
        start = time.perf_counter()
        for batch in torch.arange(len(items)).split(48):
            pictures.take(batch)
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
        f"rounds of {PICTURES} pictures, interleaved; JPEG quality 90, {source}; "
        f"load average {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors. "
        "Made by `python benchmarks/data.py`.",
        "",
        *decoding(folder),
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
