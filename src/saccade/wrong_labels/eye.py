"""Eye: what looks at pictures whose labels are doubted: a trained network, or plain features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from saccade.classical.hog import CELL, Hog
from saccade.data.decode import Preprocessing
from saccade.data.glance import glance
from saccade.data.source import Item
from saccade.errors import UsageError
from saccade.layers.chain import chain
from saccade.layers.concat import Concat
from saccade.layers.normalize import normalized
from saccade.pretrained import SMALL, at_hand, pretrained
from saccade.settings import device
from saccade.transfer.trunk import trunk
from saccade.verbs.features import trained_network

PLAIN = "hog"  # features of a network that has learned nothing
CELLS = 8  # of HOG, across a picture
COARSE = 8  # pixels across, beside HOG


@dataclass(frozen=True)
class Eye:
    """What makes numbers of pictures."""

    words: str
    trunk: nn.Module  # [N,C,H,W] -> [N,D]
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()


def eye_for(items: Sequence[Item], model: str | Path | None, weights: str | None) -> Eye:
    """The network that is named, the best one at hand for photographs, else plain features."""
    if weights is not None and model is None:
        model = pretrained(weights).network
    seen = glance(items)
    if model is None and seen.short_side > SMALL:
        model, weights = next(((e.network, e.tag) for e in at_hand(seen.short_side)), (None, None))
    if model is None:
        return _plain(seen.grey, ("no network looked at them: suspects are less sure",))
    if str(model) == PLAIN:
        if weights is not None:
            raise UsageError(f"{PLAIN} has no weights", "leave --weights out")
        return _plain(seen.grey, ())
    network, preprocessing = trained_network(model, weights)
    network = network.to(device("cuda" if torch.cuda.is_available() else "cpu"))
    notes = (
        ("if the network has learned from these pictures, it may know wrong labels by heart",)
        if Path(model).is_dir()
        else ()
    )
    words = f"what goes into the last layer of {model}"
    return Eye(words, trunk(network), preprocessing, notes)


def _plain(grey: bool, notes: tuple[str, ...]) -> Eye:
    """Histograms of oriented gradients and coarse pixels."""
    channels = 1 if grey else 3
    preprocessing = Preprocessing(
        size=CELLS * CELL,
        colour="grey" if grey else "rgb",
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )
    both = Concat(
        hog=chain(hog=Hog(), flatten=nn.Flatten()),
        pixels=chain(pool=nn.AdaptiveAvgPool2d(COARSE), flatten=nn.Flatten()),
    )
    words = "histograms of oriented gradients and coarse pixels"
    whole = normalized(chain(both=both), preprocessing.mean, preprocessing.std)
    return Eye(words, whole.eval(), preprocessing, notes)
