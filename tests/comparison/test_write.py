"""saccade report: a run's report anew, or several runs side by side."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from saccade.api import report
from saccade.errors import UsageError
from saccade.runs.run import Run


def test_a_report_made_anew_is_the_one_of_the_training(digits_run: Run) -> None:
    before = (digits_run.path / "report.html").read_bytes()
    (digits_run.path / "report.html").unlink()
    written = report(digits_run.path)
    assert written.path == digits_run.path / "report.html"
    assert written.path.read_bytes() == before
    assert written.to_dict() == {"report": str(written.path), "runs": [str(digits_run.path)]}


def test_two_runs_stand_side_by_side_with_what_differs(trained: Run, tmp_path: Path) -> None:
    other = Run(shutil.copytree(trained.path, tmp_path / "other"))
    recipe = other.path / "recipe.toml"
    lines = recipe.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = ["epochs = 40\n" if line.startswith("epochs =") else line for line in lines]
    recipe.write_text("".join(changed), encoding="utf-8")
    written = report(trained.path, other.path, out=tmp_path / "both.html")
    text = written.path.read_text(encoding="utf-8")
    assert "All were measured on the same test images." in text
    differing = text.split("Settings that differ</h2>")[1].split("</section>")[0]
    assert differing.count("<tr>") == 2  # the head, and train.epochs
    assert ">train.epochs</th><td>4</td><td>40</td>" in differing
    assert text.count('class="line s1"') == text.count('class="line s2"') == 2
    (other.path / "predictions.csv").write_text(
        "name,label,prediction,loss\nx,1,1,0.0\n", encoding="utf-8"
    )
    report(trained.path, other.path, out=written.path)
    assert "different test images" in written.path.read_text(encoding="utf-8")


def test_unfinished_and_repeated_runs_are_refused(digits_run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="named twice"):
        report(digits_run.path, digits_run.path)
    with pytest.raises(UsageError, match="no run is named"):
        report()
    log = digits_run.path / "log.jsonl"
    text = log.read_text(encoding="utf-8")
    log.write_text(text[: text.index('{"event": "finished"')], encoding="utf-8")
    with pytest.raises(UsageError, match="is unfinished"):
        report(digits_run.path)
