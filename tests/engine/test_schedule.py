from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch.optim import lr_scheduler

from saccade.engine.schedule import (
    CYCLES,
    SCHEDULES,
    ReduceOnPlateau,
    Schedule,
    cosine,
    exponential,
    make_schedule,
    one_cycle,
    polynomial,
    triangular,
    with_warmup,
)

TOTAL = 40  # steps


def pytorchs(make) -> list[float]:
    """The rates of a scheduler of PyTorch, from a full rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
    scheduler, rates = make(optimizer), []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's, of its own making
            scheduler.step()
    return rates


def ours(schedule: Schedule, total: int = TOTAL) -> list[float]:
    return [schedule(step / total) for step in range(TOTAL)]


def test_cosine_is_pytorchs() -> None:
    expected = pytorchs(lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL))
    assert ours(cosine()) == pytest.approx(expected, abs=1e-9)


def test_polynomial_is_pytorchs() -> None:
    expected = pytorchs(lambda o: lr_scheduler.PolynomialLR(o, TOTAL, power=3))
    assert ours(polynomial(3)) == pytest.approx(expected, abs=1e-9)


def test_one_cycle_is_pytorchs() -> None:
    # PyTorch's peak lies at step 0.25 n - 1 and its end at step n - 1: as ours with n - 1 for n
    rise = (0.25 * TOTAL - 1) / (TOTAL - 1)
    expected = pytorchs(lambda o: lr_scheduler.OneCycleLR(o, 1.0, TOTAL, pct_start=0.25))
    assert ours(one_cycle(rise), TOTAL - 1) == pytest.approx(expected, abs=1e-9)


def test_triangular_is_pytorchs() -> None:
    expected = pytorchs(lambda o: lr_scheduler.CyclicLR(o, 0.25, 1.0, step_size_up=TOTAL // 8))
    assert ours(triangular(cycles=4)) == pytest.approx(expected, abs=1e-9)


def test_a_rising_rate_is_multiplied_alike_at_every_step() -> None:
    assert [exponential(1e-3, 10)(x) for x in (0, 0.25, 0.5, 1)] == pytest.approx(
        [1e-3, 1e-2, 0.1, 10]
    )


@pytest.mark.parametrize("name", [*SCHEDULES, *CYCLES])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_every_schedule_stays_between_zero_and_the_full_rate(name: str, warmup: float) -> None:
    schedule = make_schedule(name, warmup)
    factors = [schedule(step / 1000) for step in range(1001)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert max(factors) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("name", [*SCHEDULES, *CYCLES])
def test_a_warm_up_joins_its_schedule_without_a_jump(name: str) -> None:
    schedule = make_schedule(name, 0.2)
    assert schedule(0.2 - 1e-9) == pytest.approx(schedule(0.2), abs=1e-6)


def test_a_warm_up_leads_to_where_its_schedule_begins() -> None:
    warmed = with_warmup(triangular(cycles=1, low=0.4), 0.5, step=0.05)
    assert [warmed(x) for x in (0, 0.2, 0.45, 0.5, 0.75, 1)] == pytest.approx(
        [0.04, 0.2, 0.4, 0.4, 1, 0.4]
    )


def test_the_first_step_of_a_warm_up_has_a_rate() -> None:
    """As many steps move the weights as there are: of four in the warmup 1/4, 2/4, 3/4, 1."""
    warmed = make_schedule("constant", 0.1, 1 / TOTAL)
    assert ours(warmed)[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    assert make_schedule("cosine", 0.1, 1.0)(0.0) == 1  # a training of one step
    assert with_warmup(cosine(), 0.1)(0.0) == pytest.approx(0.01)  # by the clock


def test_a_plateau_drops_where_pytorchs_does() -> None:
    errors = [0.9, 0.5, 0.5, 0.6, 0.55, 0.4, 0.4, 0.41, 0.39, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, threshold=0)
    plateau = ReduceOnPlateau(patience=2)
    for error in errors:
        plateau.observe(error)
        scheduler.step(error)
        assert plateau.factor == pytest.approx(optimizer.param_groups[0]["lr"])
    assert plateau.factor == pytest.approx(1e-3)


def test_a_plateau_without_end_to_its_patience_never_drops() -> None:
    plateau = ReduceOnPlateau()
    for _ in range(100):
        plateau.observe(1.0)
    assert plateau.factor == 1.0
    assert math.isfinite(plateau.best)


def test_a_plateau_goes_on_from_its_state() -> None:
    first, second = ReduceOnPlateau(patience=1), ReduceOnPlateau(patience=1)
    for error in (1.0, 0.5, 0.7):
        first.observe(error)
    second.load_state_dict(first.state_dict())
    for error in (0.5, 0.4, 0.4, 0.4):
        first.observe(error)
        second.observe(error)
        assert first.factor == second.factor
    assert first.factor == pytest.approx(0.01)
