"""Two networks side by side: rows matched by name, what differs, totals and their ratios."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from torch import nn

from saccade.explain.anatomy import anatomy
from saccade.explain.side_by_side import QUANTITIES, SideBySide, merged


def small() -> nn.Sequential:
    rows: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(1, 4, 3),
        "relu": nn.ReLU(),
    }  # 6 x 6 x 4 units of 9 products
    rows |= {"flatten": nn.Flatten(), "fc": nn.Linear(144, 2)}
    return nn.Sequential(OrderedDict(rows))


def large() -> nn.Sequential:
    rows: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(1, 8, 3, bias=False),
        "bn1": nn.BatchNorm2d(8),
        "relu": nn.ReLU(),
    }
    rows |= {"flatten": nn.Flatten(), "fc": nn.Linear(288, 2)}
    return nn.Sequential(OrderedDict(rows))


@pytest.fixture
def pair() -> SideBySide:
    size = (1, 8, 8)
    return SideBySide(anatomy(small(), size, name="small"), anatomy(large(), size, name="large"))


def test_rows_are_matched_by_name_and_a_row_of_one_alone_stands_where_it_is(
    pair: SideBySide,
) -> None:
    assert [row.name for row in pair.rows] == ["conv1", "bn1", "relu", "flatten", "fc"]
    assert (pair.rows[1].first, pair.rows[0].second is None) == (None, False)


def test_what_differs_in_a_row_is_named(pair: SideBySide) -> None:
    differing = {row.name: row.differing for row in pair.rows}
    assert differing["conv1"] == ("output", "weights", "multiply-adds")
    assert differing["relu"] == ("output",)
    assert differing["bn1"] == QUANTITIES  # one network has no such row


def test_ratios_are_those_of_the_counts_by_hand(pair: SideBySide) -> None:
    weights = (4 * 9 + 4 + 144 * 2 + 2, 8 * 9 + 16 + 288 * 2 + 2)
    products = (36 * 4 * 9 + 144 * 2, 36 * 8 * 9 + 288 * 2)
    assert (pair.first.total.weights, pair.second.total.weights) == weights
    assert pair.ratios["weights"] == pytest.approx(weights[1] / weights[0])
    assert pair.ratios["multiply_adds"] == products[1] / products[0] == 2
    total, ratio = pair.lines()[-2:]
    assert total[3:5] == (f"{weights[0]} → {weights[1]}", f"{products[0]:,} → {products[1]:,}")
    assert ratio[3:5] == ("x 2.02", "x 2")


def test_equal_networks_have_no_difference_and_names_of_their_own(pair: SideBySide) -> None:
    same = SideBySide(pair.first, pair.first)
    assert not any(row.differing for row in same.rows)
    assert same.names == ("small (first)", "small (second)")
    assert "rows: 4 of 4 in both, 4 of them alike" in str(same)
    assert {ratio for ratio in same.ratios.values()} == {1.0}


def test_names_in_another_order_are_matched_all_the_same() -> None:
    a, b, c, x = (("a", 0), ("b", 0), ("c", 0), ("x", 0))
    assert merged([a, b, c], [c, x, a]) == [x, a, b, c]
    assert merged([], [a, b]) == merged([a, b], []) == [a, b]


def test_inputs_of_two_sizes_are_told(pair: SideBySide) -> None:
    grown = SideBySide(pair.first, anatomy(nn.Conv2d(1, 4, 3), (1, 9, 9)))
    assert any("1x8x8 and 1x9x9" in line and "--size" in line for line in grown.summary())


def test_json_has_both_rows_and_what_differs(pair: SideBySide) -> None:
    told = pair.to_dict()
    assert (told["first"]["name"], told["second"]["input"]) == ("small", [1, 8, 8])
    assert told["rows"][1]["first"] is None
    assert told["rows"][0]["second"]["weights"] == 72
    assert told["rows"][0]["differs"] == ["output", "weights", "multiply-adds"]
