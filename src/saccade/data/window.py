"""Window: which samples of an image are black and which white, where they are measurements.

Samples of 8 and 16 bits without a sign have an agreed white.  Signed, wider and floating-point ones
have none: X-rays, microscopy, depth.  A window says it, the same for all images of a set.  Needs no
NumPy.
"""

from __future__ import annotations

EACH_IMAGE = ""  # no window was chosen: without an agreed white, the image's own least and greatest
TYPE = "type"  # the range of the sample's type; of floats 0 to 1
MINMAX = "minmax"  # from the least to the greatest sample of the training images
PERCENTILES = "percentiles"  # with two numbers, of the samples of the training images
LARGEST = 1e300  # of a window's ends


def is_choice(text: str) -> bool:
    """Whether a person may write this: minmax, type, "percentiles A B" or "LOW HIGH"."""
    word, _, rest = text.partition(" ")
    if word == PERCENTILES:
        return is_ends(rest, 0, 100)
    return text in (MINMAX, TYPE) or is_ends(text)


def is_ends(text: str, least: float = -LARGEST, greatest: float = LARGEST) -> bool:
    """Whether a text is two numbers, the lower one first, within these."""
    try:
        low, high = map(float, text.split())
    except ValueError:
        return False
    return least <= low < high <= greatest


def ends(window: str) -> tuple[float, float]:
    """Black and white of a window "LOW HIGH"."""
    low, high = window.split()
    return float(low), float(high)


def of_ends(low: float, high: float) -> str:
    """The window from `low` to `high`."""
    return f"{float(low)!r} {float(high)!r}".replace(".0 ", " ").removesuffix(".0")
