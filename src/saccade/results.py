"""What the verbs give back: small frozen objects that read well in a terminal and a notebook."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor

from saccade.data.source import Skipped
from saccade.metrics.interval import Interval, wilson


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good a classifier is on pictures that it was not trained on."""

    split: str
    n: int  # pictures
    accuracy: float
    accuracy_interval: Interval  # Wilson, 95 %
    top5: float | None  # None with five classes or fewer, where it is always 1
    log_loss: float  # nats
    baseline: float  # accuracy of always naming the most frequent class
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]  # a row a true class, a column a predicted one
    notes: tuple[str, ...] = ()
    reported: tuple[Skipped, ...] = ()  # pictures that could not be read

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        rows = [("accuracy", proportion(self.accuracy, self.accuracy_interval, self.n))]
        if self.top5 is not None:
            rows.append(("top-5 accuracy", percent(self.top5)))
        rows.append(("log loss", f"{self.log_loss:.3f}"))
        rows.append(("baseline", f"{percent(self.baseline)} by always naming the largest class"))
        return rows

    def __str__(self) -> str:
        return aligned([("split", self.split), *self.rows(), *(("note", n) for n in self.notes)])

    def __repr__(self) -> str:
        return f"Evaluation({self.split}: accuracy {self.rows()[0][1]})"

    def _repr_html_(self) -> str:
        return html_table(("split", self.split), self.rows())


@dataclass(frozen=True, repr=False)
class Prediction:
    """What a network says of one picture: its classes, the most probable first."""

    name: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def best(self) -> str:
        return self.classes[0]

    def __str__(self) -> str:
        pairs = zip(self.probabilities, self.classes, strict=True)
        return "\n".join(f"{100 * p:5.1f} %  {name}" for p, name in pairs)

    def __repr__(self) -> str:
        return f"Prediction({self.name}: {self.best}, {percent(self.probabilities[0])})"

    def _repr_html_(self) -> str:
        rows = [(c, percent(p)) for c, p in zip(self.classes, self.probabilities, strict=True)]
        return html_table((self.name, ""), rows)


@dataclass(frozen=True, repr=False)
class Predictions(Sequence[Prediction]):
    """What a network says of several pictures, and which of them it could not read."""

    items: tuple[Prediction, ...]
    reported: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index):  # type: ignore[override]
        return self.items[index]

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.items)

    def to_dict(self) -> dict[str, Any]:
        return {
            "predictions": [asdict(item) for item in self.items],
            "unreadable": [asdict(item) for item in self.reported],
        }

    def to_csv(self) -> str:
        """A row a picture: its name, then class and probability by rank; unreadable ones last."""
        out = io.StringIO()
        ranks = max((len(item.classes) for item in self.items), default=1)
        titles = [
            title for k in range(1, ranks + 1) for title in (f"class_{k}", f"probability_{k}")
        ]
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["name", *titles, "error"])
        for item in self.items:
            pairs = zip(item.classes, item.probabilities, strict=True)
            cells = [cell for name, p in pairs for cell in (name, f"{p:.6f}")]
            writer.writerow([item.name, *cells, ""])
        for skipped in self.reported:
            writer.writerow([skipped.name, *[""] * (2 * ranks), skipped.reason])
        return out.getvalue().rstrip("\n")

    def __str__(self) -> str:
        if len(self.items) == 1:
            return str(self.items[0])
        return "\n\n".join(f"{item.name}\n{item}" for item in self.items)

    def __repr__(self) -> str:
        shown = ", ".join(f"{item.name}: {item.best}" for item in self.items[:3])
        return f"Predictions({shown}{', ...' if len(self.items) > 3 else ''})"

    def _repr_html_(self) -> str:
        rows = [(p.name, f"{p.best}, {percent(p.probabilities[0])}") for p in self.items]
        return html_table(("picture", "most probable"), rows)


def classifier_evaluation(
    split: str, scores: Mapping[str, float | Tensor], classes: tuple[str, ...]
) -> Evaluation:
    """The metrics of `Classification` over one split as a result for people."""
    confusion = torch.as_tensor(scores["confusion"])
    n, correct = int(confusion.sum()), int(confusion.trace())
    return Evaluation(
        split=split,
        n=n,
        accuracy=correct / n,
        accuracy_interval=wilson(correct, n),
        top5=float(scores["top5"]) if len(classes) > 5 else None,
        log_loss=float(scores["log_loss"]),
        baseline=int(confusion.sum(dim=1).max()) / n,
        classes=classes,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def percent(share: float) -> str:
    """0.9871 as '98.7 %'."""
    return f"{100 * share:.1f} %"


def proportion(share: float, interval: Interval, n: int) -> str:
    """A share with its interval and its n, as '98.7 % (96.8–99.5, n = 270)'."""
    return f"{percent(share)} ({100 * interval.low:.1f}–{100 * interval.high:.1f}, n = {n:,})"


def aligned(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values in two columns."""
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in rows)


def html_table(head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    """Two columns as an HTML table, everything escaped."""
    lines = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows)
    title = f"<tr><th>{escape(head[0])}</th><th>{escape(head[1])}</th></tr>"
    return f"<table><thead>{title}</thead><tbody>{lines}</tbody></table>"
