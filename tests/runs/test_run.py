from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping
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


def before(names: Mapping[str, str], name: str) -> str:
    """What `name` was called then, by a table of old names and new ones."""
    return {new: old for old, new in names.items()}.get(name, name)


def aged_metric(metric: dict[str, Any]) -> dict[str, Any]:
    method = metric["method"].replace("cluster bootstrap", "bootstrap of groups")
    name = before(renamed.METRICS, metric["name"])
    return metric | {"name": name, "method": before(renamed.METHODS, method)}


def aged_fact(fact: dict[str, Any]) -> dict[str, Any]:
    """A line of log.jsonl by the words of then."""
    event, fact = fact["event"], dict(fact)
    if event == "evaluation":
        fact["metrics"] = [aged_metric(metric) for metric in fact["metrics"]]
        fact["per_class"] = [
            {before(renamed.PER_CLASS, k): v for k, v in row.items()} for row in fact["per_class"]
        ]
    if event == "fit_diagnosis":
        fact["kind"] = before(renamed.FITS, fact["kind"])
    keys = renamed.KEYS.get(event, {})
    named = {before(keys, key): value for key, value in fact.items()}
    return named | {"event": before(renamed.EVENTS, event)}


def aged(run: Run) -> Run:
    """The run as an earlier version wrote it: settings by their names of then."""
    recipe, log = run.path / "recipe.toml", run.path / "log.jsonl"
    tables = tomllib.loads(recipe.read_text())
    lines: list[str] = []
    for part, table in tables.items():
        lines.append(f"[{part}]")
        for name, value in table.items():
            old = before(SETTINGS, f"{part}.{name}").partition(".")[2]
            lines.append(f"{old} = {toml(tuple(value) if isinstance(value, list) else value)}")
    recipe.write_text("\n".join(lines).replace('head = "random"', 'head = "fresh"') + "\n")
    text = "".join(
        json.dumps(aged_fact(json.loads(line))) + "\n" for line in log.read_text().splitlines()
    )
    for old, new in SETTINGS.items():
        text = text.replace(f'"{new}": ', f'"{old}": ')
    log.write_text(text)
    assert "stop_after = 0" in recipe.read_text() and '"train.average": ' in text
    assert '"event": "kept"' in text and '"numbers": [' in text and '"named": ' in text
    assert '"name": "kappa"' in text and '"name": "calibration error"' in text
    return Run(run.path)


def test_a_run_of_an_earlier_version_still_opens_for_every_verb(
    digits_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, origins, test = digits_run.recipe, digits_run.origins, digits_run.test
    diagnosis = digits_run.events("fit_diagnosis")
    old = aged(digits_run)
    assert old.recipe == recipe and old.origins == origins
    stderr = capsys.readouterr().err
    assert "an earlier version's settings are read" in stderr
    assert "train.stop_after as train.patience" in stderr and "model.head=fresh as random" in stderr
    assert old.test.to_dict() == test.to_dict()
    assert old.events("fit_diagnosis") == diagnosis
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


def test_metrics_of_an_earlier_version_are_read_by_their_names_of_today() -> None:
    def metric(name: str, method: str) -> dict[str, Any]:
        return {"name": name, "value": 0.5, "method": method}

    old = [metric("R squared", "bootstrap of groups"), metric("R squared per place", "bootstrap")]
    old += [metric("calibration error", "basic bootstrap of groups"), metric("log loss", "")]
    fact = {"event": "evaluation", "numbers": old, "per_class": []}
    metrics = renamed.current_fact(fact)["metrics"]
    assert [(m["name"], m["method"]) for m in metrics] == [
        ("R2", "cluster bootstrap"),
        ("R2 per place", "bootstrap"),
        ("expected calibration error", "basic cluster bootstrap"),
        ("log loss", ""),
    ]
    assert renamed.current_fact({"event": "epoch", "val_r_squared": 0.5})["val_r2"] == 0.5
    for old_key in ("tried", "steps_tried"):
        assert renamed.current_fact({"event": "plan", old_key: 64})["largest_batch"] == 64


def test_a_finished_run_without_its_bundle_leads_to_one_more_epoch_and_in_no_circle(
    trained: Run, tmp_path: Path
) -> None:
    shutil.copytree(trained.path, tmp_path / "run", ignore=shutil.ignore_patterns("bundle"))
    run = Run(tmp_path / "run")
    with pytest.raises(UsageError, match="has lost its folder bundle") as caught:
        _ = run.bundle
    assert caught.value.hint.endswith(f"{run.path} --epochs {len(run.history) + 1}")
