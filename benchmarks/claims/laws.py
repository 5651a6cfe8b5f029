"""Known laws that images are drawn from, so that the true score of a network on them is known.

A law makes predictions and targets out of standard normal numbers.  Those of images of one group
may be correlated; what is true of all images stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from saccade.metrics import classification
from saccade.metrics.calibration_error import adaptive_cells, expected_cells
from saccade.metrics.class_table import class_rows, label_rows
from saccade.metrics.classification import ClassMetric
from saccade.metrics.measure import unit_weights
from saccade.metrics.metric import ClassMetrics, Metric
from saccade.metrics.multilabel import LabelMetric
from saccade.metrics.regression import RegressionMetric
from saccade.metrics.sample import Sample

PART = 50_000  # images at a time, of those that the true scores are from
UNEQUAL = (0.5, 0.2, 0.1, 0.06, 0.04, 0.03, 0.03, 0.02, 0.01, 0.01)
LEAST = 5  # images of each class, below which a set is drawn again

Normal = Callable[[int], Tensor]  # so many columns of standard normal numbers, [N,columns] float64
Drawn = tuple[Tensor, Tensor]  # predictions and targets of N images


def independent(n: int, generator: torch.Generator) -> Normal:
    """Normal numbers of n images that have nothing to do with each other."""
    return lambda columns: torch.randn(n, columns, generator=generator, dtype=torch.float64)


@dataclass(frozen=True)
class Groups:
    """Images in groups of about `size`, whose normal numbers are correlated."""

    count: int
    size: int
    correlation: float

    def draw(self, generator: torch.Generator) -> tuple[Normal, Tensor]:
        """Normal numbers, and the group of each image: half to one and a half times `size`."""
        sizes = torch.randint(
            self.size // 2, self.size + self.size // 2 + 1, (self.count,), generator=generator
        )
        group = torch.arange(self.count).repeat_interleave(sizes)
        own, shared = independent(len(group), generator), independent(self.count, generator)

        def normal(columns: int) -> Tensor:
            common = shared(columns)[group] * self.correlation**0.5
            return common + own(columns) * (1 - self.correlation) ** 0.5

        return normal, group


@dataclass(frozen=True)
class Law:
    """What images are drawn from, and the metric that measures them."""

    name: str
    metric: Metric[Any]
    targets: Callable[[Normal], Tensor]  # -> [N,...]
    predict: Callable[[Tensor, Normal], Tensor]  # of targets -> [N,...]
    sizes: tuple[int, ...] = (50, 200, 1000)
    fewest: Callable[[Tensor], int] = len  # images of the rarest class, of the targets of a set
    images: int = 1_000_000  # that the true scores are from

    def draw(self, normal: Normal) -> Drawn:
        """Predictions and targets of N images."""
        targets = self.targets(normal)
        return self.predict(targets, normal), targets

    def sample(self, n: int, generator: torch.Generator) -> tuple[Any, Sample]:
        """The rows of n independent images with `LEAST` of each class, and what they are."""
        while True:
            predictions, targets = self.draw(independent(n, generator))
            if self.fewest(targets) >= min(LEAST, n):
                return self.metric.rows(predictions, targets), Sample(n)

    def groups(self, groups: Groups, generator: torch.Generator) -> tuple[Any, Sample]:
        """The same of images in groups, each class in two of them at least."""
        while True:
            normal, group = groups.draw(generator)
            predictions, targets = self.draw(normal)
            if self.fewest(targets) >= LEAST:
                return self.metric.rows(predictions, targets), Sample(len(group), group)

    @cached_property
    def truth(self) -> dict[str, float]:
        """The true value of each metric: the mean over parts of very many images.

        Of calibration errors, which are too large in any part, that of all together.
        """
        generator, values, parts = torch.Generator().manual_seed(10_000), {}, []
        for _ in range(self.images // PART):
            parts.append(self.metric.rows(*self.draw(independent(PART, generator))))
            with patch.object(classification, "MAX_SORTED", PART * 1000):  # no metric is left out
                quantities = [*self.metric.quantities(parts[-1])]
            for quantity in quantities:
                value = float(quantity.statistic(unit_weights(PART))[0])
                values.setdefault(quantity.name, []).append(value)
        truth = {name: sum(column) / len(column) for name, column in values.items()}
        if "expected calibration error" in truth:
            rows = parts[0].joined(parts)
            seen = rows.predictions.amax(dim=1), rows.answers == rows.targets
            truth["expected calibration error"] = expected_cells(*seen).seen
            cells = adaptive_cells(rows.predictions, rows.targets)
            truth["adaptive calibration error"] = cells.seen
        return truth

    @cached_property
    def class_truth(self) -> list[dict[str, float]]:
        """The true precision, recall and F1 of each class."""
        generator = torch.Generator().manual_seed(10_000)
        rows = self.metric.rows(*self.draw(independent(self.images // 2, generator)))
        values = [(c.precision, c.recall, c.f1) for c in self.table(rows)]
        return [{value.name: value.value for value in row} for row in values]

    def table(self, rows: Any, groups: Tensor | None = None) -> tuple[ClassMetrics, ...]:
        """Precision, recall and F1 of each class or label."""
        if isinstance(self.metric, ClassMetric):
            return class_rows(self.metric.classes, rows.answers, rows.targets, groups)
        if isinstance(self.metric, LabelMetric):
            return label_rows(self.metric.labels, rows.answers, rows.targets, groups)
        return ()


def separation(accuracy: float, priors: Tensor) -> float:
    """The mean of the true class's logit, above those of the others, that gives this accuracy."""
    low, high = 0.0, 12.0
    for _ in range(16):
        middle, generator = (low + high) / 2, torch.Generator().manual_seed(0)
        normal = independent(20_000, generator)
        targets = classes_of(normal, priors)
        logits = logits_of(targets, normal, priors, middle)
        share = float((logits.argmax(dim=1) == targets).double().mean())
        low, high = (middle, high) if share < accuracy else (low, middle)
    return (low + high) / 2


def classes_of(normal: Normal, priors: Tensor) -> Tensor:
    """True classes of these shares.  -> [N] int64"""
    rank = torch.special.ndtr(normal(1)[:, 0])
    return torch.bucketize(rank, priors.cumsum(dim=0)[:-1])


def logits_of(targets: Tensor, normal: Normal, priors: Tensor, scale: float) -> Tensor:
    """Logits of calibrated probabilities of these classes.  [N] int64 -> [N,K] float64"""
    noise = normal(len(priors))
    noise[torch.arange(len(noise)), targets] += scale
    return scale * noise + priors.log()


def classes(
    accuracy: float,
    priors: Sequence[float],
    sharpness: float = 1.0,
    sizes: Sequence[int] = (),
    images: int = 1_000_000,
) -> Law:
    """Classes of these shares; logits `sharpness` times those of a calibrated network."""
    shares = torch.tensor(priors, dtype=torch.float64)
    scale, k = separation(accuracy, shares), len(priors)

    def targets(normal: Normal) -> Tensor:
        return classes_of(normal, shares)

    def predict(targets: Tensor, normal: Normal) -> Tensor:
        return (sharpness * logits_of(targets, normal, shares, scale)).softmax(dim=1)

    kind = "equal" if max(priors) == min(priors) else "unequal"
    name = f"{k} {kind} classes, accuracy {accuracy}"
    name += "" if sharpness == 1 else f", logits x {sharpness:g}"
    metric = ClassMetric(tuple(map(str, range(k))))
    enough = int(LEAST / min(priors) * 1.4)
    wanted = tuple(sizes) or tuple(n for n in (20, 50, 100, 300, 1000, 5000) if n >= enough)[:4]

    def fewest(targets: Tensor) -> int:
        return int(targets.bincount(minlength=k).min())

    return Law(name, metric, targets, predict, wanted, fewest, images)


def labels(rates: Sequence[float], skill: float, images: int = 1_000_000) -> Law:
    """Several labels of an image, each present at its rate; calibrated."""
    shares = torch.tensor(rates, dtype=torch.float64)

    def targets(normal: Normal) -> Tensor:
        return (torch.special.ndtr(normal(len(rates))) < shares).double()

    def predict(targets: Tensor, normal: Normal) -> Tensor:
        evidence = skill * (normal(len(rates)) + skill * (targets - 0.5))
        return (evidence + shares.logit()).sigmoid()

    def fewest(targets: Tensor) -> int:
        counts = targets.sum(dim=0)
        return int(torch.minimum(counts, len(targets) - counts).min())

    metric = LabelMetric(tuple(map(str, range(len(rates)))))
    name = f"{len(rates)} labels, rates {min(rates)} to {max(rates)}, skill {skill}"
    return Law(name, metric, targets, predict, (100, 300, 1000), fewest, images)


def numbers(kind: str, noise: float, images: int = 1_000_000) -> Law:
    """A number and its prediction: normal, log-normal with errors that grow, or heavy-tailed."""

    def student(normal: Normal, freedom: int = 5) -> Tensor:
        return normal(1) / normal(freedom).square().mean(dim=1, keepdim=True).sqrt()

    def targets(normal: Normal) -> Tensor:
        if kind == "heavy-tailed":
            return student(normal)
        return normal(1) if kind == "normal" else (0.7 * normal(1)).exp()

    def predict(targets: Tensor, normal: Normal) -> Tensor:
        if kind == "heavy-tailed":
            return targets + noise * student(normal)
        return targets + noise * normal(1) * (1 if kind == "normal" else targets)

    name = f"{kind} numbers, noise {noise}"
    return Law(name, RegressionMetric(), targets, predict, images=images)


def laws() -> Iterator[Law]:
    """All laws of independent images."""
    for k, accuracies in ((2, (0.6, 0.9, 0.97)), (3, (0.8, 0.95)), (10, (0.5, 0.9, 0.98))):
        for accuracy in accuracies:
            yield classes(accuracy, [1 / k] * k)
    yield classes(0.8, [0.01] * 100, sizes=(1500, 5000), images=300_000)
    for accuracy in (0.9, 0.99):
        yield classes(accuracy, [0.9, 0.1])
        yield classes(accuracy, UNEQUAL)
    yield classes(0.9, [0.6, 0.3, 0.1])
    for sharpness in (3.0, 0.4):
        yield classes(0.9, [0.5, 0.5], sharpness)
        yield classes(0.9, [0.1] * 10, sharpness)
    yield labels([0.5, 0.3, 0.2], 2.0)
    yield labels([0.5, 0.2, 0.1, 0.05], 3.0)
    for kind in ("normal", "log-normal", "heavy-tailed"):
        for noise in (0.3, 1.0):
            yield numbers(kind, noise)


def grouped_laws() -> Iterator[Law]:
    """Those that are drawn in groups, too."""
    yield classes(0.7, [0.5, 0.5])
    yield classes(0.9, [0.6, 0.3, 0.1])
    yield classes(0.9, [0.1] * 10)
    yield labels([0.5, 0.3, 0.2], 2.0)
    yield numbers("normal", 0.5)
    yield numbers("log-normal", 0.3)
