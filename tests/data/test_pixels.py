"""Pixels of every kind of file that people have: format x bits x channels x options.

What is right comes from the numbers that a file is made of and the format's specification; a second
reader, tifffile or libvips, has to find the same.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from saccade.data.formats import DecodeOptions, open_image
from saccade.data.header import header
from saccade.errors import DataError

RGB = DecodeOptions(grey=False, min_side=10**6, longer=False)
HEIGHT, WIDTH = 18, 21  # no whole tiles of 16 x 16


class File(NamedTuple):
    """A file and its pixels."""

    name: str
    raw: bytes
    want: NDArray[Any]  # [H,W,1 or 3], 0 to 255, not rounded
    within: float = 1.0


def shuffled_ramp(channels: int) -> NDArray[np.float64]:
    """From 0 to 1, both among them, in no order.  [H,W,C]"""
    count = HEIGHT * WIDTH * channels
    return (np.arange(count) * 7919 % count / (count - 1)).reshape(HEIGHT, WIDTH, channels)


def of_type(shares: NDArray[np.float64], kind: str, bits: int) -> NDArray[Any]:
    """Shares 0 to 1 of the range of a type; of floats -1 to 3."""
    if kind[0] == "f":
        return (4 * shares - 1).astype(kind)
    least = -(2 ** (bits - 1)) if kind[0] == "i" else 0
    numbers = [min(int(share * 2**bits), 2**bits - 1) + least for share in shares.ravel().tolist()]
    return np.array(numbers, dtype=object).reshape(shares.shape).astype(kind)


def on_white(pixels: NDArray[Any], alpha: NDArray[Any] | float) -> NDArray[Any]:
    """Colours 0 to 255 with an alpha 0 to 1 on white."""
    return pixels * alpha + 255 * (1 - alpha)


# ---- TIFF

OPTIONS: list[dict[str, Any]] = [
    {"byteorder": "<", "rowsperstrip": 7},
    {"byteorder": ">", "tile": (16, 16)},
    {"byteorder": "<", "compression": "zlib", "tile": (16, 16), "predictor": True},
    {"byteorder": ">", "compression": "zlib", "rowsperstrip": 7, "predictor": True},
    {"byteorder": "<", "compression": "lzw", "rowsperstrip": 5, "predictor": True},
    {"byteorder": ">", "compression": "lzw", "tile": (32, 16)},
    {"byteorder": ">", "compression": "packbits", "rowsperstrip": 18},
    {"byteorder": "<", "compression": "zlib", "rowsperstrip": 4, "bigtiff": True},
]
LAYOUTS: list[tuple[int, dict[str, Any]]] = [
    (1, {"photometric": "minisblack"}),
    (1, {"photometric": "miniswhite"}),
    (3, {"photometric": "rgb", "planarconfig": "contig"}),
    (3, {"photometric": "rgb", "planarconfig": "separate"}),
    (4, {"photometric": "rgb", "planarconfig": "contig", "extrasamples": ["unassalpha"]}),
    (4, {"photometric": "rgb", "planarconfig": "separate", "extrasamples": ["unassalpha"]}),
]
KINDS = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8")


def tiffs() -> Iterator[File]:
    for kind, (channels, layout), options in product(KINDS, LAYOUTS, OPTIONS):
        if channels == 4 and kind[0] != "u":
            continue  # what a negative opacity is, nobody says
        if kind == "u8":  # no program predicts these
            options = {k: v for k, v in options.items() if k != "predictor"}
        shares = shuffled_ramp(channels)
        values = of_type(shares, kind, 8 * int(kind[1]))
        pixels = np.moveaxis(values, 2, 0) if layout.get("planarconfig") == "separate" else values
        stream = io.BytesIO()
        pixels = np.ascontiguousarray(pixels[..., 0] if channels == 1 else pixels)
        tifffile.imwrite(stream, pixels, metadata=None, **layout, **options)
        want = 255 * shares
        if channels == 4:
            want = on_white(want[..., :3], shares[..., 3:])
        if layout["photometric"] == "miniswhite":
            want = 255 - want
        words = [kind, *map(str, layout.values()), *map(str, options.values())]
        yield File(" ".join(["tiff", *words]), stream.getvalue(), want, 1.6)
    yield from narrow_tiffs()


def narrow_tiffs() -> Iterator[File]:
    """Bits that are no whole bytes, most significant first (TIFF 6.0, page 30)."""
    for bits, white in product((1, 2, 4, 10, 12, 14), (False, True)):
        values = (shuffled_ramp(1)[..., 0] * (2**bits - 1)).round().astype(int)
        rows = [packed(row, bits) for row in values]
        shares = values[..., None] / (2**bits - 1)
        raw = plain_tiff(bits, b"".join(rows), photometric=0 if white else 1)
        yield File(f"tiff of {bits} bits, {white=}", raw, 255 * (1 - shares if white else shares))


def packed(values: NDArray[Any], bits: int) -> bytes:
    """Numbers one after the other, each in so many bits, filled up to whole bytes."""
    text = "".join(f"{int(v):0{bits}b}" for v in values)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def plain_tiff(bits: int, body: bytes, photometric: int = 1) -> bytes:
    """A big-endian TIFF of one strip without packing."""
    tags = [(256, WIDTH), (257, HEIGHT), (258, bits), (259, 1), (262, photometric), (273, 8),
            (277, 1), (278, HEIGHT), (279, len(body))]  # fmt: skip
    body += bytes(len(body) % 2)
    entries = b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in tags)
    head = struct.pack(">2sHI", b"MM", 42, 8 + len(body))
    return head + body + struct.pack(">H", len(tags)) + entries + bytes(4)


# ---- PNG

COLOUR_TYPES = {"grey": (0, 1), "rgb": (2, 3), "palette": (3, 1), "la": (4, 2), "rgba": (6, 4)}
DEPTHS = {"grey": (1, 2, 4, 8, 16), "palette": (1, 2, 4, 8)}


def pngs() -> Iterator[File]:
    for kind, (number, channels) in COLOUR_TYPES.items():
        for bits, clear, filtered in product(DEPTHS.get(kind, (8, 16)), (False, True), (0, 1, 2)):
            if clear and channels in (2, 4):
                continue  # tRNS is for files without alpha
            white = 2**bits - 1
            values = (shuffled_ramp(channels) * white).round().astype(int)
            key = values[3, 4]
            values[7:9, 2:5] = key  # some more that are clear
            chunks = []
            colours = values[..., :3] if channels > 2 else values[..., :1]
            shown, alpha = 255 * colours / white, np.ones((HEIGHT, WIDTH, 1))
            if kind == "palette":
                palette = np.random.default_rng(bits).integers(0, 256, (white + 1, 3))
                chunks.append((b"PLTE", palette.astype(np.uint8).tobytes()))
                shown = palette[values[..., 0]].astype(float)
            if channels in (2, 4):
                alpha = values[..., -1:] / white
            if clear and kind == "palette":
                opacity = np.where(np.arange(white + 1) == key[0], 0, 255)
                chunks.append((b"tRNS", opacity.astype(np.uint8).tobytes()))
            elif clear:
                chunks.append((b"tRNS", struct.pack(f">{channels}H", *key)))
            if clear:
                alpha = 1.0 - (values == key).all(axis=-1, keepdims=True)
            raw = png(values, bits, number, filtered, *chunks)
            yield File(f"png {kind} {bits} {clear=} {filtered=}", raw, on_white(shown, alpha), 1.6)


def png(values: NDArray[Any], bits: int, kind: int, filtered: int, *chunks: Any) -> bytes:
    """A PNG put together by its specification; filter 0 none, 1 sub, 2 up.  [H,W,C] -> bytes"""
    rows = [np.frombuffer(packed(row.ravel(), bits), np.uint8) for row in values]
    before = np.zeros_like(rows[0])
    step = max(1, bits * values.shape[2] // 8)
    body = b""
    for row in rows:
        left = np.concatenate([np.zeros(step, np.uint8), row[:-step]])
        less = {0: np.zeros_like(row), 1: left, 2: before}[filtered]
        body, before = body + bytes([filtered]) + (row - less).tobytes(), row
    size = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, 0)
    return chunked((b"IHDR", size), *chunks, (b"IDAT", zlib.compress(body)), (b"IEND", b""))


def chunked(*parts: tuple[bytes, bytes]) -> bytes:
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# ---- the others


def others() -> Iterator[File]:
    for compression, alpha in product((0, 3), (0, 128, 255)):
        shown = np.array([[[30, 20, 10], [60, 50, 40]]], float)
        given = compression == 3 and alpha  # a fourth byte that is empty everywhere is no alpha
        want = on_white(shown, alpha / 255) if given else shown
        yield File(f"bmp {compression=} {alpha=}", bmp(compression, alpha), want)
    for clear, background in product((None, 0, 3), (0, 1)):
        want = np.full((2, 4, 3), 255.0)  # as browsers show what no frame covers
        want[:, 1:3] = (0, 0, 255)
        yield File(f"gif part {clear=} {background=}", gif(clear, background), want)
    frames = [Image.new("RGB", (8, 8), tone) for tone in ("#c80000", "#0000c8")]
    red = np.full((8, 8, 3), (200.0, 0, 0))
    for kind, more in (("PNG", {}), ("WEBP", {"lossless": True}), ("GIF", {}), ("AVIF", {})):
        raw = saved(frames[0], kind, save_all=True, append_images=frames[1:], **more)
        yield File(f"animated {kind}", raw, red, 3)
    smooth = np.add.outer(4 * np.arange(32), 3 * np.arange(32)).astype(np.uint8)
    image = Image.fromarray(np.stack([smooth, smooth // 2, 255 - smooth], -1))
    raw = saved(image, "AVIF", quality=100, subsampling="4:4:4")
    yield File("avif", raw, np.asarray(image), 3)
    for top in (1, 15, 255, 256, 1023, 65535):
        values = (shuffled_ramp(1) * top).round()
        body = values.astype(">u2" if top > 255 else "u1").tobytes()
        raw = b"P5\n%d %d\n%d\n" % (WIDTH, HEIGHT, top) + body
        yield File(f"pgm {top}", raw, 255 * values / top, 1.6)
    yield from damaged_beside_the_pixels(image)


def damaged_beside_the_pixels(image: Image.Image) -> Iterator[File]:
    pixels = np.asarray(image)
    text = PngImagePlugin.PngInfo()
    text.add_text("workflow", "x" * (2 * 2**20), zip=True)
    yield File("megabytes of text", saved(image, "PNG", pnginfo=text), pixels)
    whole = saved(image, "PNG")
    for name in (b"tEXt", b"zTXt", b"iTXt", b"gAMA", b"iCCP"):
        odd = struct.pack(">I", 5) + name + b"a\0bcd" + bytes(4)
        yield File(f"checksum of {name.decode()}", whole[:33] + odd + whole[33:], pixels)
    for cut in (1, 4, 8, 12, 16):  # IEND has 12 bytes, the checksum before it 4
        yield File(f"a png without its last {cut}", whole[:-cut], pixels)
    for progressive, mode, cut in product((False, True), ("RGB", "L"), (1, 2)):
        raw = saved(image.convert(mode), "JPEG", progressive=progressive)
        want = np.asarray(Image.open(io.BytesIO(raw)))
        name = f"jpeg {progressive=} {mode} without its last {cut}"
        yield File(name, raw[:-cut], want.reshape(32, 32, -1), 0)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def bmp(compression: int, alpha: int) -> bytes:
    """Two pixels of 32 bits, as BITMAPINFOHEADER, or BITMAPV4HEADER with masks."""
    pixels = bytes([10, 20, 30, alpha, 40, 50, 60, alpha])
    size = 108 if compression else 40
    head = struct.pack("<IiiHHIIiiII", size, 2, 1, 1, 32, compression, len(pixels), 0, 0, 0, 0)
    if compression:
        head += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    start = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + pixels


def gif(clear: int | None, background: int) -> bytes:
    """4 x 2 pixels, of which the first frame has the middle four, in blue."""
    palette = bytes([10, 20, 30, 200, 100, 50, 0, 0, 255, 255, 255, 0])
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 2, 0xF1, background, 0) + palette
    control = b"" if clear is None else b"\x21\xf9\x04" + bytes([1, 0, 0, clear, 0])
    codes = "".join(f"{code:03b}"[::-1] for code in (4, 2, 4, 2, 4, 2, 4, 2, 5)).ljust(32, "0")
    data = bytes(int(codes[k : k + 8][::-1], 2) for k in range(0, 32, 8))
    place = b"," + struct.pack("<HHHHB", 1, 0, 2, 2, 0)
    return head + control + place + bytes([2, len(data)]) + data + b"\0;"


FILES = [*tiffs(), *pngs(), *others()]


def test_the_table_is_large_and_its_names_differ():
    assert len({file.name for file in FILES}) == len(FILES) >= 500


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_pixels_are_those_that_the_file_is_made_of(file: File):
    found = open_image(file.raw, RGB)[..., :3].astype(float)
    assert found.shape[:2] == file.want.shape[:2]
    assert np.abs(found - file.want).max() <= file.within
    about = header(file.raw)
    assert about is not None
    assert (about.height, about.width) == file.want.shape[:2]


@pytest.mark.parametrize(
    "file", [f for f in FILES if f.name.startswith("tiff")][::7], ids=lambda f: f.name
)
def test_tifffile_finds_the_same(file: File):
    with tifffile.TiffFile(io.BytesIO(file.raw)) as tiff:
        page = tiff.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        values = page.asarray().astype(float)
        separate = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and page.samplesperpixel > 1
    values = np.moveaxis(values, 0, 2) if separate else values.reshape(HEIGHT, WIDTH, -1)
    bits, kind = page.bitspersample, page.dtype.kind if page.dtype else "u"
    low, high = {"f": (-1, 3), "i": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)}.get(
        kind, (0, 2**bits - 1)
    )
    shares = (values - low) / (high - low)
    want = 255 * (1 - shares if page.photometric == 0 else shares)
    if want.shape[2] == 4:
        want = on_white(want[..., :3], shares[..., 3:])
    assert np.abs(want - file.want).max() <= 1.6


FOR_LIBVIPS = [f for f in FILES if f.name.startswith(("png ", "avif"))]


@pytest.mark.parametrize("file", FOR_LIBVIPS, ids=lambda file: file.name)
def test_libvips_finds_the_same(file: File):
    pyvips = pytest.importorskip("pyvips", exc_type=ImportError)
    image = pyvips.Image.new_from_buffer(file.raw, "")
    values = image.numpy().astype(float)
    values = values.reshape(*values.shape[:2], -1) / (65535 if image.format == "ushort" else 255)
    pixels = 255 * values[..., : 3 if values.shape[2] > 2 else 1]
    if values.shape[2] in (2, 4):
        pixels = on_white(pixels, values[..., -1:])
    assert np.abs(pixels - file.want).max() <= max(file.within, 1.6)


@pytest.mark.parametrize("cut", [3, 4, 5, 8, 20, 100])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_a_block_is_refused(cut: int, progressive: bool):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    raw = saved(Image.fromarray(noise), "JPEG", progressive=progressive)
    with pytest.raises(DataError, match="truncated"):
        open_image(raw[:-cut], RGB)


def test_a_progressive_jpeg_that_lacks_its_last_scans_is_refused():
    y, x = np.mgrid[:48, :48]
    raw = saved(Image.fromarray((x * y % 256).astype(np.uint8)), "JPEG", progressive=True)
    scans = [k for k in range(len(raw)) if raw.startswith(b"\xff\xda", k)]
    assert len(scans) > 3
    for scan in scans[1:]:
        with pytest.raises(DataError, match="truncated"):
            open_image(raw[: raw.rindex(b"\xff\xc4", 0, scan)], RGB)


def test_a_png_that_lacks_rows_or_has_damaged_ones_is_refused():
    whole = saved(Image.fromarray((255 * shuffled_ramp(3)).astype(np.uint8)), "PNG")
    damaged = bytearray(whole)
    damaged[-40] ^= 1
    for raw in (whole[:-30], whole[:-24], bytes(damaged)):
        with pytest.raises(DataError):
            open_image(raw, RGB)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"photometric": "minisblack", "planarconfig": "separate"}, "5 channels of 16 bits"),
        ({"photometric": "minisblack", "planarconfig": "contig"}, "channels of 16 bits, unsigned"),
    ],
)
def test_channels_that_are_no_colours_are_refused(options: dict[str, Any], reason: str):
    stream = io.BytesIO()
    shape = (5, 8, 8) if options["planarconfig"] == "separate" else (8, 8, 5)
    tifffile.imwrite(stream, np.zeros(shape, np.uint16), metadata=None, **options)
    with pytest.raises(DataError, match=reason):
        open_image(stream.getvalue(), RGB)
