"""Orders: exact, seeded, and the same on every machine."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from saccade.data.loader import balanced, class_weights, sequential, shuffled
from saccade.errors import DataError, RecipeError


def test_in_order_counts_from_zero_in_every_epoch():
    order = sequential(5)
    assert order(0).tolist() == order(7).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("n", [0, 1, 2, 97, 1000])
def test_a_shuffled_epoch_shows_every_image_once(n: int):
    assert sorted(shuffled(n, seed=3)(5).tolist()) == list(range(n))


def test_a_shuffle_depends_on_seed_and_epoch_and_on_nothing_else():
    order = shuffled(1000, seed=3)
    later = order(5)
    assert torch.equal(later, shuffled(1000, seed=3)(5))
    assert not torch.equal(later, order(6))
    assert not torch.equal(later, shuffled(1000, seed=4)(5))


def test_a_shuffle_is_the_sorting_of_pcg64_numbers():
    seeds = np.random.SeedSequence([3, 5])
    numbers = np.random.Generator(np.random.PCG64(seeds)).bit_generator.random_raw(100)
    assert shuffled(100, seed=3)(5).tolist() == sorted(range(100), key=lambda k: numbers[k])


def test_every_place_is_equally_likely_after_a_shuffle():
    first = [int(shuffled(4, seed)(0)[0]) for seed in range(2000)]
    counts = np.bincount(first, minlength=4)
    assert ((counts - 500) ** 2 / 500).sum() < 16.3  # chi-squared, 3 degrees, 0.1 %


def test_a_balanced_epoch_has_as_many_images_of_each_class():
    targets = torch.tensor([0] * 90 + [1] * 9 + [2] * 1)
    drawn = balanced(targets, seed=0)(0)
    assert targets[drawn].bincount().tolist() == [34, 33, 33]


def test_a_balanced_order_repeats_an_image_only_after_all_of_its_class():
    targets = torch.tensor([0] * 10 + [1] * 3)
    order = balanced(targets, seed=0)
    seen = torch.cat([order(epoch) for epoch in range(10)])  # 7 of class 0, 6 of class 1, an epoch
    counts = seen.bincount()
    assert counts[:10].tolist() == [7] * 10
    assert counts[10:].tolist() == [20] * 3


def test_a_balanced_order_is_repeatable_from_any_epoch():
    targets = torch.tensor([0, 1, 0, 2, 0, 0])
    assert torch.equal(balanced(targets, seed=1)(4), balanced(targets, seed=1)(4))
    assert not torch.equal(balanced(targets, seed=1)(4), balanced(targets, seed=2)(4))


def test_balancing_several_labels_is_refused():
    with pytest.raises(DataError, match="one class for each image"):
        balanced(torch.zeros(4, 3), seed=0)


def test_automatic_weights_are_those_of_scikit_learn():
    targets = np.array([0] * 90 + [1] * 9 + [2] * 1)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    assert class_weights([90, 9, 1], "auto", "abc").numpy() == pytest.approx(expected)


def test_automatic_weights_of_a_class_without_images_are_zero():
    assert class_weights([2, 0, 2], "auto", "abc").tolist() == [1, 0, 1]


def test_weights_are_given_by_name():
    assert class_weights([5, 5], "none", ("ant", "bee")).tolist() == [1, 1]
    assert class_weights([5, 5], {"bee": 2.5}, ("ant", "bee")).tolist() == [1, 2.5]
    with pytest.raises(RecipeError, match="no class is called 'wasp'"):
        class_weights([5, 5], {"wasp": 1}, ("ant", "bee"))
    with pytest.raises(RecipeError, match="weight of class 'bee' is -1"):
        class_weights([5, 5], {"bee": -1}, ("ant", "bee"))
    with pytest.raises(RecipeError, match="no rule for class weights"):
        class_weights([5, 5], "inverse", ("ant", "bee"))
