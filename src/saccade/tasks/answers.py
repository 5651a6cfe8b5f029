"""Predictions for people and files: for a terminal, a notebook, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from torch import Tensor

from saccade.data.item import Skipped
from saccade.frame import data_frame
from saccade.metrics.conformal import PredictionSets
from saccade.words import LineFeeds, html_table

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Rejection:
    """When a classifier says "unknown", and which classes may be the true one.

    Chow 1970, "On optimum recognition error and reject tradeoff".
    """

    min_confidence: float = 0.0  # 0 to 1
    max_novelty: float = 1.0  # 0 to 1
    sets: PredictionSets | None = None  # of classes, told beside the first one


ALWAYS_ANSWER = Rejection()


class Answer(Protocol):
    """The prediction for one image in a form for people; a dataclass with its task's fields."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    no_class: ClassVar[str]  # what it says where it says no class; empty for numbers

    @property
    def name(self) -> str:
        """The name of the image."""
        ...

    @property
    def best(self) -> str:
        """The predicted class, labels or number as text."""
        ...

    @property
    def predicted_classes(self) -> tuple[str, ...]:
        """The classes that it says the image has; none where it says `no_class`."""
        ...

    @property
    def sort_value(self) -> float:
        """How probable it is, 0 to 1; of a number the number itself."""
        ...

    def columns(self) -> list[str]:
        """The names of the columns of `cells`."""
        ...

    def cells(self) -> list[str]:
        """The answer as a row of a table."""
        ...


class NumberAnswer:
    """What all answers of a number have in common: no class, and the number as text."""

    no_class: ClassVar[str] = ""

    value: float

    @property
    def best(self) -> str:
        """The number as text."""
        return str(self)

    @property
    def predicted_classes(self) -> tuple[str, ...]:
        """No class."""
        return ()

    @property
    def sort_value(self) -> float:
        """The number."""
        return self.value


@dataclass(frozen=True, repr=False)
class Predictions(Sequence[Answer]):
    """The answers to several images, and the images that could not be read."""

    items: tuple[Answer, ...]
    unreadable: tuple[Skipped, ...] = ()
    left_out: tuple[Skipped, ...] = ()  # of the folders that were named: hidden, or no images
    notes: tuple[str, ...] = ()  # what is to be known of how images were read
    named: bool = False  # whether an answer that is the only one stands under its name, too

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index):  # type: ignore[override]
        return self.items[index]

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.items)

    def to_dict(self) -> dict[str, Any]:
        """The answers and the unreadable images as JSON values."""
        return {
            "predictions": [asdict(item) for item in self.items],
            "unreadable": [asdict(item) for item in self.unreadable],
            "left_out": [asdict(item) for item in self.left_out],
            "notes": [*self.notes],
        }

    def to_csv(self) -> str:
        """A row per image: its name, then the answer; unreadable ones last."""
        out = io.StringIO()
        columns = max((item.columns() for item in self.items), key=len, default=[])
        writer = csv.writer(LineFeeds(out))
        writer.writerow(["name", *columns, "error"])
        for item in self.items:
            writer.writerow([item.name, *item.cells(), ""])
        for skipped in self.unreadable:
            writer.writerow([skipped.name, *[""] * len(columns), skipped.reason])
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row per image, as of `to_csv`; numbers are numbers, what is not known is missing."""
        columns = max((item.columns() for item in self.items), key=len, default=[])
        rows = [[item.name, *map(_value, item.columns(), item.cells())] for item in self.items]
        width = 1 + len(columns)
        answered = [[*row, *[None] * (width - len(row)), None] for row in rows]
        unread = [[s.name, *[None] * len(columns), s.reason] for s in self.unreadable]
        return data_frame([*answered, *unread], ["name", *columns, "error"])

    def __str__(self) -> str:
        if len(self.items) == 1 and not self.named:
            return str(self.items[0])
        return "\n\n".join(f"{item.name}\n{item}" for item in self.items)

    def __repr__(self) -> str:
        shown = ", ".join(f"{item.name}: {item.best}" for item in self.items[:3])
        return f"Predictions({shown}{', ...' if len(self.items) > 3 else ''})"

    def _repr_html_(self) -> str:
        return html_table(("image", "answer"), [(item.name, item.best) for item in self.items])


TEXTS = ("prediction", "labels", "class_")  # beginnings of the columns that are not numbers


def _value(column: str, cell: str) -> str | float | None:
    """A cell as the value that it is."""
    if column.startswith(TEXTS):
        return cell
    return float(cell) if cell else None


def most_probable(
    classes: tuple[str, ...], predictions: Tensor, top: int
) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
    """The `top` most probable classes of each image, with probabilities, of predictions [N,K]."""
    ranked = predictions.sort(dim=1, descending=True, stable=True)
    return [
        (tuple(classes[k] for k in indices[:top].tolist()), tuple(p[:top].tolist()))
        for p, indices in zip(ranked.values, ranked.indices, strict=True)
    ]
