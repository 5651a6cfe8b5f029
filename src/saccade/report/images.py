"""Small images for pages, as far as a file has room, and tested images with their answers."""

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

SIDE = 128  # pixels of the long side of a small image


class Thumbnails:
    """Small images by name; `room` is how many bytes of them the page takes."""

    def __init__(self, items: Sequence[Item], room: int):
        self.items = {item.name: item for item in items}
        self.byte_budget = room

    def show(self, name: str, remark: str = "") -> Html | None:
        """The image with its path and a remark; None where it cannot be read or room is out."""
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
            raw = item.image.read()
            if isinstance(raw, bytes):
                raw = open_image(raw, DecodeOptions(grey=False, min_side=SIDE, longer=True))
        except (DataError, OSError):
            return None
        image = Image.fromarray(raw.squeeze(2) if raw.shape[2:] == (1,) else raw[..., :3])
        image.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=72, optimize=True)
        self.byte_budget -= len(file.getvalue())
        return file.getvalue()


THUMBNAIL_SIDE = 112  # pixels at most
SHARP = 48  # pixels; up to these an image is enlarged by whole numbers, and nothing is lost
QUALITY = 80  # of JPEG


def thumbnail(pixels: Tensor) -> bytes:
    """uint8 [C,H,W] as a PNG or JPEG file."""
    array = pixels.permute(1, 2, 0).numpy()
    image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    out = io.BytesIO()
    if max(image.size) <= SHARP:
        factor = THUMBNAIL_SIDE // max(image.size)
        size = (image.width * factor, image.height * factor)
        image.resize(size, Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
        return out.getvalue()
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


@dataclass(frozen=True)
class TestedImages:
    """Row k of every field is of image k."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    predictions: tuple[str, ...]
    losses: Tensor  # [N] float64
    probabilities: Tensor  # [N,K] float64, a probability a class; K is 0 where answers are numbers
    images: ImageStore
    novelty: Tensor | None = None  # [N] float32, of classes where the bundle knows it

    @classmethod
    def read(cls, predictions: Path, images: ImageStore) -> TestedImages:
        """What the file `predictions` has; `images` are in its order."""
        head, *rows = _rows(predictions)
        novelty = None
        if head[-1] == "novelty":
            novelty = torch.tensor([float(row.pop()) for row in rows])
        columns = list(zip(*rows, strict=True)) or [()] * len(head)
        names, labels, answers, losses, *shares = columns
        numbers = [[float(cell) for cell in column] for column in (losses, *shares)]
        table = torch.tensor(numbers, dtype=torch.float64).T.reshape(len(names), -1)
        return cls(names, labels, answers, table[:, 0], table[:, 1:], images, novelty)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def correct(self) -> Tensor:
        """Whether the answer is the label.  [N] bool"""
        return torch.tensor([a == b for a, b in zip(self.labels, self.predictions, strict=True)])

    @cached_property
    def confidences(self) -> Tensor:
        """The probability of the class that was named.  [N] float64"""
        return self.probabilities.max(dim=1).values

    def confidence_text(self, place: int) -> str:
        """How sure it was of one image."""
        return unbroken(percent(float(self.confidences[place])))

    def figure(self, place: int, words: str) -> Html:
        """One image with `words` and its name below."""
        encoded = thumbnail(self.images.take(torch.tensor([place]))[0])
        path = element("span", self.names[place], class_="path")
        return image(encoded, words, join([words, Html("<br>"), path]))


def names_tested(run: Run) -> tuple[str, ...]:
    """The names of the images that predictions.csv tells of."""
    return tuple(name for name, _ in labelled(run))


def labelled(run: Run) -> list[tuple[str, str]]:
    """Name and label of each image that predictions.csv tells of."""
    _, *rows = _rows(run.path / "predictions.csv")
    return [(row[0], row[1]) for row in rows]


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
