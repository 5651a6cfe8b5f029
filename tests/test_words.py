"""Numbers as people read them."""

from __future__ import annotations

import json
from math import inf, nan

import pytest

from saccade.metrics.intervals import Interval
from saccade.words import defined, duration, fitted, html_table, number, percent, with_units


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0853, "85 ms"),
        (0.9999, "1.0 s"),
        (3.24, "3.2 s"),
        (9.96, "10 s"),
        (89.4, "89 s"),
        (89.6, "1 min 30 s"),
        (185, "3 min 05 s"),
        (3599.6, "1 h 00 min"),
        (7800, "2 h 10 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_a_duration_is_said_one_way(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_every_cell_of_an_html_table_is_escaped() -> None:
    page = html_table(("a", "<b>"), [("1 < 2", "x & y")])
    assert "<th>&lt;b&gt;</th>" in page
    assert "<td>1 &lt; 2</td><td>x &amp; y</td>" in page


def test_what_is_not_a_number_is_none_wherever_it_stands_and_all_else_as_it_was() -> None:
    told = {"a": nan, "b": (1, nan, [0.5, {"c": nan}]), "d": Interval(nan, 1.0), "e": "nan"}
    plain = {"a": None, "b": [1, None, [0.5, {"c": None}]], "d": [None, 1.0], "e": "nan"}
    assert defined(told) == plain == json.loads(json.dumps(defined(told), allow_nan=False))
    assert (defined(True), defined(None), defined(inf)) == (True, None, None)


def test_no_zero_has_a_minus_sign() -> None:
    assert (number(-0.0), percent(-0.0001), percent(-0.001)) == ("0.000", "0.0 %", "-0.1 %")


def test_what_is_no_number_is_called_undefined() -> None:
    assert number(nan) == "undefined"


def test_a_line_is_broken_between_words_and_indented_to_its_second_column() -> None:
    text = "small    for images of a few dozen pixels\nphotos   for photographs"
    assert fitted(text, 24).splitlines() == [
        "small    for images of a",
        "         few dozen",
        "         pixels",
        "photos   for photographs",
    ]


def test_a_command_at_the_end_of_a_line_is_not_broken() -> None:
    hint = "hint: go on with: saccade resume runs/a-long-name"
    assert fitted(hint, 30).splitlines() == [
        "hint: go on with:",
        "saccade resume runs/a-long-name",
    ]
    assert fitted(hint, 80) == hint


def test_what_has_no_space_stays_whole() -> None:
    assert fitted("see /a/very/long/path/without/any/space", 12).splitlines() == [
        "see",
        "/a/very/long/path/without/any/space",
    ]


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    text = "accuracy 98.7 % (96.8–99.5, n = 270) in 33 ms, 5 more and 4 are left"
    told = with_units(text)
    assert [part.replace("\u00a0", " ") for part in told.split(" ") if "\u00a0" in part] == [
        "98.7 %",
        "n = 270)",
        "33 ms,",
    ]
    assert told.replace("\u00a0", " ") == text
    for width in range(12, 60):
        lines = fitted(text, width).splitlines()
        assert " ".join(line.strip() for line in lines) == text
        assert not any(line.endswith(("98.7", " n", "n =", "33")) for line in lines)
