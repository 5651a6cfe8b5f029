"""The power law of a learning curve: fits by hand, and intervals that hold as often as they say."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from math import exp, gamma, log, pi, sqrt
from pathlib import Path
from typing import Any

import pytest
from scipy.integrate import quad

from saccade.studies.power_law import Estimate, Measured, PowerLaw

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


def law(rows: Mapping[Any, tuple[float, ...]]) -> PowerLaw:
    return PowerLaw(tuple(Measured(n, errors) for n, errors in rows.items()))


def test_errors_that_halve_as_images_grow_fourfold_have_an_exponent_of_a_half() -> None:
    fit = law({100: (0.4, 0.4), 400: (0.2, 0.2), 1600: (0.1, 0.1)})
    assert fit.c == pytest.approx(0.5) and fit.b == pytest.approx(4.0)
    assert fit.error(6400) == pytest.approx(0.05)
    assert fit.interval(6400) == pytest.approx((0.05, 0.05))
    bend = fit.curvature()
    assert bend and bend.value == pytest.approx(0, abs=1e-9)


def test_the_line_and_its_error_are_those_of_a_calculation_by_hand() -> None:
    """Log errors -1, -2, -3 of seeds 0.1 above and below, at log images 0, 1, 2."""
    rows = {exp(x): (exp(-1 - x + 0.1), exp(-1 - x - 0.1)) for x in (0.0, 1.0, 2.0)}
    fit = law(rows)
    assert (fit.c, log(fit.b)) == pytest.approx((1.0, -1.0))
    # the seeds differ by a constant alone: 3 * (0.1^2 + 0.1^2) between them, nothing is left over;
    # of the line's height anywhere a seed counts 1/3 of that: 0.02, of a mean of two seeds 0.01
    estimate = fit.log_error(exp(3.0))
    assert (estimate.error, estimate.freedom) == pytest.approx((0.1, 1))
    assert estimate.interval == pytest.approx((-4 - 1.2706205, -4 + 1.2706205))
    assert fit.slope().error == pytest.approx(0, abs=1e-9)


def test_the_interaction_of_seeds_and_sizes_is_what_a_slope_is_uncertain_by() -> None:
    """Slopes of the two seeds -1 and -1.2: their mean has the error of two numbers 0.2 apart."""
    x = (-1.0, 0.0, 1.0)
    fit = law({exp(a): (exp(-a), exp(-1.2 * a)) for a in x})
    assert fit.c == pytest.approx(1.1)
    left = 2 * 2 * 0.1**2 / 2  # squares of +-0.1 x around -1.1 x, over (2-1)(3-1)
    assert fit.slope().error == pytest.approx(sqrt(left / 2 / 2))  # sum of x^2 is 2, two seeds
    assert fit.slope().freedom == pytest.approx(2)


def test_a_curve_that_flattens_bends_upwards_and_significantly() -> None:
    """A floor of 0.1 below the power law; the seeds differ by a hundredth."""
    rows = {n: tuple((0.1 + 4 * n**-0.5) * f for f in (0.99, 1.0, 1.012)) for n in (100, 400, 1600)}
    bend = law(rows).curvature()
    assert bend and bend.value > 0 and bend.p_value < 0.01
    assert law({100: (0.2, 0.2), 200: (0.1, 0.1)}).curvature() is None


def test_few_test_images_widen_an_interval_and_no_number_of_seeds_narrows_shared_ones() -> None:
    rows = {n: (4 * n**-0.5,) * 3 for n in (100.0, 400.0, 1600.0)}
    points = tuple(Measured(n, errors, test_variance=0.04) for n, errors in rows.items())
    own, shared = (PowerLaw(points, shared_test=shared) for shared in (False, True))
    weights = [1 / 3, 1 / 3, 1 / 3]  # of the sizes, at the middle one
    of_test = sum(w * w * 0.04 for w in weights)
    assert own.log_error(400).error == pytest.approx(sqrt(of_test / 3))
    assert shared.log_error(400).error == pytest.approx(sqrt(of_test / 3 + of_test))
    apart = PowerLaw(points, overlap=0.25)
    assert apart.log_error(400).error == pytest.approx(sqrt(of_test * (1 / 3 + 0.25)))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("noise", [(0.0, 0.0), (0.1, 0.1)])
def test_intervals_hold_as_often_as_they_say(shared: bool, noise: tuple[float, float]) -> None:
    from learning_curve import coverage

    options = {"exponent": 0.35, "tests": 270, "noise": noise, "shared": shared}
    twice, four, _, told = coverage(300, error=0.1, **options)
    assert min(twice, four) >= 0.93 and told > 0.8


def test_degrees_of_freedom_need_not_be_whole() -> None:
    """t of 95 %: 4.302653 with 2, 3.182446 with 3, and 3.683504 with 2.4 by integration."""
    constant = gamma(1.7) / gamma(1.2) / sqrt(2.4 * pi)
    below, _ = quad(lambda t: constant * (1 + t**2 / 2.4) ** -1.7, -3.683504, 3.683504)
    assert below == pytest.approx(0.95, abs=1e-6)
    assert Estimate(0.0, 1.0, 2.4).interval.high == pytest.approx(3.683504, abs=1e-5)
    assert Estimate(0.0, 1.0, 3.0).interval.high == pytest.approx(3.182446, abs=1e-5)
