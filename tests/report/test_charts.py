"""Charts keep their numbers: positions by hand, and words for those who cannot see them."""

from __future__ import annotations

import re

import pytest

from saccade.report.charts import Line, bar_list, histogram, line_chart, short, ticks


def test_a_bar_is_as_long_as_its_share_of_the_longest():
    drawn = bar_list({"cat": 50, "dog": 200}, title="Labels")
    assert re.findall(r'class="bar" width="([\d.]+)%"', drawn) == ["25.00", "100.00"]
    assert ">50<" in drawn and ">200<" in drawn


def test_a_histogram_says_its_numbers_in_words():
    drawn = histogram([0, 10, 20], [1, 4], title="Width", x="pixels")
    assert "0 to 10: 1; 10 to 20: 4" in drawn
    assert re.findall(r'y="([\d.]+)%" height="([\d.]+)%"', drawn) == [
        ("75.00", "25.00"),
        ("0.00", "100.00"),
    ]


def test_a_line_runs_from_corner_to_corner_when_its_numbers_do():
    drawn = line_chart([Line("a", [0, 1], [0, 1])], title="t", x="x", y="y", y_range=(0, 1))
    assert 'points="0.00,100.00 100.00,0.00"' in drawn
    assert "a: from 0 to 1, lowest 0, highest 1." in drawn


def test_numbers_that_are_not_finite_are_left_out_of_a_line():
    nan = float("nan")
    drawn = line_chart([Line("a", [0, 1, 2], [0, nan, 1])], title="t", x="x", y="y")
    assert "nan" not in drawn
    assert "nothing to draw" in line_chart([Line("a", [0], [nan])], title="t", x="x", y="y")


def test_lines_differ_by_more_than_colour():
    lines = [Line(str(i), [0, 1], [i, i + 1]) for i in range(4)]
    drawn = line_chart(lines, title="t", x="x", y="y")
    assert [f"line s{i}" in drawn for i in (1, 2, 3, 4)] == [True] * 4
    assert drawn.count("<li>") == 4


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0.61, 0.98, [0.6, 0.7, 0.8, 0.9, 1]),
        (-3, 12, [-5, 0, 5, 10, 15]),
    ],
)
def test_ticks_are_round_and_enclose_the_range(low, high, expected):
    assert ticks(low, high) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [(1204, "1,204"), (0.25, "0.25"), (3.14159e-5, "3.14e-05"), (2.0, "2"), (12345.6, "12,346")],
)
def test_a_number_is_short(value, words):
    assert short(value) == words


def test_a_line_that_is_flat_but_for_rounding_is_drawn() -> None:
    flat = Line("flat", [0.0, 1.0, 2.0], [0.1 + 0.2, 0.3, 0.3])
    assert "polyline" in line_chart([flat], title="Flat", x="x", y="y")


def test_a_line_of_one_point_is_a_dot_with_axes_that_fit() -> None:
    """All right after one epoch: no 120 % of anything, and no epoch 1.2."""
    drawn = line_chart([Line("a", [1], [1.0])], title="t", x="epoch", y="y", percent=True)
    assert 'class="line single s1"' in str(drawn)
    shown = re.findall(r">([^<>]+)</text>", str(drawn))
    assert "100 %" in shown and "1" in shown
    assert not {text for text in shown if text.endswith("%") and float(text[:-2]) > 100}
    assert not {text for text in shown if re.fullmatch(r"\d\.\d+", text)}


@pytest.mark.parametrize("epochs", [2, 5, 6, 12, 40, 300])
def test_every_number_of_whole_epochs_has_an_axis_of_whole_numbers(epochs: int) -> None:
    line = Line("a", [*range(1, epochs + 1)], [0.5] * epochs)
    drawn = line_chart([line], title="t", x="epoch", y="y", percent=True)
    shown = re.findall(r">([^<>]+)</text>", str(drawn))
    assert not {text for text in shown if re.fullmatch(r"\d+\.\d+", text)}
