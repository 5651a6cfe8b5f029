"""A training whose validation score is undefined says so before it starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade import api
from saccade.errors import RecipeError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Images to train on with two numbers, and held-out ones with one alone."""
    rows = []
    for k in range(20):
        pixels = np.random.default_rng(k).integers(0, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
        split = "val" if k < 3 else "test" if k < 6 else "train"
        rows.append(f"{k}.png,{1 if k < 12 else 2},{split}")
    (tmp_path / "t.csv").write_text("\n".join(["path,value,split", *rows]))
    return tmp_path / "t.csv"


@pytest.mark.parametrize("setting", ["train.patience=2", "train.checkpoint=best"])
def test_nothing_is_decided_by_an_undefined_score(table: Path, setting: str) -> None:
    with pytest.raises(RecipeError, match="r2, is undefined: all 3 validation images") as caught:
        api.train(table, model="mlp_rgb", epochs=1, with_=[setting], out=table.with_name("run"))
    name = setting.partition("=")[0]
    assert caught.value.hint.startswith(f"set {name}=")
    assert not table.with_name("run").exists()


def test_else_it_is_noted_and_no_log_holds_a_nan(table: Path) -> None:
    run = api.train(table, model="mlp_rgb", epochs=1, out=table.with_name("run"))
    assert any("r2, is undefined" in note for note in run.notes)
    assert "NaN" not in (run.path / "log.jsonl").read_text()
    assert run.history[0]["val_r2"] != run.history[0]["val_r2"]
