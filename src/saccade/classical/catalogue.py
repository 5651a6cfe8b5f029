"""Every classical recipe by name, in order of year: networks whose rows are fitted in one go."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from saccade.classical.bag_of_words import bag_of_words
from saccade.classical.fisher_vector import fisher
from saccade.classical.hog import hog

# fmt: off
CLASSICAL: dict[str, Callable[..., nn.Sequential]] = {
    "hog":                    hog,                      # 2005
    "bag_of_words":           bag_of_words,             # 2006
    "fisher":                 fisher,                   # 2010
}
# fmt: on
INPUT = (3, 128, 128)  # C, H, W of all of them
