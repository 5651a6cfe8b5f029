"""Checks of pixels: shape, depth, colour, and images that are blurred, dark, bright or flat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.case import Case, Finding, Severity
from saccade.data.doctor.duplicates import STRUCTURE
from saccade.words import pluralize

LONG = 2.0  # long side / short side; the centre crop loses half of such an image
BLURRED = 40.0  # sharpness: a blur of 2 pixels of 256 gives 2 to 24, real sets have 60 and more
BLUR_SIDE = 64  # pixels of the short side, from which on blur can be told
CONTRAST = 64  # between the darkest and the brightest, without which blur cannot be told
DARK, BRIGHT = 64, 200  # 99 % of the pixels are darker; brighter
TREATMENT = {"crop": "lose more than half of their area to the square crop",
             "squash": "are squeezed to less than half of their length",
             "pad": "fill less than half of the square"}  # fmt: skip


def lost_to_crop(case: Case) -> NDArray[np.float64]:
    """The share of each image outside the centre square.  -> [N]"""
    short, long = _sides(case)
    return 1 - short / np.maximum(long, 1)


def long_shape(case: Case) -> Finding | None:
    """Images more than `LONG` times as long as wide, which the resize harms."""
    resize = case.preprocessing.resize if case.preprocessing else "crop"
    rows = case.rows(lost_to_crop(case) > 1 - 1 / LONG)
    sizes = {
        case.items[row].name: f"{case.table['width'][row]} x {case.table['height'][row]}"
        for row in rows
    }
    note = "" if case.preprocessing else " (with resize=crop)"
    message = f"{{}} more than {LONG:.0f} times as long as wide and {TREATMENT[resize]}{note}."
    advice = "Cut them to what matters, or choose another resize."
    return _finding(case, rows, "long_shape", message, advice, "warning", sizes)


def small(case: Case) -> Finding | None:
    """Images less than half as large as the input."""
    if case.preprocessing is None:
        return None
    short, _ = _sides(case)
    rows = case.rows(short < case.preprocessing.size / 2)
    message = (
        f"{{}} less than half as large as the training size of {case.preprocessing.size} pixels."
    )
    return _finding(
        case,
        rows,
        "small",
        message,
        "A smaller training size is faster, and they hold no more detail.",
    )


def grey_mix(case: Case) -> Finding | None:
    """Grey images among images with colour."""
    table = case.table
    valid = (table["structure"] >= STRUCTURE) & (table["brightest"] >= DARK)
    rows = case.rows(table["grey"] & valid)
    if len(rows) == np.count_nonzero(table["readable"] & valid):
        return None
    return _finding(case, rows, "grey_mix", "{} grey among images with colour.")


def rotated(case: Case) -> Finding | None:
    """Images that EXIF turns."""
    rows = case.rows(case.table["orientation"] > 1)
    message = "{} turned by the camera's note (EXIF)."
    advice = "They are turned upright here; a program that ignores the note sees them lie."
    return _finding(case, rows, "rotated", message, advice)


def deep(case: Case) -> Finding | None:
    """Images of more than 8 bits a sample."""
    return _finding(
        case,
        case.rows(case.table["deep"]),
        "deep",
        "{} of more than 8 bits a sample; data.window says which are black and white.",
    )


def cmyk(case: Case) -> Finding | None:
    """Images in CMYK."""
    rows = case.rows(case.table["mode"] == "CMYK")
    return _finding(case, rows, "cmyk", "{} in printing colours (CMYK).")


def alpha(case: Case) -> Finding | None:
    """Images with transparency."""
    message = "{} partly transparent; white is put behind."
    return _finding(case, case.rows(case.table["alpha"]), "alpha", message)


def animated(case: Case) -> Finding | None:
    """Files of several frames or pages."""
    message = "{} animated or of several pages; the first is used."
    return _finding(case, case.rows(case.table["frames"]), "animated", message)


def blurred(case: Case) -> Finding | None:
    """Images with a low variance of the Laplacian in spite of contrast (Pech-Pacheco 2000)."""
    table, (short, _) = case.table, _sides(case)
    contrast = table["brightest"].astype(int) - table["darkest"]
    rows = case.rows((table["sharpness"] < BLURRED) & (short >= BLUR_SIDE) & (contrast >= CONTRAST))
    return _finding(case, rows, "blurred", "{} blurred, as far as one can tell.", "Have a look.")


def dark(case: Case) -> Finding | None:
    """Images whose 99th percentile of brightness is below `DARK`."""
    rows = case.rows((case.table["brightest"] < DARK) & (case.table["structure"] >= STRUCTURE))
    return _finding(case, rows, "dark", "{} almost black.", "Have a look.")


def bright(case: Case) -> Finding | None:
    """Images whose 1st percentile of brightness is above `BRIGHT`."""
    rows = case.rows((case.table["darkest"] > BRIGHT) & (case.table["structure"] >= STRUCTURE))
    return _finding(case, rows, "bright", "{} almost white.", "Have a look.")


def flat(case: Case) -> Finding | None:
    """Images of almost one value: a standard deviation below `STRUCTURE`."""
    rows = case.rows(case.table["structure"] < STRUCTURE)
    message = "{} almost of one colour: hardly anything to learn from."
    return _finding(case, rows, "flat", message, "Have a look.", "warning")


def _sides(case: Case) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width, height = case.table["width"].astype(float), case.table["height"].astype(float)
    return np.minimum(width, height), np.maximum(width, height)


def _finding(
    case: Case,
    rows: NDArray[np.int64],
    kind: str,
    message: str,
    advice: str = "",
    severity: Severity = "note",
    remarks: dict[str, str] | None = None,
) -> Finding | None:
    """The finding, when there is any of `rows` [n]; `{}` in `message` becomes `3 images are`."""
    if not len(rows):
        return None
    count = pluralize(len(rows), "image is", "images are")
    names = case.names(rows)
    return Finding(kind, severity, len(rows), names, message.format(count), advice, remarks or {})
