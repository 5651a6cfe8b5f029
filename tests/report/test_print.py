"""Pages on paper: whole, with what is folded opened, and no heading left at the foot of a page."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from html import unescape
from pathlib import Path

import pytest
from pypdf import PdfReader

import saccade
from saccade.runs.run import Run


@pytest.fixture(scope="module", params=["run", "evaluation"])
def page(
    request: pytest.FixtureRequest, trained: Run, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The page of a run, and that of an evaluation."""
    if request.param == "run":
        return trained.path / "report.html"
    out = tmp_path_factory.mktemp("paper") / "out"
    saccade.evaluate(trained.path, split="val", by="([0-4])$", corrupt="scale", out=out)
    return out / "report.html"


@pytest.fixture(scope="module")
def paper(page: Path, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The words of each sheet, spaces and line ends made one space."""
    folder = tmp_path_factory.mktemp("print")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'user'}", "--no-pdf-header-footer",
        f"--print-to-pdf={folder / 'out.pdf'}", f"file://{page}",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    sheets = PdfReader(folder / "out.pdf").pages
    return [plain(sheet.extract_text()) for sheet in sheets]


def plain(text: str) -> str:
    """Words as they are compared: no ligatures, no joiners, every gap one space."""
    text = unicodedata.normalize("NFKC", text).replace("\u2060", "")
    return re.sub(r"\s+", " ", text).strip()


def between(text: str, start: str, end: str) -> str:
    """What stands on a page between two marks, as people read it."""
    return plain(unescape(text.split(start, 1)[1].split(end, 1)[0]))


def test_the_verdict_is_on_the_first_sheet_and_the_command_on_the_last(
    page: Path, paper: list[str]
) -> None:
    text = page.read_text(encoding="utf-8")
    assert between(text, '<p class="lead">', "</p>") in paper[0]
    command = between(text, '<pre tabindex="0">', "</pre>")
    assert command.replace(" ", "") in "".join(paper).replace(" ", "")  # broken where it is long
    assert paper[-1].endswith("Written by saccade.")


def test_all_sections_are_printed_and_what_is_folded_is_opened(
    page: Path, paper: list[str]
) -> None:
    text, printed = page.read_text(encoding="utf-8"), " ".join(paper)
    titles = [unescape(title) for title in re.findall(r"<h2>([^<]*)</h2>", text)]
    assert len(titles) >= 9 and all(title in printed for title in titles)
    assert "calibration error" in printed  # of all numbers
    assert "risk (error rate)" in printed  # of the curve as a table
    assert "processor" in printed  # of the environment
    assert "Sections" not in printed


def test_no_heading_is_the_last_of_a_sheet(page: Path, paper: list[str]) -> None:
    headings = re.findall(r"<(?:h2|h3|summary)>([^<]*)</", page.read_text(encoding="utf-8"))
    for sheet in paper[:-1]:
        assert not any(sheet.endswith(unescape(heading)) for heading in headings)
