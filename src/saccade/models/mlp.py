"""Multilayer perceptron.  Rumelhart et al. 1986, "Learning representations by back-propagating
errors".

Departure: ReLU where nothing else is asked for, and a linear output, whose softmax is in the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import nn

from saccade.layers.chain import chain


def mlp(
    num_classes: int = 10,
    widths: Sequence[int] = (256, 128),
    *,
    activation: Callable[[], nn.Module] = nn.ReLU,
    input_shape: tuple[int, int, int] = (1, 28, 28),
) -> nn.Sequential:
    """Fully connected layers of these widths over the pixels.  [N,C,H,W] -> [N,num_classes]"""
    rows: dict[str, nn.Module] = {"flatten": nn.Flatten()}
    cin = math.prod(input_shape)
    for number, width in enumerate(widths, 1):
        rows[f"fc{number}"] = nn.Linear(cin, width)
        rows[f"phi{number}"] = activation()
        cin = width
    return chain(**rows, output=nn.Linear(cin, num_classes))
