"""One self-contained HTML file out of sections; everything that is not markup is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from saccade.words import NO_BREAK, with_units

# the browser itself refuses any script and any request that leaves the file
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
TYPED = ("code", "kbd", "pre", "text", "title")  # elements that people copy, or that have one line
LISTED = 500  # rows of a folded list; --json and --csv have all
LONG = 8  # characters of a value, beyond which it is set smaller


class Html(str):
    """Markup that is finished: it goes into a page as it stands, all other text is escaped."""

    __slots__ = ()


@dataclass(frozen=True)
class Section:
    """A part of a page under a heading of its own."""

    title: str
    body: Html
    anchor: str = ""  # the title in lower case with hyphens when left empty

    @property
    def id(self) -> str:
        """The anchor, or the title, in lower case with hyphens."""
        text = "".join(c if c.isalnum() else " " for c in (self.anchor or self.title).lower())
        return "-".join(text.split()) or "section"


def element(tag: str, *children: object, **attributes: object) -> Html:
    """`<tag ...>children</tag>`; `class_` is `class`, `_` in a name `-`, None leaves one out."""
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = as_typed(children) if tag in TYPED else join(children)
    return Html(f"<{tag}{named}>{inner}</{tag}>")


def join(parts: Iterable[object]) -> Html:
    """The parts one after the other, text escaped, numbers and their units in one line."""
    return as_typed(p if isinstance(p, Html) else with_units(str(p)) for p in parts)


def as_typed(parts: Iterable[object]) -> Html:
    """The parts one after the other, text escaped and otherwise as it stands, to be copied."""
    return Html("".join(p if isinstance(p, Html) else escape(str(p)) for p in parts))


def page(title: str, sections: Sequence[Section], *, lead: str = "", footer: str = "") -> str:
    """The whole file: heading, `lead`, links to the sections, the sections, `footer`."""
    links = [element("a", section.title, href=f"#{section.id}") for section in sections]
    blocks = [
        element("section", element("h2", section.title), section.body, id=section.id)
        for section in sections
    ]
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    head = join(
        [
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="color-scheme" content="light dark">'),
            Html('<link rel="icon" href="data:,">'),
            element("title", title),
            Html(f"<style>\n{style}</style>"),
        ]
    )
    header = element(
        "header",
        element("h1", title),
        element("p", lead, class_="lead") if lead else "",
        element("nav", *links, aria_label="Sections") if len(links) > 1 else "",
    )
    foot = element("footer", footer) if footer else ""
    body = join([header, "\n", element("main", *blocks), "\n", foot])
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def facts(values: Mapping[str, object]) -> Html:
    """Key values, large: name -> value, or (value, what it means)."""
    cells = []
    for name, value in values.items():
        shown, note = value if isinstance(value, tuple) else (value, "")
        small = element("small", note) if note else ""
        kind = "long" if len(str(shown)) > LONG else None
        shown = element("dd", shown, small, class_=kind)
        cells.append(element("div", element("dt", name), shown))
    return element("dl", *cells, class_="facts")


def table(head: Sequence[object], rows: Iterable[Sequence[object]], caption: str = "") -> Html:
    """Rows under a head; the first column names its row, ints and floats stand to the right."""
    rows = [list(row) for row in rows]
    is_numeric = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows)
        for column in range(len(head))
    ]
    kinds = ["number" if numeric else None for numeric in is_numeric]
    titles = [element("th", name, scope="col", class_=kind) for name, kind in zip(head, kinds)]
    lines = [
        element(
            "tr",
            element("th", row[0], scope="row", class_=kinds[0]),
            *(element("td", cell, class_=kind) for cell, kind in zip(row[1:], kinds[1:])),
        )
        for row in rows
    ]
    title = element("caption", caption) if caption else ""
    inner = [title, element("thead", element("tr", *titles)), element("tbody", *lines)]
    return element("div", element("table", *inner), class_="scroll", tabindex="0", role="group")


def unbroken(words: object) -> str:
    """Text that no line ends in, such as a value with its interval."""
    return str(words).replace(" ", NO_BREAK).replace("–", "\u2060–\u2060")


def sentence(text: str) -> str:
    """Text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def figure(content: Html, caption: object = "") -> Html:
    """A chart or an image with its caption below."""
    return element("figure", content, element("figcaption", caption) if caption else "")


def columns(*figures: Html) -> Html:
    """Charts side by side where the window is wide enough."""
    return element("div", *figures, class_="columns")


def image(encoded: bytes, alt: str, caption: object = "") -> Html:
    """A PNG or JPEG file inside the page, with its text alternative and a caption."""
    kind = "png" if encoded.startswith(b"\x89PNG") else "jpeg"
    source = f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"
    return figure(Html(f'<img src="{source}" alt="{escape(alt)}">'), caption)


def image_grid(cells: Iterable[Html], *, together: bool = False) -> Html:
    """Small images in a grid; `together` marks them as one group."""
    return element("div", *cells, class_="together" if together else "images")


def folded(summary: str, *content: object) -> Html:
    """Content that opens on a click, below its summary."""
    return element("details", element("summary", summary), *content)


def folded_list(count: int, noun: str, listed: Html) -> Html:
    """The first `LISTED` of `count` things, under a summary that says so."""
    more = f", the first {LISTED} of them" if count > LISTED else ""
    return folded(f"all {count:,} {noun}{more}", listed)


def path_list(names: Sequence[str], remarks: Mapping[str, str]) -> Html:
    """The first `LISTED` of these paths, with the remarks that there are, a line each."""
    lines = []
    for name in names[:LISTED]:
        note = element("span", f" – {remarks[name]}", class_="quiet") if remarks.get(name) else ""
        lines.append(element("li", element("span", name, class_="path"), note))
    return element("ul", *lines, class_="paths")
