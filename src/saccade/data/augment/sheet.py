"""sheet: what training will see, as one picture to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation

GAP = 4  # pixels, between pictures
PAPER, INK = "white", "black"


def sheet(
    images: Tensor,
    rows: Mapping[str, Augmentation],
    generator: torch.Generator,
    *,
    views: int = 8,
    side: int = 96,
) -> Image.Image:
    """A row for each name: one of the pictures as it is, then `views` times as training sees it.

    Pictures, [N,C,H,W] of 0 to 255, are used in turn when there are fewer than rows, and drawn
    `side` pixels high, small ones with their pixels as squares.
    """
    shown = {}
    for row, (name, augmentation) in enumerate(rows.items()):
        step = 1 if augmentation.mixes else 0
        chosen = images[(row + step * torch.arange(views)) % len(images)]
        targets = torch.zeros(views, 1)
        changed = augmentation(Batch(chosen, targets, torch.arange(views)), generator).images
        shown[name] = [images[row % len(images)], *changed]
    return _drawn(shown, side)


def _drawn(rows: Mapping[str, Sequence[Tensor]], side: int) -> Image.Image:
    """A row of pictures, [C,H,W] of 0 to 255, for each name; the first of each set apart."""
    font = ImageFont.load_default(12)
    margin = 2 * GAP + max((int(font.getlength(name)) for name in rows), default=0)
    place = side + GAP
    first = margin + place + 2 * GAP
    views = max((len(pictures) - 1 for pictures in rows.values()), default=0)
    paper = Image.new("RGB", (first + views * place, GAP + len(rows) * place), PAPER)
    draw = ImageDraw.Draw(paper)
    for row, (name, (original, *changed)) in enumerate(rows.items()):
        top = GAP + row * place
        draw.text((GAP, top + side // 2), name, INK, font, anchor="lm")
        paper.paste(_picture(original, side), (margin, top))
        for column, pixels in enumerate(changed):
            paper.paste(_picture(pixels, side), (first + column * place, top))
    return paper


def _picture(pixels: Tensor, side: int) -> Image.Image:
    """[C,H,W] of 0 to 255 -> a picture of `side` pixels"""
    values = pixels.detach().cpu().float().round().clamp(0, 255).byte()
    values = values.expand(3, -1, -1) if len(values) == 1 else values[:3]
    picture = Image.fromarray(values.permute(1, 2, 0).contiguous().numpy())
    grown = max(picture.size) < side
    return picture.resize((side, side), Image.Resampling.NEAREST if grown else Image.Resampling.BOX)
