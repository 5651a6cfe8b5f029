"""The doctor's speed, memory and accuracy.

python benchmarks/doctor.py                     10,000 small JPEGs, made for the purpose
python benchmarks/doctor.py --accuracy DATA     how many changed copies of the images in DATA
                                                are found, and what is found in DATA itself
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from saccade.data.doctor.doctor import examine
from saccade.data.item import EncodedImage, Item
from saccade.data.sources import open_source
from saccade.data.sources.folder import folder
from saccade.data.sources.listing import Listing

Change = Callable[[Image.Image], Image.Image]


def part(share: float) -> Change:
    """The middle of an image without `share` of it at every side."""

    def cut(image: Image.Image) -> Image.Image:
        left, top = int(share * image.width), int(share * image.height)
        return image.crop((left, top, image.width - left, image.height - top))

    return cut


def halved(image: Image.Image) -> Image.Image:
    return image.resize((max(1, image.width // 2), max(1, image.height // 2)))


CHANGES: dict[str, tuple[Change, int]] = {  # what is done, and the JPEG quality afterwards
    "saved again, quality 75": (lambda image: image, 75),
    "saved again, quality 50": (lambda image: image, 50),
    "saved again, quality 20": (lambda image: image, 20),
    "half the size": (halved, 90),
    "a quarter of the size": (lambda image: halved(halved(image)), 90),
    "30 % brighter": (lambda image: ImageEnhance.Brightness(image).enhance(1.3), 90),
    "30 % more contrast": (lambda image: ImageEnhance.Contrast(image).enhance(1.3), 90),
    "without colour": (lambda image: image.convert("L"), 90),
    "1 % cut off at every side": (part(0.01), 90),
    "2 % cut off at every side": (part(0.02), 90),
    "5 % cut off at every side": (part(0.05), 90),
    "turned by 2 degrees": (lambda image: image.rotate(2), 90),
    "mirrored": (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 90),
}


def jpeg(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def make(root: Path, count: int) -> None:
    """`count` JPEGs of 500 x 375 in ten classes, each 250th twice."""
    rng = np.random.default_rng(0)
    last = b""
    for n in range(count):
        place = root / f"class{n % 10}"
        place.mkdir(exist_ok=True)
        if n % 250 or not n:
            coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8))
            fine = Image.fromarray(rng.integers(0, 256, (94, 125)).astype(np.uint8)).convert("RGB")
            blend = Image.blend(coarse.resize((500, 375)), fine.resize((500, 375)), 0.3)
            last = jpeg(blend, 85)
        (place / f"{n}.jpg").write_bytes(last)


def speed(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        root, state = Path(name) / "set", Path(name) / "state.jsonl"
        root.mkdir()
        make(root, count)
        for words in ("first", "again, cached"):
            started = time.perf_counter()
            busy = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) + time.process_time()
            diagnosis = examine(folder(root), state=state)
            seconds = time.perf_counter() - started
            busy = (
                sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) + time.process_time() - busy
            )
            told = f"{seconds:.1f} s, {busy:.1f} s of CPU, {count / seconds:,.0f} images/s"
            print(f"{words}: {count:,} images in {told}")
        scale = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
        for words, who in (
            ("this process", resource.RUSAGE_SELF),
            ("largest worker", resource.RUSAGE_CHILDREN),
        ):
            peak = resource.getrusage(who).ru_maxrss * scale / 1e6
            print(f"peak memory, {words}: {peak:,.0f} MB")
        print(diagnosis)


def accuracy(data: str, count: int) -> None:
    source = open_source(data)
    itself = examine(source)
    near = itself.finding("near_duplicates")
    print(f"{data}: {itself.count:,} images, {near.count if near else 0} near copies among them")
    for names in near.groups[:20] if near else ():
        print("   ", " = ".join(names))
    items = [item for split in source.splits for item in source.read(split)]
    items = [item for item in items[:: max(1, len(items) // count)]][:count]
    for words, (change, quality) in CHANGES.items():
        both = list(items)
        for item in items:
            raw = item.image.read()
            image = Image.open(io.BytesIO(raw)) if isinstance(raw, bytes) else Image.fromarray(raw)
            changed = jpeg(change(image.convert("RGB")), quality)
            both.append(Item(f"changed {item.name}", item.label, EncodedImage(changed)))
        clusters = {
            frozenset(names) for names in examine(Listing("both", (), {"all": both})).clusters()
        }
        right = {frozenset((item.name, f"changed {item.name}")) for item in items}
        wrong = len(clusters - right)
        print(f"{words:<28} found {len(clusters & right):>4} of {len(items)}, wrong groups {wrong}")


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--accuracy", metavar="DATA")
    arguments.add_argument("--count", type=int, default=0, help="images (10,000; accuracy 200)")
    given = arguments.parse_args()
    if given.accuracy:
        accuracy(given.accuracy, given.count or 200)
    else:
        speed(given.count or 10_000)


if __name__ == "__main__":
    main()
