"""What a training will see: images as they are and augmented several times, on one sheet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation, compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.auto.resolve import resolve
from saccade.auto.summary import summarize
from saccade.data.batch import Batch
from saccade.data.cache import decode_all
from saccade.data.item import Skipped
from saccade.data.sources import open_source
from saccade.files import atomic_write
from saccade.recipes.settings import preprocessing_of

GAP = 4  # pixels, between images
PAPER, INK = "white", "black"


def sheet(
    images: Tensor,
    rows: Mapping[str, Augmentation],
    generator: torch.Generator,
    *,
    copies: int = 8,
    side: int = 96,
) -> Image.Image:
    """A row for each name: one of the images as it is, then `views` times as training sees it.

    Images, [N,C,H,W] of 0 to 255, are used in turn when there are fewer than rows, and drawn
    `side` pixels high, small ones with their pixels as squares.
    """
    shown = {}
    for row, (name, augmentation) in enumerate(rows.items()):
        step = 1 if augmentation.mixes else 0
        chosen = images[(row + step * torch.arange(copies)) % len(images)]
        targets = torch.zeros(copies, 1)
        changed = augmentation(Batch(chosen, targets, torch.arange(copies)), generator).images
        shown[name] = [images[row % len(images)], *changed]
    return _drawn(shown, side)


def _drawn(rows: Mapping[str, Sequence[Tensor]], side: int) -> Image.Image:
    """A row of images, [C,H,W] of 0 to 255, for each name; the first of each set apart."""
    font = ImageFont.load_default(12)
    margin = 2 * GAP + max((int(font.getlength(name)) for name in rows), default=0)
    place = side + GAP
    first = margin + place + 2 * GAP
    views = max((len(images) - 1 for images in rows.values()), default=0)
    paper = Image.new("RGB", (first + views * place, GAP + len(rows) * place), PAPER)
    draw = ImageDraw.Draw(paper)
    for row, (name, (original, *changed)) in enumerate(rows.items()):
        top = GAP + row * place
        draw.text((GAP, top + side // 2), name, INK, font, anchor="lm")
        paper.paste(_image(original, side), (margin, top))
        for column, pixels in enumerate(changed):
            paper.paste(_image(pixels, side), (first + column * place, top))
    return paper


def _image(pixels: Tensor, side: int) -> Image.Image:
    """[C,H,W] of 0 to 255 -> an image of `side` pixels"""
    values = pixels.detach().cpu().float().round().clamp(0, 255).byte()
    values = values.expand(3, -1, -1) if len(values) == 1 else values[:3]
    image = Image.fromarray(values.permute(1, 2, 0).contiguous().numpy())
    grown = max(image.size) < side
    return image.resize((side, side), Image.Resampling.NEAREST if grown else Image.Resampling.BOX)


IMAGES = 8  # different ones, a row each for all augmentations together


@dataclass(frozen=True)
class Sheet:
    """A drawn sheet: the file, and the augmentations that it shows."""

    path: Path
    augmentations: tuple[str, ...]
    unreadable: tuple[Skipped, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"path": str(self.path), "augmentations": list(self.augmentations)}

    def __str__(self) -> str:
        return f"{', '.join(self.augmentations) or 'no augmentation'}: drawn in {self.path}"

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()


def augmented_sheet(
    data: str | Path | None, recipe: str | Path | None, flags: Mapping[str, Any], out: Path
) -> Sheet:
    """A row for each augmentation alone, then rows with all of them, of images to train on."""
    source = open_source(data)
    items = source.read("train" if "train" in source.splits else source.splits[0])
    chosen = resolve(recipe, flags, summarize(items)).recipe
    step = max(1, len(items) // (IMAGES + len(chosen.data.augment)))
    found = decode_all(items[::step], preprocessing_of(chosen), mode="memory")
    parts = {text: parse_augmentation(text, len(source.classes)) for text in chosen.data.augment}
    rows: dict[str, Augmentation] = dict(parts)
    rows |= {f"all {k + 1}": compose(list(parts.values())) for k in range(IMAGES)}
    generator = torch.Generator().manual_seed(chosen.train.seed)
    images = found.images.take(torch.arange(len(found.images)))
    drawn = io.BytesIO()
    sheet(images, rows, generator).save(drawn, "PNG")
    atomic_write(out, drawn.getvalue())
    return Sheet(out, tuple(parts), found.failed)
