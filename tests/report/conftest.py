"""Runs to be reported, and what every page has to hold to."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from saccade.api import train
from saccade.runs.run import Run


class Read(HTMLParser):
    """Every element with its attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, name: str) -> list[str]:
        return [a[name] or "" for _, a in self.tags if name in a]

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag]


@pytest.fixture(scope="session", params=["labels", "value"])
def other_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short training on labels, or on numbers: of squares, how bright and whether so."""
    folder = tmp_path_factory.mktemp(request.param)
    chance, lines = np.random.default_rng(0), [f"path,{request.param}"]
    for k in range(60):
        red, blue = chance.integers(0, 256, 2).tolist()
        Image.new("RGB", (8, 8), (red, 0, blue)).save(folder / f"{k}.png")
        labels = [name for name, value in (("red", red), ("blue", blue)) if value > 128]
        lines.append(f"{k}.png,{'|'.join(labels) if request.param == 'labels' else red / 10}")
    (folder / "set.csv").write_text("\n".join(lines), encoding="utf-8")
    return train(folder / "set.csv", epochs=2, out=folder / "run")


def check_page(page: str) -> None:
    """What holds for every report: nothing from outside, and readable without eyes."""
    read = Read(page)
    tags = [tag for tag, _ in read.tags]
    assert "script" not in tags
    assert all(link.startswith(("#", "data:")) for link in read.all("src") + read.all("href"))
    assert not re.findall(r"url\((?!data:)|@import", page)
    assert len(page.encode()) < 3_000_000
    ids = read.all("id")
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in read.all("href") if link.startswith("#")} <= set(ids)
    assert read.of("html")[0]["lang"] == "en"
    assert all(image["alt"] for image in read.of("img"))
    assert all(head.get("scope") in ("row", "col") for head in read.of("th"))
    for landmark in ("header", "nav", "main", "footer"):
        assert tags.count(landmark) == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    drawn = [s for s in read.of("svg") if s.get("role") == "img"]
    assert all(s.get("aria-label") for s in drawn)


@pytest.fixture(name="check_page", scope="session")
def page_check() -> Callable[[str], None]:
    """The check of a whole page, for any test here."""
    return check_page
