"""Thumbnails for pages, up to a byte budget, and tested images with their predictions."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from saccade.data.cache import ImageStore
from saccade.data.formats import DecodeOptions, open_image
from saccade.data.item import Item
from saccade.errors import DataError
from saccade.report.page import Html, element, image, join, unbroken
from saccade.runs.run import Run
from saccade.words import percent

SIZE = 128  # pixels of the longer side of a thumbnail from a file


class Thumbnails:
    """Thumbnails by name; `byte_budget` is how many bytes of them the page takes."""

    def __init__(self, items: Sequence[Item], byte_budget: int):
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
        try:
            pixels = item.image.read()
            if isinstance(pixels, bytes):
                pixels = open_image(pixels, DecodeOptions(grey=False, min_side=SIZE, longer=True))
        except (DataError, OSError):
            return None
        image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2:] == (1,) else pixels[..., :3])
        image.thumbnail((SIZE, SIZE))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=72, optimize=True)
        self.byte_budget -= len(file.getvalue())
        return file.getvalue()


THUMBNAIL_SIZE = 112  # pixels of the longer side at most, from a decoded image
SMALL = 48  # pixels; up to these an image is enlarged by whole numbers, and nothing is lost
JPEG_QUALITY = 80


def thumbnail(pixels: Tensor) -> bytes:
    """uint8 [C,H,W] as a PNG or JPEG file."""
    array = pixels.permute(1, 2, 0).numpy()
    image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    out = io.BytesIO()
    if max(image.size) <= SMALL:
        factor = THUMBNAIL_SIZE // max(image.size)
        size = (image.width * factor, image.height * factor)
        image.resize(size, Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
        return out.getvalue()
    image.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    image.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return out.getvalue()


@dataclass(frozen=True)
class TestedImages:
    """Tested images with labels, predictions and losses; row k of every field is of image k."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    predictions: tuple[str, ...]
    losses: Tensor  # [N] float64
    probabilities: Tensor  # [N,K] float64, a probability a class; K is 0 where answers are numbers
    images: ImageStore
    novelty: Tensor | None = None  # [N] float32, of classes where the bundle knows it

    @classmethod
    def read(cls, predictions: Path, images: ImageStore) -> TestedImages:
        """The rows of `predictions`, a predictions.csv; `images` are in its order."""
        head, *rows = _rows(predictions)
        novelty = None
        if head[-1] == "novelty":
            novelty = torch.tensor([float(row.pop()) for row in rows])
        columns = list(zip(*rows, strict=True)) or [()] * len(head)
        names, labels, answers, losses, *shares = columns
        numbers = [[float(cell) for cell in column] for column in (losses, *shares)]
        values = torch.tensor(numbers, dtype=torch.float64).T.reshape(len(names), -1)
        return cls(names, labels, answers, values[:, 0], values[:, 1:], images, novelty)

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

    def figure(self, index: int, caption: str) -> Html:
        """One image with `caption` and its name below."""
        encoded = thumbnail(self.images.take(torch.tensor([index]))[0])
        path = element("span", self.names[index], class_="path")
        return image(encoded, caption, join([caption, Html("<br>"), path]))


def tested_names(run: Run) -> tuple[str, ...]:
    """The names of the images in predictions.csv."""
    return tuple(name for name, _ in tested_labels(run))


def tested_labels(run: Run) -> list[tuple[str, str]]:
    """Name and label of each image in predictions.csv."""
    _, *rows = _rows(run.path / "predictions.csv")
    return [(row[0], row[1]) for row in rows]


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
