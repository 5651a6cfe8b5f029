"""Thumbnails for pages, up to a byte budget, and tested images with their predictions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from saccade.data.cache import ImageStore
from saccade.data.formats import DecodeOptions, open_image
from saccade.data.item import Item
from saccade.errors import DataError
from saccade.report.page import Html, element, image, join, unbroken
from saccade.runs.predictions import COLUMNS, NOVELTY, read_predictions
from saccade.runs.run import Run
from saccade.words import percent

BUDGET = 1_900_000  # bytes of images in a file, which they make a third larger
THUMBNAIL_SIZE = 112  # pixels of the longer side of a thumbnail, at most
SHARP = 48  # pixels; up to these an image is enlarged by whole numbers, and nothing is lost
JPEG_QUALITY = 80  # of JPEG


def thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG or JPEG file.  [H,W], [H,W,1], [H,W,3], or [H,W,4] with a fourth of no meaning"""
    colour = pixels.ndim == 3 and pixels.shape[2] > 1
    image = Image.fromarray(pixels[..., :3] if colour else pixels.reshape(pixels.shape[:2]))
    out = io.BytesIO()
    if max(image.size) <= SHARP:
        factor = THUMBNAIL_SIZE // max(image.size)
        size = (image.width * factor, image.height * factor)
        image.resize(size, Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
        return out.getvalue()
    image.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    image.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return out.getvalue()


def thumbnail_of(item: Item) -> bytes | None:
    """The thumbnail of an image where it lies; None where it cannot be read."""
    try:
        raw = item.image.read()
        if isinstance(raw, bytes):
            raw = open_image(raw, DecodeOptions(grey=False, min_side=THUMBNAIL_SIZE, longer=True))
    except (DataError, OSError):
        return None
    return thumbnail(raw)


class Thumbnails:
    """Thumbnails by name; `byte_budget` is how many bytes of them the page takes."""

    def __init__(self, items: Sequence[Item], byte_budget: int = BUDGET):
        self.items = {item.name: item for item in items}
        self.byte_budget = byte_budget

    def show(self, name: str, remark: str = "") -> Html | None:
        """The image with its path and a remark; None where it is unreadable or over budget."""
        encoded = self._small(name)
        if encoded is None:
            return None
        caption = [element("span", name, class_="path")]
        if remark:
            caption += [Html("<br>"), remark]
        return image(encoded, remark or "an image of the set", join(caption))

    def _small(self, name: str) -> bytes | None:
        item = self.items.get(name)
        if item is None or self.byte_budget <= 0:
            return None
        encoded = thumbnail_of(item)
        self.byte_budget -= len(encoded or b"")
        return encoded


@dataclass(frozen=True)
class TestedImages:
    """Tested images with labels, predictions and losses; row k of every field is of image k."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    predictions: tuple[str, ...]
    losses: Tensor  # [N] float64
    probabilities: Tensor  # [N,K] float64, a probability per class; K is 0 if answers are numbers
    images: ImageStore
    novelty: Tensor | None = None  # [N] float32, of classes where the bundle knows it

    @classmethod
    def read(cls, predictions: Path, images: ImageStore) -> TestedImages:
        """The rows of `predictions`, a predictions.csv; `images` are in its order."""
        table = read_predictions(predictions)
        names, labels, answers, losses = (table.pop(title) for title in COLUMNS)
        novelty = table.pop(NOVELTY, None)
        numbers = [[float(cell) for cell in column] for column in (losses, *table.values())]
        values = torch.tensor(numbers, dtype=torch.float64).T
        known = None if novelty is None else torch.tensor([float(cell) for cell in novelty])
        return cls(names, labels, answers, values[:, 0], values[:, 1:], images, known)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def correct(self) -> Tensor:
        """Whether the prediction is the label.  [N] bool"""
        return torch.tensor([a == b for a, b in zip(self.labels, self.predictions, strict=True)])

    @cached_property
    def confidences(self) -> Tensor:
        """The probability of the predicted class.  [N] float64"""
        return self.probabilities.max(dim=1).values

    def confidence_text(self, index: int) -> str:
        """The confidence on one image, in percent."""
        return unbroken(percent(float(self.confidences[index])))

    def figure(self, place: int, words: str) -> Html:
        """One image with `words` and its name below."""
        pixels = self.images.take(torch.tensor([place]))[0]
        encoded = thumbnail(pixels.permute(1, 2, 0).numpy())
        return named_image(encoded, words, self.names[place])


def named_image(encoded: bytes, words: str, name: str) -> Html:
    """An image with `words` and its name below."""
    path = element("span", name, class_="path")
    return image(encoded, words, join([words, Html("<br>"), path]))


def tested_names(run: Run) -> tuple[str, ...]:
    """The names of the images in predictions.csv."""
    return tuple(name for name, _ in tested_labels(run))


def tested_labels(run: Run) -> list[tuple[str, str]]:
    """Name and label of each image in predictions.csv."""
    table = read_predictions(run.path / "predictions.csv")
    return list(zip(table["name"], table["label"], strict=True))
