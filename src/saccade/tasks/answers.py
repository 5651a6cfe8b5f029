"""Answers: what a network says of pictures: a class, labels, or a number."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor

from saccade.data.item import Skipped
from saccade.tasks.classification import Classification
from saccade.tasks.multilabel import Labelling
from saccade.tasks.regression import Regression
from saccade.words import html_table, percent

UNKNOWN = "unknown"  # in place of a class that is not probable enough


@dataclass(frozen=True, repr=False)
class Prediction:
    """What a network says of one picture: its classes, the most probable first."""

    name: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    known: bool = True  # whether the first is an answer: probable enough, the picture not too novel
    novelty: float | None = None  # share of validation pictures nearer to the training pictures

    @property
    def best(self) -> str:
        return self.classes[0] if self.known else UNKNOWN

    def titles(self) -> list[str]:
        ranks = range(1, len(self.classes) + 1)
        pairs = [title for k in ranks for title in (f"class_{k}", f"probability_{k}")]
        return ["answer", *pairs, *([] if self.novelty is None else ["novelty"])]

    def cells(self) -> list[str]:
        pairs = zip(self.classes, self.probabilities, strict=True)
        ranks = [cell for name, p in pairs for cell in (name, f"{p:.6f}")]
        return [self.best, *ranks, *([] if self.novelty is None else [f"{self.novelty:.6f}"])]

    def __str__(self) -> str:
        pairs = zip(self.probabilities, self.classes, strict=True)
        lines = [f"{100 * p:5.1f} %  {name}" for p, name in pairs]
        if self.novelty is not None:
            lines.append(f"novelty {self.novelty:.3f}")
        return "\n".join(lines if self.known else [UNKNOWN, *lines])

    def __repr__(self) -> str:
        return f"Prediction({self.name}: {self.best}, {percent(self.probabilities[0])})"

    def _repr_html_(self) -> str:
        rows = [(c, percent(p)) for c, p in zip(self.classes, self.probabilities, strict=True)]
        return html_table((self.name, ""), rows)


@dataclass(frozen=True, repr=False)
class Labels(Prediction):
    """The labels of one picture, the most probable first, and how many of all are given."""

    given: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        return ", ".join(self.given) or "none"

    def titles(self) -> list[str]:
        return ["labels", *super().titles()[1:]]

    def cells(self) -> list[str]:
        return ["|".join(self.given), *super().cells()[1:]]

    def __str__(self) -> str:
        return f"{self.best}\n{super().__str__()}"

    def __repr__(self) -> str:
        return f"Labels({self.name}: {self.best})"


@dataclass(frozen=True, repr=False)
class Estimate:
    """The number of one picture, and how near the truth is in nine of ten pictures like it."""

    name: str
    value: float
    margin: float | None

    @property
    def best(self) -> str:
        return str(self)

    def titles(self) -> list[str]:
        return ["value", "margin"]

    def cells(self) -> list[str]:
        return [f"{self.value:.6g}", "" if self.margin is None else f"{self.margin:.6g}"]

    def __str__(self) -> str:
        near = "" if self.margin is None else f" ± {self.margin:,.4g}"
        return f"{self.value:,.4g}{near}"

    def __repr__(self) -> str:
        return f"Estimate({self.name}: {self})"

    def _repr_html_(self) -> str:
        return html_table((self.name, ""), [("value", str(self))])


Answer = Prediction | Estimate


@dataclass(frozen=True, repr=False)
class Predictions(Sequence[Answer]):
    """What a network says of several pictures, and which of them it could not read."""

    items: tuple[Answer, ...]
    reported: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index):  # type: ignore[override]
        return self.items[index]

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.items)

    def to_dict(self) -> dict[str, Any]:
        return {
            "predictions": [asdict(item) for item in self.items],
            "unreadable": [asdict(item) for item in self.reported],
        }

    def to_csv(self) -> str:
        """A row a picture: its name, then what is said of it; unreadable ones last."""
        out = io.StringIO()
        titles = max((item.titles() for item in self.items), key=len, default=[])
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["name", *titles, "error"])
        for item in self.items:
            writer.writerow([item.name, *item.cells(), ""])
        for skipped in self.reported:
            writer.writerow([skipped.name, *[""] * len(titles), skipped.reason])
        return out.getvalue().rstrip("\n")

    def __str__(self) -> str:
        if len(self.items) == 1:
            return str(self.items[0])
        return "\n\n".join(f"{item.name}\n{item}" for item in self.items)

    def __repr__(self) -> str:
        shown = ", ".join(f"{item.name}: {item.best}" for item in self.items[:3])
        return f"Predictions({shown}{', ...' if len(self.items) > 3 else ''})"

    def _repr_html_(self) -> str:
        return html_table(("picture", "answer"), [(item.name, item.best) for item in self.items])


def classes_of(
    task: Classification,
    names: Sequence[str],
    predictions: Tensor,
    top: int,
    min_confidence: float = 0.0,
) -> list[Answer]:
    """The `top` most probable classes of each picture, unknown below `min_confidence`.  [N,K]"""
    return [
        Prediction(name, classes, probabilities, known=probabilities[0] >= min_confidence)
        for name, (classes, probabilities) in _ranked(task, names, predictions, top)
    ]


def with_novelty(
    answers: Sequence[Answer], shares: Sequence[float], most: float = 1.0
) -> list[Answer]:
    """The same answers about classes, unknown where the novelty is above `most`."""
    return [
        replace(answer, novelty=share, known=answer.known and share <= most)
        for answer, share in zip(answers, shares, strict=True)
        if isinstance(answer, Prediction)
    ]


def labels_of(task: Labelling, names: Sequence[str], predictions: Tensor, top: int) -> list[Answer]:
    """The labels that each picture is given, and the `top` most probable ones.  [N,K]"""
    given = [tuple(text.split("|")) if text else () for text in task.answers(predictions)]
    ranked = _ranked(task, names, predictions, top)
    return [Labels(name, *r, given=some) for (name, r), some in zip(ranked, given, strict=True)]


def numbers_of(
    task: Regression, names: Sequence[str], predictions: Tensor, top: int
) -> list[Answer]:
    """The number of each picture.  [N,1]"""
    pairs = zip(names, predictions.flatten().tolist(), strict=True)
    return [Estimate(name, value, task.margin) for name, value in pairs]


ANSWERS: dict[str, Callable[..., list[Answer]]] = {
    Classification.kind: classes_of,
    Labelling.kind: labels_of,
    Regression.kind: numbers_of,
}


def _ranked(
    task: Classification | Labelling, names: Sequence[str], predictions: Tensor, top: int
) -> list[tuple[str, tuple[tuple[str, ...], tuple[float, ...]]]]:
    ranked = predictions.sort(dim=1, descending=True, stable=True)
    return [
        (name, (tuple(task.classes[k] for k in places[:top].tolist()), tuple(p[:top].tolist())))
        for name, p, places in zip(names, ranked.values, ranked.indices, strict=True)
    ]
