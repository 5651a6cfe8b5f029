"""One self-contained page: escaped, without scripts, without requests."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from saccade.report.page import Html, Section, element, facts, folded, image, join, page, table

EMPTY = {"meta", "link", "img"}


class Balance(HTMLParser):
    """Checks that every opened element is closed in order, and keeps texts and attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_text_is_escaped_wherever_it_enters():
    evil = '<script>alert("x")</script>&'
    body = join(
        [
            element("p", evil, title=evil),
            facts({evil: (evil, evil)}),
            table([evil, "n"], [[evil, 1]], caption=evil),
            image(b"\x89PNG", evil, evil),
            folded(evil, evil),
        ]
    )
    html = page(evil, [Section(evil, body)], lead=evil, footer=evil)
    assert "<script" not in html
    read = Balance(html)
    assert read.texts.count(evil) >= 12
    assert {a["alt"] for tag, a in read.tags if tag == "img"} == {evil}


def test_finished_markup_goes_in_as_it_stands():
    assert element("p", Html("<b>x</b>"), " < ") == "<p><b>x</b> &lt; </p>"


def test_a_page_asks_for_nothing_outside_the_file():
    html = page("t", [Section("a", element("p", "x")), Section("b", image(b"\xff\xd8", "y"))])
    read = Balance(html)
    outside = re.compile(r"(https?:)?//")
    for _, attributes in read.tags:
        for name, value in attributes.items():
            if name in {"src", "href", "data", "style"} and value:
                assert not outside.match(value), value
    assert "@import" not in html and "url(" not in html
    assert "default-src 'none'" in html


def test_the_links_at_the_top_lead_to_the_sections():
    html = page("t", [Section("Label counts", Html("")), Section("Sizes & more", Html(""))])
    read = Balance(html)
    targets = [a["href"] for tag, a in read.tags if tag == "a"]
    ids = ["#" + (a["id"] or "") for tag, a in read.tags if tag == "section"]
    assert targets == ids == ["#label-counts", "#sizes-more"]


def test_numbers_stand_to_the_right_and_words_to_the_left():
    cells = Balance(table(["name", "n"], [["a", 1], ["b", 2.5]])).tags
    assert [a.get("class") for tag, a in cells if tag == "td"] == ["number", "number"]
    assert all(a.get("class") is None for tag, a in cells if a.get("scope") == "row")
