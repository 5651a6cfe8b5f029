"""The report of a run: in one file, in words first, for every kind of task."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.cache import CachedImages
from saccade.metrics.classification import ClassMetric
from saccade.report import images
from saccade.report.figures import DARK
from saccade.report.pages.run_page import run_page
from saccade.report.summary import most_confused, result
from saccade.report.tasks.classification import confusion_section
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.words import duration


def evaluation(confusion: list[list[int]]) -> Evaluation:
    pairs = [(k, j) for k, row in enumerate(confusion) for j, n in enumerate(row) for _ in range(n)]
    true, named = torch.tensor(pairs).T
    said = torch.nn.functional.one_hot(named, len(confusion)).float()
    metric = ClassMetric(tuple("abcdef"[: len(confusion)]))
    measured = metric.report(metric.rows(said, true))
    return Evaluation.of("test", "classification", measured)


def page_of(run: Run) -> str:
    return (run.path / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")


def test_the_report_asks_nothing_of_the_network_and_is_made_for_all_readers(
    trained: Run, check_page: Callable[[str], None]
) -> None:
    check_page(page_of(trained))


def test_reports_of_labels_and_of_numbers_hold_to_the_same(
    other_run: Run, check_page: Callable[[str], None]
) -> None:
    page = page_of(other_run)
    check_page(page)
    assert str(other_run.test.primary) in page
    told = {
        "multilabel": ("Metrics by label", "threshold"),
        "regression": ("Predicted vs. true values", "dot"),
    }
    assert all(words in page for words in told[other_run.test.task])
    assert page.count("<img ") == min(24, other_run.test.n)
    assert "Confusion matrix" not in page


def test_the_report_holds_the_numbers_settings_and_command(trained: Run) -> None:
    text = page_of(trained)
    value, _, interval = str(trained.test["accuracy"]).partition(" (")
    assert value in text
    assert interval.rstrip(")") in text
    assert "saccade train --with train.epochs=4" in text
    for name in trained.recipe.settings():
        assert f">{name}</th>" in text
    for number in trained.test.metrics:
        assert f">{escape(number.name)}</th>" in text
    wrong = trained.test.n - sum(row[k] for k, row in enumerate(trained.test.confusion))
    assert f"{wrong} of {trained.test.n} images, as" in text
    assert f"temperature {trained.bundle.task.config()['temperature']:.2f}, from validation" in text
    words = trained.events("fit_diagnosis")[-1]["message"]
    assert f"{words[0].upper()}{words[1:]}." in text.replace("&lt;", "<")


def test_every_number_of_the_matrix_leads_to_its_images(trained: Run) -> None:
    text = page_of(trained)
    for i, row in enumerate(trained.test.confusion):
        for j, count in enumerate(row):
            assert (f'href="#cell-{i}-{j}"' in text) == (count > 0)
            if not count:
                continue
            cell = text.split(f'id="cell-{i}-{j}"', 1)[1].split("back to the matrix", 1)[0]
            assert cell.count("<img ") == min(6, count)


def test_class_names_cannot_become_markup(digits_run: Run) -> None:
    for name in ("classes.txt", "log.jsonl", "predictions.csv"):
        path = digits_run.path / name
        text = path.read_text().replace('"3"', '"<b>"').replace("\n3\n", "\n<b>\n")
        text = text.replace("p(3)", "p(<b>)")
        text = re.sub(r"(digits/\d+),3,", r"\1,<b>,", text)
        path.write_text(re.sub(r"(digits/\d+,[^,]+),3,", r"\1,<b>,", text))
    held = CachedImages(torch.zeros(digits_run.test.n, 1, 8, 8, dtype=torch.uint8))
    page = run_page(digits_run, held)
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_the_verdict_names_the_two_classes_it_mixes_up() -> None:
    mixed = evaluation([[8, 2, 0], [0, 10, 0], [1, 0, 9]])
    assert most_confused(mixed, 5) == [(0, 1, 2), (2, 0, 1)]
    assert result(mixed).endswith("Most confused classes: “a” taken for “b”, 2 of 3 mistakes.")
    assert result(evaluation([[9, 0], [1, 8]])).endswith("Its one mistake: “b” taken for “a”.")
    assert result(evaluation([[9, 1], [1, 8]])).endswith("2 mistakes are all of different kinds.")
    assert result(evaluation([[9, 0], [0, 9]])).endswith("No mistake on these.")


def test_the_verdict_begins_with_the_number_and_ends_with_the_time(trained: Run) -> None:
    lead = page_of(trained).split('<p class="lead">')[1].split("</p>")[0]
    assert lead.startswith(str(trained.test.primary))
    assert lead.endswith(f"It took {duration(trained.events('finished')[-1]['seconds'])}.")


def test_durations_are_written_as_people_say_them() -> None:
    assert [duration(s) for s in (41.2, 185, 7800)] == ["41 s", "3 min 05 s", "2 h 10 min"]


def test_many_classes_make_a_list_of_pairs_and_a_folded_matrix() -> None:
    names = tuple(f"class {k}" for k in range(40))
    true = torch.arange(80) % 40
    named = true.clone()
    named[:3] = 7
    said = torch.nn.functional.one_hot(named, 40).double()
    metric = ClassMetric(names)
    measured = metric.report(metric.rows(said.float(), true))
    test = Evaluation.of("test", "classification", measured)
    said_of_each = images.TestedImages(
        tuple(map(str, range(80))),
        tuple(names[k] for k in true),
        tuple(names[k] for k in named),
        (true != named).double(),
        said,
        CachedImages(torch.zeros(80, 1, 8, 8, dtype=torch.uint8)),
    )
    section = confusion_section(test, said_of_each)
    assert "<details><summary>The whole matrix" in section
    assert section.count('aria-label="1 of 2: images"') == 3


def parts(colour: str) -> list[int]:
    """Red, green and blue of #rrggbb."""
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of #rrggbb."""
    shares = [part / 255 for part in parts(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio of two colours."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def colours_of(page: str, scheme: int) -> dict[str, str]:
    """The named colours as #rrggbb, light ones with those of `scheme` over them."""
    rules = re.findall(r":root\s*{([^}]*)}", page)
    light, own = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", rules[k])) for k in (0, scheme))
    found = light | own
    return {k: c if len(c) == 7 else "#" + "".join(2 * x for x in c[1:]) for k, c in found.items()}


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_words_and_lines_stand_out_from_the_paper(scheme: int, trained: Run) -> None:
    """WCAG 2.2: 4.5 for words (1.4.3), 3 for lines of charts (1.4.11)."""
    found = colours_of(page_of(trained), scheme)
    for ground in ("paper", "surface"):
        for word in ("ink", "quiet", "accent", "bad", "warn", "good"):
            assert contrast(found[word], found[ground]) >= 4.5, (word, ground)
    assert all(contrast(found[f"line-{k}"], found["paper"]) >= 3 for k in range(1, 5))
    assert contrast(found["on-accent"], found["accent"]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_the_numbers_of_a_matrix_stand_out_from_every_shade(scheme: int, trained: Run) -> None:
    """Between the shade of most and that of few lies one on which neither ink can be read."""
    page = page_of(trained)
    colours = colours_of(page, scheme)
    weak = re.search(r"\.heat td {[^}]*accent\) calc\(var\(--share\) \* (\d+)%\)", page)
    strong = re.search(r"td.strong {[^}]*calc\((\d+)% \+ var\(--share\) \* (\d+)%\)", page)
    assert weak and strong
    for share in (k / 100 for k in range(101)):
        part, ink = share * int(weak[1]) / 100, "ink"
        if share > DARK:
            part, ink = (int(strong[1]) + share * int(strong[2])) / 100, "on-accent"
        pairs = zip(parts(colours["accent"]), parts(colours["surface"]), strict=True)
        shade = "#" + "".join(f"{round(part * a + (1 - part) * b):02x}" for a, b in pairs)
        assert contrast(colours[ink], shade) >= 4.5, share


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
