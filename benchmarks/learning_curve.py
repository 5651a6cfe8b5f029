"""How often the intervals of a learning curve hold: power laws with the noise of tests and seeds.

    python benchmarks/learning_curve.py [--repeats 400]

Each line is a setting: test images of their own for each seed, or the same for all; how many; how
much the seeds differ.  The truth is the mean error with two and four times as many images.  "told"
is the share of curves of which something is said: no significant bend, and a fall.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np

from saccade.studies.power_law import SIGNIFICANT, Measured, PowerLaw

IMAGES = 1600
SHARES = (1 / 8, 1 / 4, 1 / 2, 1)
ALIKE = 0.7  # correlation of what makes a test image hard, over trainings
NORMAL = NormalDist()


def curve(
    generator: np.random.Generator,
    *,
    error: float,
    exponent: float,
    tests: int,
    noise: tuple[float, float],
    shared: bool,
    seeds: int = 3,
) -> PowerLaw:
    """A simulated curve whose mean error with all images is `error`.

    `noise` is the deviation of log errors: what a seed has in common, and that of each training.
    """
    bias = (noise[0] ** 2 + noise[1] ** 2) / 2  # of the mean of what is log-normal
    common = generator.normal(0, noise[0], seeds) if noise[0] else np.zeros(seeds)
    images = [generator.normal(size=tests) for _ in range(1 if shared else seeds)]
    points = []
    for share in SHARES:
        errors, variances = [], []
        for seed in range(seeds):
            own = generator.normal(0, noise[1]) if noise[1] else 0.0
            rate = min(0.99, error * share**-exponent * exp(common[seed] + own - bias))
            hard = sqrt(ALIKE) * images[seed % len(images)]
            hard = hard + sqrt(1 - ALIKE) * generator.normal(size=tests)
            wrong = int((hard > NORMAL.inv_cdf(1 - rate)).sum())
            found = (wrong + 0.5) / (tests + 1)
            errors.append(found)
            variances.append((1 - found) / (tests * found))
        points.append(Measured(IMAGES * share, tuple(errors), float(np.mean(variances))))
    return PowerLaw(tuple(points), shared_test=shared)


def coverage(
    repeats: int, *, error: float, exponent: float, seed: int = 0, **options: object
) -> tuple[float, float, float, float]:
    """The shares of intervals that hold at two and four times, their width, the share told."""
    generator = np.random.default_rng(seed)
    held, widths, told = np.zeros(2), [], 0
    for _ in range(repeats):
        law = curve(generator, error=error, exponent=exponent, **options)  # type: ignore[arg-type]
        bend = law.curvature()
        if (bend and bend.p_value < SIGNIFICANT) or law.c <= 0:
            continue
        told += 1
        ends = [law.interval(times * IMAGES) for times in (2, 4)]
        for k, (times, (low, high)) in enumerate(zip((2, 4), ends)):
            held[k] += low <= error * times**-exponent <= high
        widths.append(log(ends[-1][1] / ends[-1][0]) / 2)
    return held[0] / told, held[1] / told, float(np.median(widths)), told / repeats


def settings() -> Iterator[dict]:
    """The settings that are tried."""
    for shared in (False, True):
        for error, exponent in ((0.05, 0.35), (0.2, 0.35), (0.2, 0.1)):
            for tests in (100, 270, 2000):
                for noise in ((0.0, 0.0), (0.05, 0.1), (0.1, 0.2)):
                    yield {
                        "error": error,
                        "exponent": exponent,
                        "tests": tests,
                        "noise": noise,
                        "shared": shared,
                    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=400)
    repeats = parser.parse_args().repeats
    print("| test images | n | error | c | noise of seed, training | 2x | 4x | x/: at 4x | told |")
    print("|---|---|---|---|---|---|---|---|---|")
    for s in settings():
        twice, four, width, told = coverage(repeats, **s)
        kind = "the same" if s["shared"] else "own"
        print(
            f"| {kind} | {s['tests']:,} | {s['error']} | {s['exponent']} | "
            f"{s['noise'][0]}, {s['noise'][1]} | {100 * twice:.1f} % | {100 * four:.1f} % | "
            f"{exp(width):.2f} | {100 * told:.0f} % |"
        )


if __name__ == "__main__":
    main()
