"""A heat map: shaded row by row, its cells lead to what they count."""

from __future__ import annotations

import re
from functools import partial

from saccade.report.figures import heat_map

drawn_of = partial(heat_map, title="t", row_axis="true", column_axis="predicted")


def test_a_cell_is_shaded_by_its_share_of_the_row() -> None:
    drawn = drawn_of([[3, 1], [0, 0]], ["a", "b"])
    assert re.findall(r"--share:([\d.]+)", drawn) == ["0.750", "0.250", "0.000", "0.000"]


def test_a_cell_leads_to_its_images_and_says_what_it_counts() -> None:
    drawn = drawn_of([[3, 1], [0, 2]], ["a", "b"], links={(0, 1): "#here", (1, 0): "#no"})
    assert '<a href="#here" aria-label="1 of a taken for b: images">1</a>' in drawn
    assert "#no" not in drawn  # an empty cell leads nowhere


def test_a_large_heat_map_has_a_cell_for_each_number_that_is_not_zero() -> None:
    counts = [[int(i == j) for j in range(31)] for i in range(31)]
    drawn = drawn_of(counts, [str(i) for i in range(31)])
    assert drawn.count("<rect") == 31
    assert "<title>30, 30: 1</title>" in drawn
