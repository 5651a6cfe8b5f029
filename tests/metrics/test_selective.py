from __future__ import annotations

from itertools import permutations

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from claims.laws import Law, classes, independent
from saccade.metrics.selective import LEVEL, Cuts, least_answers, risk_coverage, threshold_at, worth

CONFIDENCES = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5], dtype=torch.float64)
RIGHT = torch.tensor([True, True, False, True, False])


def falling(n: int, wrong: tuple[int, ...] = ()) -> Cuts:
    """Images whose confidence falls, of which those at these places are wrong."""
    right = torch.ones(n).bool()
    right[list(wrong)] = False
    return Cuts.of(1 - torch.arange(n) / (2 * n), right)


def test_cuts_lie_midway_and_equally_sure_images_are_answered_together() -> None:
    cuts = Cuts.of(torch.tensor([0.9, 0.9, 0.4]), torch.tensor([True, False, True]))
    assert cuts.values.tolist() == pytest.approx([0.65, 0])
    assert (cuts.answered.tolist(), cuts.correct.tolist()) == ([2, 3], [1, 2])


def test_a_threshold_on_other_images_by_hand() -> None:
    result = threshold_at(0.65, CONFIDENCES, RIGHT)
    assert (result.coverage, result.precision) == (0.6, pytest.approx(2 / 3))
    assert result.cost(0.1) == pytest.approx(0.2 + 0.04)


def test_how_many_images_show_a_precision() -> None:
    """0.95^59 is below 5 %, 0.95^58 is not."""
    assert 58 < least_answers(0.95) < 59
    assert falling(59).for_precision(0.95) == 0
    assert falling(58).for_precision(0.95) is None


@given(st.integers(1, 120), st.integers(0, 20), st.sampled_from([0.5, 0.8, 0.95]))
def test_a_share_of_right_answers_is_tested_as_by_scipy(n: int, wrong: int, target: float) -> None:
    cuts = Cuts.of(torch.full((n,), 0.5), torch.arange(n) >= wrong)
    right = max(0, n - wrong)
    p = scipy.stats.binomtest(right, n, target, alternative="greater").pvalue
    assert (cuts.for_recall(target) == 0) == (p <= LEVEL)


def test_a_mistake_among_the_surest_does_not_end_the_search() -> None:
    """With the tenth wrong, 59 answers show nothing, twice as many do, and all 400."""
    assert falling(400, (9,)).for_precision(0.95) == 0


def test_the_threshold_of_a_wished_coverage_is_the_highest_that_surely_gives_it() -> None:
    """Of 100 images 95 must lie above it: P(Bin(100, 0.9) >= 95) = 5.8 %, 96 it takes: 2.4 %."""
    value = falling(100).for_coverage(0.9)
    assert value == pytest.approx(1 - 95.5 / 200)
    assert falling(20).for_coverage(0.9) == 0


def test_groups_are_worth_less_than_their_images() -> None:
    right = torch.arange(80) % 4 > 0
    assert worth(right, None) == 1
    alike = worth(torch.arange(80) // 4 % 4 > 0, torch.arange(80) // 4)
    t = scipy.stats.t.ppf(0.975, 19) / scipy.stats.norm.ppf(0.975)
    assert alike == pytest.approx(1 / 4 / t**2)


@pytest.mark.parametrize("target", [0.9, 0.95])
def test_thresholds_keep_their_word_on_fresh_images(target: float) -> None:
    """Of 200 draws 5 % may miss: 20 at most, but for one case in a thousand."""
    law: Law = classes(0.85, [0.25] * 4, images=100_000)
    generator, missed, told = torch.Generator().manual_seed(0), 0, 0
    fresh, truth = law.draw(independent(100_000, generator))
    sure, right = fresh.amax(dim=1), fresh.argmax(dim=1) == truth
    for _ in range(200):
        p, t = law.draw(independent(300, generator))
        value = Cuts.of(p.amax(dim=1), p.argmax(dim=1) == t).for_precision(target)
        if value is not None:
            told += 1
            missed += float(right[sure >= value].double().mean()) < target
    assert told > 100 and missed <= 20


def test_risk_over_coverage_by_hand() -> None:
    result = risk_coverage(CONFIDENCES, RIGHT)
    assert result.coverage.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert result.risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4, 2 / 5])


def test_equally_sure_images_have_the_mean_risk_of_all_their_orders() -> None:
    right = [True, False, False, True]
    risks = []
    for order in permutations(right):
        wrong = torch.tensor([not r for r in order]).double().cumsum(0)
        risks.append(wrong / torch.arange(1, 5))
    expected = torch.stack(risks).mean(dim=0)
    torch.testing.assert_close(risk_coverage(torch.ones(4), torch.tensor(right)).risk, expected)
