"""How often two settings, trained from several seeds each, are said to differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from claims.laws import classes_of, independent, separation
from claims.pairs import LEVEL, SHARED, Calls
from saccade.metrics.classification import ClassMetric
from saccade.metrics.metric import Predicted
from saccade.metrics.paired import paired
from saccade.metrics.seeds import over_seeds

CLASSES = 10
PRIORS = torch.full((CLASSES,), 1 / CLASSES, dtype=torch.float64)
ACCURACY = 0.9
IMAGES = 200_000  # that true differences are from


@dataclass(frozen=True)
class Settings:
    """Two settings of so many seeds, tested on the same images."""

    seeds: int
    images: int
    own: float  # of the variance of an error: what is hard for a setting, whatever the seed
    spread: float  # over seeds, of the mean of the true class's logit
    apart: float = 0.0  # of the second above the first

    @property
    def name(self) -> str:
        """Of the law."""
        kinds = "good at the same images", "good at different images"
        chance = "equal seeds", "seeds that differ"
        name = f"{kinds[self.own > 0]}, {chance[self.spread > 0]}"
        return name if not self.apart else f"{name}, one better"

    @cached_property
    def metric(self) -> ClassMetric:
        """Of ten equal classes."""
        return ClassMetric(tuple(map(str, range(CLASSES))))

    @cached_property
    def scale(self) -> float:
        """The mean of the true class's logit."""
        return separation(ACCURACY, PRIORS)

    def draw(self, generator: torch.Generator, n: int) -> list[Predicted]:
        """The rows of the seeds of the first setting, then of the second."""
        normal = independent(n, generator)
        targets, shared, rows = classes_of(normal, PRIORS), normal(CLASSES), []
        for k in range(2):
            of_setting = normal(CLASSES)
            for _ in range(self.seeds):
                of_seed = (1 - SHARED - self.own) ** 0.5 * normal(CLASSES)
                noise = SHARED**0.5 * shared + self.own**0.5 * of_setting + of_seed
                mean = self.scale + k * self.apart
                mean += self.spread * float(torch.randn(1, generator=generator))
                noise[torch.arange(n), targets] += mean
                rows.append(self.metric.rows((self.scale * noise).softmax(dim=1), targets))
        return rows

    @cached_property
    def truth(self) -> dict[str, float]:
        """The true difference of each metric, over all seeds and images."""
        if not self.apart:
            return {}
        generator = torch.Generator().manual_seed(10_000)
        many = Settings(64, 0, self.own, self.spread, self.apart)
        one = torch.ones(1, IMAGES // 64, dtype=torch.float64)
        rows = many.draw(generator, IMAGES // 64)
        return {
            each.quantities[0].name: _mean(each.quantities[64:], one)
            - _mean(each.quantities[:64], one)
            for each in paired(self.metric, rows)
        }


def _mean(quantities: tuple, one: Tensor) -> float:
    values = [float(quantity.statistic(one)[0]) for quantity in quantities]
    return sum(values) / len(values)


def settings() -> Iterator[Settings]:
    """Equal ones, then unequal ones."""
    for own in (0.0, 0.2):
        for spread in (0.0, 0.15):
            for seeds in (2, 3, 5, 10):
                for images in (100, 500):
                    yield Settings(seeds, images, own, spread)
    for images in (100, 500):
        yield Settings(5, images, 0.2, 0.15, apart=0.3)


def told(settings: Settings, draws: int) -> dict[str, Calls]:
    """How often each metric is said to differ; beside ours a t-test over the seeds (Welch)."""
    from scipy.stats import ttest_ind

    generator = torch.Generator().manual_seed(settings.seeds * settings.images)
    calls: dict[str, Calls] = {}
    first, second = range(settings.seeds), range(settings.seeds, 2 * settings.seeds)
    one = torch.ones(1, settings.images, dtype=torch.float64)
    for _ in range(draws):
        rows = settings.draw(generator, settings.images)
        for each in paired(settings.metric, rows):
            name = each.quantities[0].name
            count, difference = calls.setdefault(name, Calls()), over_seeds(each, first, second)
            count.draws += 1
            count.ours += difference.p < LEVEL
            if difference.interval is not None:
                count.given += 1
                low, high = difference.interval
                count.held += low <= settings.truth.get(name, 0.0) <= high
            values = [float(quantity.statistic(one)[0]) for quantity in each.quantities]
            test = ttest_ind(values[: settings.seeds], values[settings.seeds :], equal_var=False)
            count.peers += 1
            count.peer += bool(test.pvalue < LEVEL)  # pyright: ignore[reportAttributeAccessIssue]
    return calls
