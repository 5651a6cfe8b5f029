from __future__ import annotations

import json
from pathlib import Path

import pytest

from saccade.api import find_rate
from saccade.cli import main
from saccade.errors import RecipeError, UsageError


def test_a_sweep_suggests_a_rate_and_keeps_only_its_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        main(["find-rate", "--model", "logistic_regression", "--out", "rates.svg", "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    losses = {trial["rate"]: trial["smooth"] for trial in told["trials"]}
    assert told["rate"] == pytest.approx(min(losses, key=losses.__getitem__) / 10)
    assert sorted(losses) == list(losses)
    assert [path.name for path in tmp_path.iterdir()] == ["rates.svg"]
    assert "learning rate" in (tmp_path / "rates.svg").read_text()


def test_what_has_no_rate_or_no_picture_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither PNG nor SVG"):
        find_rate(out=tmp_path / "rates.jpg")
    with pytest.raises(RecipeError, match="fitted without a rate"):
        find_rate(model="hog", out=tmp_path / "rates.svg")
