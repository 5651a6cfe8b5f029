"""digits: 1,797 handwritten digits that come with scikit-learn.  Alpaydin and Kaynak 1998.

8x8 grey levels 0 to 16, white ink on black, scaled to 0 to 255; the test half of the UCI set.
"""

from __future__ import annotations

import numpy as np

from saccade.data.source import Item, Pixels
from saccade.data.sources.listing import Listing


def digits() -> Listing:
    """The embedded digits, undivided: they need neither a file nor a network."""
    from sklearn.datasets import load_digits

    flat, labels = load_digits(return_X_y=True)
    pixels = np.rint(flat.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    items = tuple(
        Item(f"digits/{at:04d}", str(label), Pixels(array))
        for at, (array, label) in enumerate(zip(pixels, labels, strict=True), start=1)
    )
    return Listing("digits", tuple("0123456789"), {"all": items})
