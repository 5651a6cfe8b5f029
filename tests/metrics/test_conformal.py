"""Prediction sets by hand, and how often they hold the true class."""

from __future__ import annotations

import pytest
import torch

from claims.laws import Groups, Law, classes, independent
from saccade.metrics.conformal import PredictionSets, least_images, prediction_sets

P = torch.tensor([[k / 10, 1 - k / 10] for k in range(1, 10)], dtype=torch.float64)
TRUE = torch.zeros(9, dtype=torch.int64)  # whose probabilities are 0.1 to 0.9


def test_the_limit_by_hand() -> None:
    """Of nine images and a fresh one eight must hold it: the eighth highest p is 0.2."""
    assert prediction_sets(P, TRUE, 0.8).limits == (pytest.approx(0.2),) * 2
    assert prediction_sets(P, TRUE, 0.9).limits == (pytest.approx(0.1),) * 2
    assert prediction_sets(P, TRUE, 0.91).limits == (0.0, 0.0)
    assert [least_images(level) for level in (0.5, 0.8, 0.9, 0.95)] == [1, 4, 9, 19]


def test_each_class_has_a_limit_of_its_own_if_asked() -> None:
    """Of class 1, p is 0.9 to 0.1 in turn: of images 0, 2, 4, 6 and 8 it is 0.9 to 0.1."""
    targets = torch.arange(9) % 2  # class 0: p of 0.1, 0.3, ... 0.9; class 1: 0.8, 0.6, 0.4, 0.2
    sets = prediction_sets(P, targets, 0.8, by_class=True)
    assert sets.limits == (pytest.approx(0.1), pytest.approx(0.2))
    assert prediction_sets(P, TRUE, 0.8, by_class=True).limits[1] == 0.0


def test_a_set_has_the_most_probable_class_and_those_above_their_limits() -> None:
    sets = PredictionSets(0.9, (0.95, 0.2, 0.2))
    members = sets.members(torch.tensor([[0.6, 0.3, 0.1], [0.3, 0.3, 0.4]]))
    assert members.tolist() == [[True, True, False], [False, True, True]]
    assert (
        PredictionSets.read({"level": 0.9, "limits": [0.95, 0.2, 0.2], "by_class": False}) == sets
    )


def test_of_groups_each_counts_alike() -> None:
    """Of three groups and a fresh one, 0.5 is reached by the two surest: one image, and five."""
    p = torch.tensor([[x, 1 - x] for x in (0.9, 0.8, 0.8, 0.8, 0.8, 0.7, 0.1)]).double()
    groups = torch.tensor([0, 1, 1, 1, 1, 1, 2])
    targets = torch.zeros(7, dtype=torch.int64)
    assert prediction_sets(p, targets, 0.5, groups=groups).limits[0] == pytest.approx(0.7)
    assert prediction_sets(p, targets, 0.45, groups=groups).limits[0] == pytest.approx(0.8)


@pytest.mark.parametrize("groups", [None, Groups(30, 10, 0.5)], ids=["images", "groups"])
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_hold_the_class_as_often_as_they_say(groups: Groups | None, by_class: bool) -> None:
    """On average over draws: 90 % at least, here to within three standard errors of 150 draws."""
    law: Law = classes(0.8, [0.5, 0.3, 0.2], images=100_000)
    generator, held = torch.Generator().manual_seed(0), []
    fresh, truth = law.draw(independent(20_000, generator))
    for _ in range(150):
        normal, index = groups.draw(generator) if groups else (independent(200, generator), None)
        probabilities, targets = law.draw(normal)
        sets = prediction_sets(probabilities, targets, 0.9, by_class=by_class, groups=index)
        members = sets.members(fresh).gather(1, truth[:, None])[:, 0]
        held.append([float(members[truth == k].double().mean()) for k in range(3)])
    mean, error = torch.tensor(held).mean(dim=0), torch.tensor(held).std(dim=0) / 150**0.5
    if by_class:
        assert (mean > 0.9 - 3 * error).all()
    else:
        assert float(mean @ torch.tensor([0.5, 0.3, 0.2])) > 0.9 - 3 * float(error.max())
