"""Forecast: what more images would give, by a power law of the errors of trainings on shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist, fmean

from saccade.metrics.metric import MetricValue
from saccade.studies.power_law import FEWEST, SIGNIFICANT, Measured, PowerLaw

TIMES = (2, 4)  # as many images; beyond four times nothing is said
STEPS = 400  # at which the interval of a number of images is looked for
HALF_WIDTH = NormalDist().inv_cdf(0.975)  # of a 95 % interval, in deviations


@dataclass(frozen=True)
class CurvePoint:
    """A training on a share of the training images."""

    share: float
    seed: int
    train: int  # images trained on
    metric: MetricValue  # the primary one, on the test images
    run: Path

    @property
    def error(self) -> float:
        """What the score lacks to 1, of n test images as (n error + 0.5) / (n + 1): never 0."""
        n = self.metric.n
        return (max(0.0, 1 - self.metric.value) * n + 0.5) / (n + 1)

    @property
    def test_variance(self) -> float:
        """The variance of the log error that comes from the test images being so many."""
        low, high = self.metric.interval or (0.0, 0.0)
        return ((high - low) / (2 * HALF_WIDTH) / self.error) ** 2


@dataclass(frozen=True)
class Forecast:
    """The mean score that a number of training images is expected to give, with its interval."""

    times: float  # as many images as there are
    images: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Needed:
    """How many training images a score would need; None: more than four times those there are."""

    target: float  # the score
    images: int | None
    low: int | None
    high: int | None


def shares_of(points: Sequence[CurvePoint]) -> tuple[float, ...]:
    """The shares of the training images, the smallest first."""
    return tuple(sorted({point.share for point in points}))


def at_share(points: Sequence[CurvePoint], share: float) -> tuple[CurvePoint, ...]:
    """The trainings at one share, a seed each."""
    return tuple(point for point in points if point.share == share)


def images_at(points: Sequence[CurvePoint], share: float) -> float:
    """The geometric mean of the number of training images at one share."""
    return math.exp(fmean(math.log(point.train) for point in at_share(points, share)))


def fitted_law(points: Sequence[CurvePoint], shared_test: bool) -> PowerLaw | None:
    """The fitted power law; None where there is nothing to fit it to.

    `shared_test` says whether all seeds were measured on the same images.
    """
    shares = shares_of(points)
    undefined = any(math.isnan(point.metric.value) for point in points)
    if undefined or len(shares) < 2 or len(at_share(points, shares[0])) < 2:
        return None
    if len({round(images_at(points, share)) for share in shares}) < len(shares):
        return None
    last = at_share(points, shares[-1])
    overlap = 0.0 if shared_test else fmean(p.metric.n / p.train for p in last)
    measured = tuple(
        Measured(
            images_at(points, share),
            tuple(point.error for point in at_share(points, share)),
            fmean(point.test_variance for point in at_share(points, share)),
        )
        for share in shares
    )
    return PowerLaw(measured, shared_test, overlap)


def reason_against(points: Sequence[CurvePoint], law: PowerLaw | None) -> str:
    """Why nothing can be said of more images; empty where it can."""
    shares = shares_of(points)
    if any(math.isnan(point.metric.value) for point in points):
        name = points[0].metric.name
        return f"the {name} of a training is undefined: more test images are needed"
    if len(at_share(points, shares[0])) < 2:
        return "one seed does not tell how far off it is: --seeds 3"
    if law is None:
        return "two shares have the same images: fewer --shares"
    if all(point.metric.value >= 1 for point in points):
        return "there is no error at any size: a larger or harder test set would show a curve"
    if (bend := law.curvature()) is None:
        return (
            f"too few points: {FEWEST} sizes at least tell a line from a curve, and there are "
            f"{len(shares)}"
        )
    if bend.p_value < SIGNIFICANT:
        how = "flattens" if bend.value > 0 else "falls faster and faster"
        return f"the curve {how} (p = {bend.p_value:.2g}): it is no power law to go on from"
    if law.c <= 0:
        low, high = (-end for end in law.slope().interval[::-1])
        told = (
            "more images of this kind do not help here"
            if high <= 0
            else "whether more images help cannot be told from these trainings"
        )
        return (
            f"no downward slope: {told} (errors go with n to the power {-law.c:.2f}, 95 % "
            f"interval {-high:.2f} to {-low:.2f}; below 0 more images help)"
        )
    return ""


def slope_is_noise(law: PowerLaw) -> bool:
    """Whether the fall of the errors may be noise."""
    return law.slope().p_value >= SIGNIFICANT


def forecasts_of(points: Sequence[CurvePoint], law: PowerLaw) -> tuple[Forecast, ...]:
    """The scores at two and four times the images."""
    there, share = images_at(points, shares_of(points)[-1]), points[0].metric.unit == "%"

    def score(error: float) -> float:
        return max(0.0, 1 - error) if share else 1 - error

    found = []
    for times in TIMES:
        images = times * there
        low, high = law.interval(images)
        ends = score(law.error(images)), score(high), score(low)
        found.append(Forecast(times, round(images), *ends))
    return tuple(found)


def needed_images(points: Sequence[CurvePoint], law: PowerLaw, target: float) -> Needed:
    """How many images the score `target` would need."""
    shares = shares_of(points)
    least, most = images_at(points, shares[0]), TIMES[-1] * images_at(points, shares[-1])
    sizes = [least * (most / least) ** (k / STEPS) for k in range(STEPS + 1)]
    intervals = [law.interval(size) for size in sizes]

    def first(found: list[bool]) -> int | None:
        return math.ceil(sizes[found.index(True)]) if any(found) else None

    return Needed(
        target,
        first([law.error(size) <= 1 - target for size in sizes]),
        first([low <= 1 - target for low, _ in intervals]),
        first([high <= 1 - target for _, high in intervals]),
    )
