"""Tested: pictures that were measured with what was said of each, as predictions.csv has them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from saccade.data.cache import Pictures
from saccade.report.page import Html, element, join, picture, unbroken
from saccade.report.thumbnail import thumbnail
from saccade.results import percent
from saccade.runs import Run


@dataclass(frozen=True)
class Tested:
    """Row k of every field is of picture k."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    answers: tuple[str, ...]
    losses: Tensor  # [N] float64
    shares: Tensor  # [N,K] float64, a probability a class; K is 0 where answers are numbers
    pictures: Pictures
    novelty: Tensor | None = None  # [N] float32, of classes where the bundle knows it

    @classmethod
    def read(cls, predictions: Path, pictures: Pictures) -> Tested:
        """What the file `predictions` has; `pictures` are in its order."""
        head, *rows = _rows(predictions)
        novelty = None
        if head[-1] == "novelty":
            novelty = torch.tensor([float(row.pop()) for row in rows])
        columns = list(zip(*rows, strict=True)) or [()] * len(head)
        names, labels, answers, losses, *shares = columns
        numbers = [[float(cell) for cell in column] for column in (losses, *shares)]
        table = torch.tensor(numbers, dtype=torch.float64).T.reshape(len(names), -1)
        return cls(names, labels, answers, table[:, 0], table[:, 1:], pictures, novelty)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def right(self) -> Tensor:
        """Whether the answer is the label.  [N] bool"""
        return torch.tensor([a == b for a, b in zip(self.labels, self.answers, strict=True)])

    @cached_property
    def confidences(self) -> Tensor:
        """The probability of the class that was named.  [N] float64"""
        return self.shares.max(dim=1).values

    def sure(self, place: int) -> str:
        """How sure it was of one picture."""
        return unbroken(percent(float(self.confidences[place])))

    def figure(self, place: int, words: str) -> Html:
        """One picture with `words` and its name below."""
        encoded = thumbnail(self.pictures.take(torch.tensor([place]))[0])
        path = element("span", self.names[place], class_="path")
        return picture(encoded, words, join([words, Html("<br>"), path]))


def names_tested(run: Run) -> tuple[str, ...]:
    """The names of the pictures that predictions.csv tells of."""
    return tuple(name for name, _ in labelled(run))


def labelled(run: Run) -> list[tuple[str, str]]:
    """Name and label of each picture that predictions.csv tells of."""
    _, *rows = _rows(run.path / "predictions.csv")
    return [(row[0], row[1]) for row in rows]


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
