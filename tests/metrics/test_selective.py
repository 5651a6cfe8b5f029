from __future__ import annotations

from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from saccade.metrics.intervals import wilson
from saccade.metrics.ranking import risk_coverage, threshold_for_coverage, threshold_for_precision

CONFIDENCES = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5], dtype=torch.float64)
RIGHT = torch.tensor([True, True, False, True, False])


def test_the_threshold_of_a_wished_precision_answers_as_much_as_it_can() -> None:
    result = threshold_for_precision(CONFIDENCES, RIGHT, 0.75)  # 2 of 2, 2 of 3, 3 of 4, 3 of 5
    assert result is not None
    assert (result.coverage, result.precision) == (0.8, 0.75)
    assert result.value == pytest.approx(0.55)
    assert result.precision_interval == wilson(3, 4)
    assert result.coverage_interval == wilson(4, 5)
    sure = threshold_for_precision(CONFIDENCES, RIGHT, 1.0)
    assert sure is not None
    assert (sure.value, sure.coverage) == (pytest.approx(0.75), 0.4)


def test_a_precision_that_no_threshold_reaches_has_none() -> None:
    assert threshold_for_precision(CONFIDENCES, ~RIGHT, 0.5) is None
    assert threshold_for_precision(torch.empty(0), torch.empty(0).bool(), 0.5) is None


def test_the_threshold_of_a_wished_coverage_is_the_highest_that_gives_it() -> None:
    result = threshold_for_coverage(CONFIDENCES, RIGHT, 0.5)
    assert result is not None
    assert (result.value, result.coverage, result.precision) == (
        pytest.approx(0.65),
        0.6,
        pytest.approx(2 / 3),
    )
    everything = threshold_for_coverage(CONFIDENCES, RIGHT, 1.0)
    assert everything is not None
    assert everything.value == 0


def test_equally_sure_images_are_answered_together() -> None:
    tied = torch.tensor([0.9, 0.9, 0.4])
    result = threshold_for_precision(tied, torch.tensor([True, False, True]), 0.6)
    assert result is not None
    assert result.coverage == 1


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40))
def test_a_threshold_gives_on_its_images_what_it_says(images) -> None:
    confidences = torch.tensor([c / 20 for c, _ in images])
    right = torch.tensor([r for _, r in images])
    for result in (
        threshold_for_precision(confidences, right, 0.7),
        threshold_for_coverage(confidences, right, 0.7),
    ):
        if result is not None:
            answered = confidences.double() >= result.value
            assert float(answered.double().mean()) == pytest.approx(result.coverage)
            assert float(right[answered].double().mean()) == pytest.approx(result.precision)


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
