"""augment: what a training will see, drawn."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from saccade.data.augment.augmentation import Augmentation, compose
from saccade.data.augment.catalogue import parse
from saccade.data.augment.sheet import sheet
from saccade.data.cache import decoded
from saccade.data.glance import glance
from saccade.data.source import Skipped
from saccade.data.sources import open_source
from saccade.files import write_whole
from saccade.settings import resolve
from saccade.training.prepared import preprocessing_of

PICTURES = 8  # different ones, a row each for all augmentations together


@dataclass(frozen=True)
class Sheet:
    """A drawn sheet: the file, and the augmentations that it shows."""

    path: Path
    augmentations: tuple[str, ...]
    reported: tuple[Skipped, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"path": str(self.path), "augmentations": list(self.augmentations)}

    def __str__(self) -> str:
        return f"{', '.join(self.augmentations) or 'no augmentation'}: drawn in {self.path}"

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()


def augmented_sheet(
    data: str | Path | None, recipe: str | Path | None, flags: Mapping[str, Any], out: Path
) -> Sheet:
    """A row for each augmentation alone, then rows with all of them, of pictures to train on."""
    source = open_source(data)
    items = source.read("train" if "train" in source.splits else source.splits[0])
    chosen = resolve(recipe, flags, glance(items)).recipe
    step = max(1, len(items) // (PICTURES + len(chosen.data.augment)))
    found = decoded(items[::step], preprocessing_of(chosen), mode="memory")
    parts = {text: parse(text, len(source.classes)) for text in chosen.data.augment}
    rows: dict[str, Augmentation] = dict(parts)
    rows |= {f"all {k + 1}": compose(list(parts.values())) for k in range(PICTURES)}
    generator = torch.Generator().manual_seed(chosen.train.seed)
    images = found.pictures.take(torch.arange(len(found.pictures)))
    drawn = io.BytesIO()
    sheet(images, rows, generator).save(drawn, "PNG")
    write_whole(out, drawn.getvalue())
    return Sheet(out, tuple(parts), found.failed)
