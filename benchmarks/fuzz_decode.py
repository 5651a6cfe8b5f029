"""fuzz_decode: damaged image files through the decoder: `python benchmarks/fuzz_decode.py 100000`.

Small files of twelve formats are damaged by a seed each: bytes flipped, overwritten, cut off, taken
out, doubled, or exchanged with those of another file.  Every one has to come out as an image or as
a reason; none may end the job.  Prints what came out as JSON; exit code 0 when all is well.
"""

from __future__ import annotations

import io
import json
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from saccade.data.cache import decode_all
from saccade.data.decode import Preprocessing
from saccade.data.item import Item


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@cache
def originals() -> dict[str, bytes]:
    """The files that are damaged, a few hundred bytes to a few thousand each."""
    y, x, c = np.ogrid[:48, :40, :3]
    rgb = Image.fromarray(((x * x // 3 + y * (5 + c) + x * y // 9) % 256).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray((np.arange(48 * 40, dtype=np.uint16) * 30).reshape(48, 40))
    frames = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(180)]}
    return {
        "jpeg": _file(rgb, "JPEG", quality=80, exif=exif),
        "jpeg progressive": _file(rgb, "JPEG", quality=80, progressive=True),
        "jpeg cmyk": _file(rgb.convert("CMYK"), "JPEG"),
        "png": _file(rgb, "PNG"),
        "png palette": _file(rgb.quantize(16), "PNG", transparency=3),
        "png 16 bits": _file(deep, "PNG"),
        "webp": _file(rgb, "WEBP", quality=80),
        "webp lossless": _file(rgb.convert("RGBA"), "WEBP", lossless=True),
        "gif animated": _file(rgb.quantize(16), "GIF", **frames),
        "bmp": _file(rgb.quantize(16), "BMP"),
        "tiff": _file(rgb, "TIFF", compression="tiff_lzw"),
        "ppm": _file(rgb, "PPM"),
    }


@dataclass(frozen=True)
class Damaged:
    """A damaged file, made from its seed when it is read."""

    seed: int

    def read(self) -> bytes:
        chance = np.random.default_rng(self.seed)
        raw = bytearray(originals()[_kind(self.seed)])
        for _ in range(chance.geometric(0.7)):
            _damage(raw, chance)
        if raw[:4] == b"\x89PNG" and chance.random() < 0.8:
            _sum_up(raw)  # else hardly a damaged PNG gets past its checksums
        return bytes(raw)


def _kind(seed: int) -> str:
    return list(originals())[seed % len(originals())]


def _damage(raw: bytearray, chance: np.random.Generator) -> None:
    """One accident, in place; the heads of files are hit more often."""
    reach = len(raw) if chance.random() < 0.8 else min(64, len(raw))
    at = int(chance.integers(0, reach + 1))
    length = int(2 ** chance.uniform(0, 6))
    accident = chance.integers(6)
    if accident == 0:
        for place in chance.integers(0, max(1, len(raw)), length if raw else 0):
            raw[place] ^= 1 << int(chance.integers(8))
    elif accident == 1:
        raw[at : at + 4] = chance.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
    elif accident == 2:
        del raw[max(at, 8) :]
    elif accident == 3:
        del raw[at : at + length]
    elif accident == 4:
        raw[at:at] = raw[at : at + length]
    else:
        other = originals()[str(chance.choice(list(originals())))]
        start = int(chance.integers(len(other)))
        raw[at : at + length] = other[start : start + length]


def _sum_up(raw: bytearray) -> None:
    """Give every chunk of a PNG the checksum of what it now holds."""
    at = 8
    while at + 12 <= len(raw):
        end = at + 8 + int.from_bytes(raw[at : at + 4], "big")
        if end + 4 <= len(raw):
            raw[end : end + 4] = zlib.crc32(raw[at + 4 : end]).to_bytes(4, "big")
        at = end + 4


def main(count: int, first: int = 0) -> bool:
    """Decode `count` damaged files from seed `first` on; whether all is well."""
    start = time.perf_counter()
    items = [Item(f"seed {k}", None, Damaged(k)) for k in range(first, first + count)]
    result = decode_all(items, Preprocessing(16), mode="memory")
    reasons = Counter(skipped.reason.partition(":")[0] for skipped in result.failed)
    deadly = [str(s) for s in result.failed if "the process that opened it" in s.reason]
    slow = [str(s) for s in result.failed if "could not be opened within" in s.reason]
    report = {
        "files": count,
        "decoded": len(result.images),
        "listed": len(result.failed),
        "formats": len(originals()),
        "decoded of each format": dict(Counter(_kind(first + k) for k in result.indices)),
        "reasons": dict(reasons.most_common()),
        "processes that died": deadly,
        "gave no answer": slow,
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(json.dumps(report, indent=2))
    named = [items[k].name for k in result.indices] + [skipped.name for skipped in result.failed]
    return sorted(named) == sorted(item.name for item in items)


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:] or ["100000"])))
