"""Evolution strategy and random search: what they guess, and that they get down."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import torch
from torch import Tensor

from minimise.black_box import evolved, random_search
from minimise.first_order import stepwise
from minimise.objective import Objective, Rows


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_guess_is_the_gradient_on_average(rosenbrock: Objective, start: Tensor):
    """By hand: (-400 x (y - x^2) - 2 (1 - x), 200 (y - x^2)) is (-215.6, -88) at (-1.2, 1).

    One pair's guess (g e) e has variance g_i^2 + |g|^2, so the mean of 20,000 deviates by 2.3.
    """
    guess = evolved(rosenbrock, chance(), sigma=1e-4, pairs=20_000)(start, torch.tensor([0]))
    expected = torch.tensor([-215.6, -88.0], dtype=torch.float64)
    assert ((guess - expected).abs() < 4 * 2.3).all()


def test_a_guess_costs_two_passes_a_pair(rosenbrock: Objective, start: Tensor):
    evolved(rosenbrock, chance(), pairs=7)(start, torch.tensor([0]))
    assert rosenbrock.cost == 14


def test_for_a_linear_loss_any_width_of_the_noise_gives_the_same_guess():
    slope = torch.tensor([3.0, -1.0])

    def linear(w: Tensor, rows: Rows) -> Tensor:
        return w.dot(slope)

    objective = Objective(linear, lambda z, rows: z)
    w, rows = torch.zeros(2), torch.tensor([0])
    narrow, wide = (evolved(objective, chance(), sigma=s, pairs=50)(w, rows) for s in (0.1, 10))
    torch.testing.assert_close(narrow, wide)


def test_steps_along_the_guess_solve_least_squares(least_squares: Callable):
    objective, _, minimum = least_squares(2)
    gradient = evolved(objective, chance(), sigma=0.01, pairs=10)
    batches = (torch.tensor([0]) for _ in range(400))
    start = torch.zeros(2, dtype=torch.float64)
    *_, last = stepwise(gradient, start, batches, lr=0.05)
    torch.testing.assert_close(last, minimum, atol=1e-3, rtol=0)


def test_random_search_never_gets_worse(rosenbrock: Objective, start: Tensor):
    losses = [rosenbrock.loss(w) for w in islice(random_search(rosenbrock, start, chance()), 2000)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.01 < rosenbrock.loss(start)  # 24.2 at the start


def test_random_search_finds_the_minimum_of_least_squares(least_squares: Callable):
    objective, _, minimum = least_squares(4)
    walk = random_search(objective, torch.zeros(4, dtype=torch.float64), chance(), sigma=1.0)
    *_, last = islice(walk, 2000)
    torch.testing.assert_close(last, minimum, atol=1e-6, rtol=0)


def test_one_success_in_five_keeps_the_length_of_a_step():
    """On a slope without end half of all trials succeed, and steps grow; at a minimum they end."""
    down = Objective(lambda w, rows: w.sum(), lambda z, rows: z)
    walk = list(islice(random_search(down, torch.zeros(2), chance(), sigma=1.0), 40))
    assert down.loss(walk[-1]) < -1e3
    bowl = Objective(lambda w, rows: w, lambda z, rows: z.square().sum())
    at_rest = list(islice(random_search(bowl, torch.zeros(2), chance(), sigma=1.0), 40))
    assert torch.equal(at_rest[-1], torch.zeros(2))


def test_the_same_chance_gives_the_same_walk(rosenbrock: Objective, start: Tensor):
    one, other = (list(islice(random_search(rosenbrock, start, chance(3)), 20)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other))
