from __future__ import annotations

import math

import pytest

from saccade.metrics.intervals import Interval, difference, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Statistics in Medicine 17, Table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(
    successes: int, n: int, low: float, high: float
) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_nothing_measured_says_nothing() -> None:
    assert wilson(0, 0) == (0, 1)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),  # Newcombe 1998b, Statistics in Medicine 17,
        ((9, 10), (3, 10), 0.1705, 0.8090),  # Table II, method 10
        ((10, 10), (0, 20), 0.6791, 1.0000),
    ],
)
def test_a_difference_of_two_proportions_has_the_published_interval(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    (a, m), (b, n) = first, second
    result = difference(a / m, wilson(a, m), b / n, wilson(b, n))
    assert result == pytest.approx((low, high), abs=6e-5)


def test_any_two_intervals_make_that_of_a_difference() -> None:
    """Each end lies the root of two squares of 1 away."""
    result = difference(5.0, Interval(4, 6), 2.0, Interval(1, 3))
    assert result == pytest.approx((3 - math.sqrt(2), 3 + math.sqrt(2)))
