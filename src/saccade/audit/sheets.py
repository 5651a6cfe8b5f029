"""Sheets of augmented training images, each beside its original."""

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
from saccade.auto.resolve import resolve, stated_settings
from saccade.auto.summary import summarize
from saccade.auto.window import with_window
from saccade.data.batch import Batch
from saccade.data.cache import decode_all
from saccade.data.item import Skipped
from saccade.data.sources import open_source
from saccade.data.sources.data_spec import spec_with_settings
from saccade.files import refuse_to_replace, write_output
from saccade.recipes.settings import preprocessing_of

GAP = 4  # pixels, between images
PAPER, INK = "white", "black"


def sheet(
    images: Tensor,
    rows: Mapping[str, Augmentation],
    generator: torch.Generator,
    *,
    copies: int = 8,
    size: int = 96,
) -> Image.Image:
    """A row for each name: one of the images as it is, then `copies` augmented copies.

    images [N,C,H,W] of 0 to 255 are used in turn when there are fewer than rows, and drawn `size`
    pixels in width and height, small ones with their pixels as squares.
    """
    panels = {}
    for row, (name, augmentation) in enumerate(rows.items()):
        step = 1 if augmentation.mixes else 0
        batch = images[(row + step * torch.arange(copies)) % len(images)]
        targets = torch.zeros(copies, 1)
        augmented = augmentation(Batch(batch, targets, torch.arange(copies)), generator).images
        panels[name] = [images[row % len(images)], *augmented]
    return _draw(panels, size)


def _draw(rows: Mapping[str, Sequence[Tensor]], size: int) -> Image.Image:
    """A row of images, [C,H,W] of 0 to 255, for each name; the first of each set apart."""
    font = ImageFont.load_default(12)
    margin = 2 * GAP + max((int(font.getlength(name)) for name in rows), default=0)
    pitch = size + GAP
    first = margin + pitch + 2 * GAP
    columns = max((len(images) - 1 for images in rows.values()), default=0)
    paper = Image.new("RGB", (first + columns * pitch, GAP + len(rows) * pitch), PAPER)
    draw = ImageDraw.Draw(paper)
    for row, (name, (original, *augmented)) in enumerate(rows.items()):
        top = GAP + row * pitch
        draw.text((GAP, top + size // 2), name, INK, font, anchor="lm")
        paper.paste(_image(original, size), (margin, top))
        for column, pixels in enumerate(augmented):
            paper.paste(_image(pixels, size), (first + column * pitch, top))
    return paper


def _image(pixels: Tensor, size: int) -> Image.Image:
    """pixels [C,H,W] of 0 to 255 -> an image of `size` x `size` pixels"""
    values = pixels.detach().cpu().float().round().clamp(0, 255).byte()
    values = values.expand(3, -1, -1) if len(values) == 1 else values[:3]
    image = Image.fromarray(values.permute(1, 2, 0).contiguous().numpy())
    enlarge = max(image.size) < size
    return image.resize((size, size), Image.Resampling.NEAREST if enlarge else Image.Resampling.BOX)


COMBINED_ROWS = 8  # of different images, with all augmentations together


@dataclass(frozen=True, repr=False)
class Sheet:
    """A drawn sheet: the file, and the augmentations that it shows."""

    path: Path
    augmentations: tuple[str, ...]
    unreadable: tuple[Skipped, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The path and the augmentations as JSON values."""
        return {"path": str(self.path), "augmentations": list(self.augmentations)}

    def __str__(self) -> str:
        return f"{', '.join(self.augmentations) or 'no augmentation'}: drawn in {self.path}"

    def __repr__(self) -> str:
        return f"Sheet({self.path})"

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()


def augmented_sheet(
    data: str | Path | None, recipe: str | Path | None, flags: Mapping[str, Any], out: Path
) -> Sheet:
    """Draw training images with each augmentation alone, then with all, in the file `out`."""
    refuse_to_replace(out)
    source = open_source(spec_with_settings(data, stated_settings(recipe, flags)))
    items = source.read("train" if "train" in source.splits else source.splits[0])
    summary = summarize(items)
    resolved = with_window(resolve(recipe, flags, summary), items, summary).recipe
    step = max(1, len(items) // (COMBINED_ROWS + len(resolved.data.augment)))
    decoded = decode_all(items[::step], preprocessing_of(resolved), mode="memory")
    augmentations = {
        text: parse_augmentation(text, len(source.classes)) for text in resolved.data.augment
    }
    rows: dict[str, Augmentation] = dict(augmentations)
    rows |= {f"all {k + 1}": compose(list(augmentations.values())) for k in range(COMBINED_ROWS)}
    generator = torch.Generator().manual_seed(resolved.train.seed)
    images = decoded.images.take(torch.arange(len(decoded.images)))
    buffer = io.BytesIO()
    sheet(images, rows, generator).save(buffer, "PNG")
    write_output(out, buffer.getvalue())
    return Sheet(out, tuple(augmentations), decoded.failed)
