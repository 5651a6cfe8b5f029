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
from saccade.metrics.classes_measured import classes_measured
from saccade.report.run_page import most_confused, run_page, verdict
from saccade.results import Evaluation
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
    pairs = [(k, j) for k, row in enumerate(confusion) for j, n in enumerate(row) for _ in range(n)]
    true, named = torch.tensor(pairs).T
    said = torch.nn.functional.one_hot(named, len(confusion)).float()
    measured = classes_measured(said, true, tuple("abcdef"[: len(confusion)]))
    return Evaluation.of("test", "classification", measured)


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
    value, _, interval = str(trained.test["accuracy"]).partition(" (")
    assert value in text
    assert interval.rstrip(")") in text
    assert "saccade train --with train.epochs=4" in text
    for name in trained.recipe.settings():
        assert f">{name}</th>" in text
    wrong = trained.test.n - sum(row[k] for k, row in enumerate(trained.test.confusion))
    assert f"{wrong} of {trained.test.n} test pictures" in text
    assert text.count("<img ") == min(24, wrong)
    assert f"temperature {trained.bundle.task.config()['temperature']:.2f}, from validation" in text


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
