from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from saccade import api
from saccade.api import resume
from saccade.errors import RecipeError, UsageError
from saccade.recipes.recipe import Recipe
from saccade.recipes.renamed import SETTINGS
from saccade.recipes.toml import toml
from saccade.runs import renamed
from saccade.runs.run import Run


def test_a_run_that_was_killed_before_its_first_line_is_told_so(tmp_path: Path) -> None:
    Recipe().with_({"train.threads": 1}).save(tmp_path / "recipe.toml")
    with pytest.raises(UsageError, match="stopped before its first step") as caught:
        resume(tmp_path)
    assert "train again" in caught.value.hint


def aged_fact(fact: dict[str, Any]) -> dict[str, Any]:
    """A line of log.jsonl by the words of then."""
    event = fact["event"]
    before = {new: old for old, new in renamed.KEYS.get(event, {}).items()}
    named = {before.get(key, key): value for key, value in fact.items()}
    counts = {new: old for old, new in renamed.PER_CLASS.items()}
    if "per_class" in named:
        named["per_class"] = [
            {counts.get(k, k): v for k, v in row.items()} for row in named["per_class"]
        ]
    return named | {"event": {new: old for old, new in renamed.EVENTS.items()}.get(event, event)}


def aged(run: Run) -> Run:
    """The run as an earlier version wrote it: settings by their names of then."""
    before = {new: old for old, new in SETTINGS.items()}
    recipe, log = run.path / "recipe.toml", run.path / "log.jsonl"
    tables = tomllib.loads(recipe.read_text())
    lines: list[str] = []
    for part, table in tables.items():
        lines.append(f"[{part}]")
        for name, value in table.items():
            old = before.get(f"{part}.{name}", f"{part}.{name}").partition(".")[2]
            lines.append(f"{old} = {toml(tuple(value) if isinstance(value, list) else value)}")
    recipe.write_text("\n".join(lines).replace('head = "random"', 'head = "fresh"') + "\n")
    text = "".join(
        json.dumps(aged_fact(json.loads(line))) + "\n" for line in log.read_text().splitlines()
    )
    for new, old in before.items():
        text = text.replace(f'"{new}": ', f'"{old}": ')
    log.write_text(text)
    assert "stop_after = 0" in recipe.read_text() and '"train.average": ' in text
    assert '"event": "kept"' in text and '"numbers": [' in text and '"named": ' in text
    return Run(run.path)


def test_a_run_of_an_earlier_version_still_opens_for_every_verb(
    digits_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, origins, test = digits_run.recipe, digits_run.origins, digits_run.test
    old = aged(digits_run)
    assert old.recipe == recipe and old.origins == origins
    stderr = capsys.readouterr().err
    assert "an earlier version's settings are read" in stderr
    assert "train.stop_after as train.patience" in stderr and "model.head=fresh as random" in stderr
    assert api.evaluate(old.path).to_dict()["metrics"] == test.to_dict()["metrics"]
    api.report(old.path)
    assert "train.ema" in (old.path / "report.html").read_text(encoding="utf-8")
    image = old.path / "one.png"
    Image.new("L", (8, 8), 128).save(image)
    assert len(api.predict(old.path, image).to_dict()["predictions"]) == 1
    longer = api.resume(old.path, epochs=5)
    assert len(longer.history) == 5
    assert "ema = " in (old.path / "recipe.toml").read_text()
    assert "average" not in (old.path / "recipe.toml").read_text()


def test_an_old_recipe_file_that_is_no_run_is_refused_with_the_new_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[train]\nstop_after = 3\n")
    with pytest.raises(RecipeError, match=r"no setting is called 'train\.stop_after'") as caught:
        Recipe.load(tmp_path / "mine.toml")
    assert caught.value.hint == "it is called train.patience now"
