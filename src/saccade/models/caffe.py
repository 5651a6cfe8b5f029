"""Caffe's names of GoogLeNet's layers, and ours."""

from __future__ import annotations

import re

from torch import Tensor

# fmt: off
LAYERS = {
    r"conv1/7x7_s2":                    r"conv1.conv",
    r"conv2/3x3_reduce":                r"conv2.conv",
    r"conv2/3x3":                       r"conv3.conv",
    r"inception_(\d\w)/1x1":            r"inception\1.branch1.conv",
    r"inception_(\d\w)/3x3_reduce":     r"inception\1.branch2.0.conv",
    r"inception_(\d\w)/3x3":            r"inception\1.branch2.1.conv",
    r"inception_(\d\w)/5x5_reduce":     r"inception\1.branch3.0.conv",
    r"inception_(\d\w)/5x5":            r"inception\1.branch3.1.conv",
    r"inception_(\d\w)/pool_proj":      r"inception\1.branch4.1.conv",
    r"loss([12])/conv":                 r"aux\1.conv.conv",
    r"loss([12])/fc":                   r"aux\1.fc1",
    r"loss([12])/classifier":           r"aux\1.fc2",
    r"loss3/classifier":                r"fc",
}
# fmt: on

CAFFE_NAMES = tuple(
    (re.compile(rf"{theirs}\.(?P<kind>weight|bias)"), rf"{ours}.\g<kind>")
    for theirs, ours in LAYERS.items()
)

FIRST = "conv1/7x7_s2.weight"


def from_caffe(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state for pictures in red, green, blue: Caffe's first layer takes them the other way."""
    return {**state, FIRST: state[FIRST].flip(1)} if FIRST in state else state
