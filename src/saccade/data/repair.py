"""Repair: files whose pixels are all there, though what stands beside them is damaged or cut off.

PNG (W3C third edition, 5): chunks beside the pixels are left out, and a missing end is added.  JPEG
(ITU-T T.81): the end marker is added where every block is there.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8"
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")  # chunks that the pixels are made of
PIECE = 2**20  # bytes that are unpacked at a time
EOI = b"\xff\xd9"  # JPEG's end of image
TAILS = (b"", b"\x55" * 64, b"\xaa" * 64)  # what comes after the last block changes nothing


def repaired(raw: bytes) -> bytes | None:
    """A sound file with the same pixels; None where there is none, or pixels are missing."""
    if raw.startswith(PNG):
        return _repaired_png(raw)
    return _repaired_jpeg(raw) if raw.startswith(JPEG) else None


def _repaired_png(raw: bytes) -> bytes | None:
    parts, pixels = [PNG], zlib.decompressobj()
    for name, data, sound in _chunks(raw):
        if name == b"IDAT":
            try:
                _unpack(pixels, data)
            except zlib.error:
                return None
        cut = name == b"IDAT" and sound is None and pixels.eof  # only its checksum is missing
        if name in NEEDED and not (sound or cut):
            return None
        if name in NEEDED or (name == b"eXIf" and sound):
            head = name + data
            parts += [struct.pack(">I", len(data)), head, struct.pack(">I", zlib.crc32(head))]
    if not pixels.eof:  # zlib's own checksum says that all of it is there
        return None
    end = b"IEND"
    return b"".join([*parts, bytes(4), end, struct.pack(">I", zlib.crc32(end))])


def _unpack(pixels: zlib._Decompress, data: bytes) -> None:
    """Go through packed bytes, and keep none: a few may stand for many."""
    while data:
        pixels.decompress(data, PIECE)
        data = pixels.unconsumed_tail


def _chunks(raw: bytes) -> Iterator[tuple[bytes, bytes, bool | None]]:
    """Name and data of each chunk, and whether its checksum is right; None where it is cut off."""
    place = len(PNG)
    while place + 8 <= len(raw):
        (length,) = struct.unpack_from(">I", raw, place)
        head = raw[place + 4 : place + 8 + length]
        checksum = raw[place + 8 + length : place + 12 + length]
        whole = len(checksum) == 4
        yield head[:4], head[4:], checksum == struct.pack(">I", zlib.crc32(head)) if whole else None
        place += 12 + length


def _repaired_jpeg(raw: bytes) -> bytes | None:
    """With an end marker, where that is all that is missing.

    Where a block were missing, the decoder would take it from what follows: with other bytes there
    it would come out otherwise.
    """
    raw = raw.removesuffix(b"\xff")
    if raw.endswith(EOI) or not _has_all_scans(raw):
        return None
    images = {_decoded(raw + tail + EOI) for tail in TAILS}
    return raw + EOI if len(images) == 1 else None


def _decoded(raw: bytes) -> bytes:
    with Image.open(io.BytesIO(raw), formats=("JPEG",)) as image:
        return image.tobytes()


def _has_all_scans(raw: bytes) -> bool:
    """Whether the scans that are begun hold all coefficients of all components, to the last bit."""
    frame, missing = False, {}
    for marker, data in _segments(raw):
        if marker in (0xC0, 0xC1, 0xC2):  # frames: baseline, extended, progressive
            frame = True
            missing = {data[6 + 3 * k]: {*range(64)} for k in range(data[5])}
        elif marker == 0xDA and frame:  # a scan
            count = data[0]
            first, last, bits = data[1 + 2 * count : 4 + 2 * count]
            for k in range(count):
                if bits & 15 == 0:
                    missing.get(data[1 + 2 * k], set()).difference_update(range(first, last + 1))
    return frame and not any(missing.values())


def _segments(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker and the content of each segment with a content, scans' blocks passed over."""
    place = 2
    while place + 4 <= len(raw):
        if raw[place] != 0xFF or raw[place + 1] in (0, 1, 0xFF) or 0xD0 <= raw[place + 1] <= 0xD7:
            place = raw.find(b"\xff", place + 1)
            if place < 0:
                return
            continue
        (length,) = struct.unpack_from(">H", raw, place + 2)
        yield raw[place + 1], raw[place + 4 : place + 2 + length]
        place += 2 + length
