"""Every network by name, in order of year."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from saccade.models.lenet import lenet5

# fmt: off
NETWORKS: dict[str, Callable[..., nn.Sequential]] = {
    "lenet5":      lenet5,                              # 1998
    "lenet5_rgb":  partial(lenet5, channels=3),         # 1998
}

INPUTS: dict[str, tuple[int, int, int]] = {  # channels, height, width; 3 x 224 x 224 where not listed
    "lenet5":      (1, 32, 32),
    "lenet5_rgb":  (3, 32, 32),
}
# fmt: on
