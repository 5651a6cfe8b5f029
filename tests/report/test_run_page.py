from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.cache import Held
from saccade.metrics.interval import wilson
from saccade.report.run_page import most_confused, run_page, verdict
from saccade.results import Evaluation, percent
from saccade.runs import Run


class Links(HTMLParser):
    """What a page would load or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def evaluation(confusion: list[list[int]]) -> Evaluation:
    n, right = sum(map(sum, confusion)), sum(row[k] for k, row in enumerate(confusion))
    classes = tuple("abcdef"[: len(confusion)])
    rows = tuple(map(tuple, confusion))
    interval = wilson(right, n)
    return Evaluation("test", n, right / n, interval, None, 0.1, 0.5, classes, rows)


def test_the_report_asks_nothing_of_the_network(trained: Run) -> None:
    links = Links()
    text = (trained.path / "report.html").read_text(encoding="utf-8")
    links.feed(text)
    assert "script" not in links.tags
    assert all(link.startswith(("#", "data:")) for link in links.found)
    assert not re.findall(r"url\((?!data:)|@import", text)
    assert len(text) < 3_000_000


def test_the_report_holds_the_numbers_settings_and_command(trained: Run) -> None:
    text = (trained.path / "report.html").read_text(encoding="utf-8")
    low, high = trained.test.accuracy_interval
    assert percent(trained.test.accuracy) in text
    assert f"{100 * low:.1f}–{100 * high:.1f}, n = {trained.test.n}" in text
    assert "saccade train --with train.epochs=4" in text
    for name in trained.recipe.settings():
        assert f">{name}</th>" in text
    wrong = trained.test.n - sum(row[k] for k, row in enumerate(trained.test.confusion))
    assert f"{wrong} of {trained.test.n} test pictures" in text
    assert text.count("<img ") == min(24, wrong)
    assert f"temperature {trained.bundle.temperature:.2f}, from validation" in text


def test_class_names_cannot_become_markup(digits_run: Run) -> None:
    for name in ("classes.txt", "log.jsonl", "predictions.csv"):
        path = digits_run.path / name
        text = path.read_text().replace('"3"', '"<b>"').replace("\n3\n", "\n<b>\n")
        path.write_text(re.sub(r"(digits/\d+),3,", r"\1,<b>,", text))
    held = Held(torch.zeros(digits_run.test.n, 1, 8, 8, dtype=torch.uint8))
    page = run_page(digits_run, held)
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_the_verdict_names_the_two_classes_it_mixes_up() -> None:
    mixed = evaluation([[8, 2, 0], [0, 10, 0], [1, 0, 9]])
    assert most_confused(mixed) == ("a", "b", 2)
    assert verdict(mixed).endswith("Most often it took “a” for “b”, 2 times.")
    assert verdict(evaluation([[9, 0], [1, 8]])).endswith("Its one mistake: “b” taken for “a”.")
    assert verdict(evaluation([[9, 1], [1, 8]])).endswith("2 mistakes are all of different kinds.")
    assert verdict(evaluation([[9, 0], [0, 9]])).endswith("No mistake on these.")


@pytest.mark.parametrize("width", [400, 1200])
def test_the_report_is_drawn_light_and_dark_in_a_real_browser(
    width: int, trained: Run, chromium: str, tmp_path: Path
) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        shot = tmp_path / f"{scheme}.png"
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path / scheme}", f"--window-size={width},1600",
            f"--screenshot={shot}", *(["--force-dark-mode"] if scheme == "dark" else []),
            f"file://{trained.path / 'report.html'}",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        pixels = np.asarray(Image.open(shot).convert("L"))
        assert pixels.shape[1] == width
        assert pixels.std() > 5, "the page is blank"
        brightness[scheme] = pixels.mean()
    assert brightness["light"] > 200 > 60 > brightness["dark"]
