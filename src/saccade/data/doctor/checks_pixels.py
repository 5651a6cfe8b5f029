"""Traps in images: shape, depth, colour, and and those that are blurred, dark, bright or flat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saccade.data.doctor.case import Case, Finding, Severity, pluralize
from saccade.data.doctor.duplicates import STRUCTURE

LONG = 2.0  # long side / short side; the centre crop loses half of such an image
BLURRED = 40.0  # sharpness: a blur of 2 pixels of 256 gives 2 to 24, real sets have 60 and more
BLUR_TOLD = 64  # pixels of the short side, from which on blur can be told
CONTRAST = 64  # between the darkest and the brightest, without which blur cannot be told
DARK, BRIGHT = 64, 200  # 99 % of the pixels are darker; brighter
TREATMENT = {"crop": "lose more than half of their area to the square crop",
             "squash": "are squeezed to less than half of their length",
             "pad": "fill less than half of the square"}  # fmt: skip


def lost_to_crop(case: Case) -> NDArray[np.float64]:
    """The share of each image outside the centre square.  [N]"""
    short, long = _sides(case)
    return 1 - short / np.maximum(long, 1)


def long_shape(case: Case) -> Finding | None:
    resize = case.preprocessing.resize if case.preprocessing else "crop"
    rows = case.rows(lost_to_crop(case) > 1 - 1 / LONG)
    sizes = {
        case.items[row].name: f"{case.table['width'][row]} x {case.table['height'][row]}"
        for row in rows
    }
    asked = "" if case.preprocessing else " (with resize=crop)"
    words = f"{{}} more than {LONG:.0f} times as long as wide and {TREATMENT[resize]}{asked}."
    advice = "Cut them to what matters, or choose another resize."
    return _found(case, rows, "long_shape", words, advice, "warning", sizes)


def small(case: Case) -> Finding | None:
    if case.preprocessing is None:
        return None
    short, _ = _sides(case)
    rows = case.rows(short < case.preprocessing.size / 2)
    words = (
        f"{{}} less than half as large as the training size of {case.preprocessing.size} pixels."
    )
    return _found(case, rows, "small", words, "A smaller training size is faster and as good.")


def grey_mix(case: Case) -> Finding | None:
    table = case.table
    telling = (table["structure"] >= STRUCTURE) & (table["brightest"] >= DARK)
    rows = case.rows(table["grey"] & telling)
    if len(rows) == np.count_nonzero(table["readable"] & telling):
        return None
    return _found(case, rows, "grey_mix", "{} grey among images with colour.")


def rotated(case: Case) -> Finding | None:
    rows = case.rows(case.table["orientation"] > 1)
    words = "{} turned by the camera's note (EXIF)."
    advice = "They are turned upright here; a program that ignores the note sees them lie."
    return _found(case, rows, "rotated", words, advice)


def deep(case: Case) -> Finding | None:
    return _found(
        case,
        case.rows(case.table["deep"]),
        "deep",
        "{} of more than 8 bits a sample; the upper 8 are used.",
    )


def cmyk(case: Case) -> Finding | None:
    rows = case.rows(case.table["mode"] == "CMYK")
    return _found(case, rows, "cmyk", "{} in printing colours (CMYK).")


def alpha(case: Case) -> Finding | None:
    words = "{} partly transparent; white is put behind."
    return _found(case, case.rows(case.table["alpha"]), "alpha", words)


def animated(case: Case) -> Finding | None:
    words = "{} animated or of several pages; the first is used."
    return _found(case, case.rows(case.table["frames"]), "animated", words)


def blurred(case: Case) -> Finding | None:
    table, (short, _) = case.table, _sides(case)
    contrast = table["brightest"].astype(int) - table["darkest"]
    rows = case.rows((table["sharpness"] < BLURRED) & (short >= BLUR_TOLD) & (contrast >= CONTRAST))
    return _found(case, rows, "blurred", "{} blurred, as far as one can tell.", "Have a look.")


def dark(case: Case) -> Finding | None:
    rows = case.rows((case.table["brightest"] < DARK) & (case.table["structure"] >= STRUCTURE))
    return _found(case, rows, "dark", "{} almost black.", "Have a look.")


def bright(case: Case) -> Finding | None:
    rows = case.rows((case.table["darkest"] > BRIGHT) & (case.table["structure"] >= STRUCTURE))
    return _found(case, rows, "bright", "{} almost white.", "Have a look.")


def flat(case: Case) -> Finding | None:
    rows = case.rows(case.table["structure"] < STRUCTURE)
    words = "{} almost of one colour: hardly anything to learn from."
    return _found(case, rows, "flat", words, "Have a look.", "warning")


def _sides(case: Case) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width, height = case.table["width"].astype(float), case.table["height"].astype(float)
    return np.minimum(width, height), np.maximum(width, height)


def _found(
    case: Case,
    rows: NDArray[np.int64],
    kind: str,
    words: str,
    advice: str = "",
    severity: Severity = "note",
    remarks: dict[str, str] | None = None,
) -> Finding | None:
    """The finding, when there is any row; `{}` in `words` becomes `3 images are`."""
    if not len(rows):
        return None
    count = pluralize(len(rows), "image is", "images are")
    names = case.names(rows)
    return Finding(kind, severity, len(rows), names, words.format(count), advice, remarks or {})
