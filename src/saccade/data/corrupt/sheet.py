"""corruption_sheet: a picture under every corruption and severity, to look at."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from saccade.data.augment.sheet import drawn
from saccade.data.corrupt.catalogue import corrupt
from saccade.data.corrupt.strength import SEVERITIES


def corruption_sheet(images: Tensor, corruptions: Sequence[str], *, side: int = 96) -> Image.Image:
    """A row a corruption: a picture as it is, then under severities 1 to 5.

    Pictures, [N,C,H,W] of 0 to 255, are used in turn.
    """
    rows = {}
    for row, name in enumerate(corruptions):
        picture = images[row % len(images)][None].float()
        chance = torch.Generator().manual_seed(row)
        changed = [corrupt(picture, name, severity, chance) for severity in SEVERITIES]
        rows[name] = torch.cat([picture, *changed])
    return drawn(rows, side=side)
