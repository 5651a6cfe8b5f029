"""Numbers as people read them."""

from __future__ import annotations

import pytest

from saccade.words import duration, html_table


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
