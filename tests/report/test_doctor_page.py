"""The doctor's page and table: every finding, escaped, self-contained, within its size."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest

from saccade.data.doctor.doctor import Diagnosis, examine
from saccade.data.item import ImageArray, Item, Skipped
from saccade.data.sources.listing import Listing
from saccade.report import doctor_page as module
from saccade.report.doctor_page import bars, doctor_page, doctor_table
from saccade.report.images import Thumbnails


@pytest.fixture(scope="module")
def diagnosis() -> Diagnosis:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    flat = np.zeros((40, 50, 3), np.uint8)
    items = (
        Item("<b>a</b>.png", "a&b", ImageArray(image)),
        Item("copy.png", "<i>", ImageArray(image.copy())),
        *(Item(f"flat{n}.png", "a&b", ImageArray(flat + n)) for n in range(20)),
    )
    skipped = (Skipped("x.txt", "not an image (.txt)"),)
    return examine(Listing("<set>", ("<i>", "a&b"), {"all": items}, skipped))


def test_the_page_has_every_finding_with_its_images_and_paths(diagnosis):
    html = doctor_page(diagnosis, footer="made <today>")
    assert html.count("<article>") == len(diagnosis.findings) >= 4
    assert "<b>a" not in html and "&lt;b&gt;a&lt;/b&gt;.png" in html
    assert "<i>" not in html and "made &lt;today&gt;" in html
    flat = html[html.index("almost of one colour") :]
    flat = flat[: flat.index("</article>")]
    assert flat.count("<img") == module.SHOWN
    assert len(re.findall(r"flat\d+\.png", flat)) == module.SHOWN + 20


def test_the_page_asks_for_nothing_and_runs_nothing(diagnosis):
    html = doctor_page(diagnosis)
    assert "<script" not in html
    assert set(re.findall(r'src="([^,]*)', html)) == {"data:image/jpeg;base64"}


def test_images_stop_when_the_page_is_full(diagnosis, monkeypatch):
    monkeypatch.setattr(module, "Thumbnails", partial(Thumbnails, byte_budget=1))
    html = doctor_page(diagnosis)
    assert html.count("<img") == 1
    assert "flat19.png" in html


def test_the_table_names_the_first_paths_and_counts_the_rest(diagnosis):
    text = doctor_table(diagnosis)
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if "almost of one colour" in line)
    assert lines[at].startswith("warning   20 images are")
    assert [line.strip() for line in lines[at + 1 : at + 5]] == [
        "flat0.png",
        "flat1.png",
        "flat2.png",
        "and 17 more",
    ]
    assert "error     1 image is there under different labels." in text
    assert "<b>a</b>.png = copy.png" in text
    assert "\x1b" not in text


def test_bars_show_the_least_that_is_not_nothing():
    assert bars([0, 1, 50, 100]) == " ▁▄█"
    assert bars([]) == ""
