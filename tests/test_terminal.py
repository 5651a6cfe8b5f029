"""What a terminal shows of a training, at the widths that terminals have."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from rich.console import Console
from rich.text import Text

from saccade.engine.loop import Step
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import Settings
from saccade.runs.run import Run
from saccade.terminal import TrainingView

ORIGINS = {name: "default" for name in Recipe().settings()} | {
    "optim.lr": "flag",
    "train.epochs": "recipe small",
}
SETTINGS = Settings(Recipe().with_({"optim.lr": 0.05}), ORIGINS)
NOTE = "the data doctor found 12 images twice, one of them under two labels: cat/7.png, dog/9.png"


def shown(width: int) -> tuple[TrainingView, io.StringIO]:
    paper = io.StringIO()
    return TrainingView(Console(file=paper, width=width, force_terminal=True, no_color=True)), paper


@pytest.mark.parametrize("width", [80, 120])
def test_every_setting_is_told_with_its_origin_on_few_lines(width: int):
    view, paper = shown(width)
    with view:
        view.settings(SETTINGS, [NOTE])
    lines = Text.from_ansi(paper.getvalue().replace("\u00a0", " ")).plain.splitlines()
    words = " ".join(" ".join(lines).split())
    assert all(name in words for name in Recipe().settings())
    assert any(line.split()[:3] == ["optim.lr", "0.05", "flag"] for line in lines)
    first = next(k for k, line in enumerate(lines) if line.startswith("default "))
    assert "data.val=0.15" in lines[first] and "optim.lr" not in " ".join(lines[first:])
    assert len(lines) < 30
    assert max(map(len, lines)) <= width


def test_settings_of_no_use_share_a_line_and_its_reason():
    why = "no use: nothing is trained"
    idle = dict.fromkeys(("optim.clip_grad", "train.epochs"), why)
    view, paper = shown(120)
    with view:
        view.settings(Settings(Recipe(), ORIGINS | idle), [])
    lines = Text.from_ansi(paper.getvalue()).plain.splitlines()
    assert [line.rstrip() for line in lines if why in line] == [
        f"{why}  optim.clip_grad train.epochs"
    ]


def test_a_long_note_keeps_its_indent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    TrainingView().note(NOTE)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("- the data") and second.startswith("  ") and second[2] != " "


def test_a_note_that_is_read_by_a_program_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("COLUMNS", raising=False)
    TrainingView().note(NOTE)
    assert capsys.readouterr().err == f"- {NOTE}\n"


@pytest.mark.parametrize(("width", "bar"), [(80, 5), (120, 40)])
def test_the_line_that_moves_fits_and_its_bar_takes_what_is_free(width: int, bar: int):
    view, _ = shown(width)
    view.epochs, view.steps = 90, 5005
    view.line = view.progress.add_task("", total=90 * 5005, status="")
    row = {"epoch": 9, "loss": 2.4, "val_accuracy": 0.765}
    view.epoch(row | {"images_per_second": 1234.5, "seconds": 1.0})
    view.step(Step(9, 1233, {}, {"lr": 0.1}, torch.empty(0)), {"loss": 2.345})
    paper = io.StringIO()
    flat = Console(file=paper, width=width, no_color=True, legacy_windows=False)
    flat.print(view.progress.get_renderable())
    (line,) = paper.getvalue().rstrip("\n").splitlines()
    assert len(line) <= width
    assert "epoch 10/90 step 1234/5005" in line and "val 76.5 %" in line
    assert len(line[line.index("5005") + 5 : line.index(" loss")]) == bar


def test_why_a_run_is_not_calibrated_is_told_at_its_end(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = Run(tmp_path)
    for event in ("calibration", "evaluation", "fit_diagnosis"):
        for fact in trained.events(event):
            note = {"note": "6 validation images are too few"} if event == "calibration" else {}
            run.log(**fact | note)
    (tmp_path / "recipe.toml").write_bytes((trained.path / "recipe.toml").read_bytes())
    shown(80)[0].finished(run)
    assert "- Predictions are not calibrated: 6 validation images are too few\n" in (
        capsys.readouterr().err
    )
