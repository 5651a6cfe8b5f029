"""The model card: what the bundle is, where it came from, and what it cannot do."""

from __future__ import annotations

import json

from saccade.report.card import model_card
from saccade.runs.run import Run


def test_a_card_says_number_beginning_and_limits(trained: Run) -> None:
    card = (trained.path / "bundle" / "README.md").read_text(encoding="utf-8")
    card = card.replace("\u00a0", " ")
    for name, value in trained.test.rows():
        assert f"| {name} | {value} |" in card
    assert "trained from scratch" in card
    assert "even for an image of none" in card
    assert f"Fit diagnosis: {trained.events('fit_diagnosis')[-1]['message']}." in card
    temperature = trained.bundle.task.config()["temperature"]
    assert f"temperature {temperature:.2f}" in card


def test_a_card_names_the_weights_that_a_training_began_from(digits_run: Run) -> None:
    recipe = digits_run.recipe.with_({"model.weights": "/there/w.pth", "model.freeze": "features"})
    recipe.save(digits_run.path / "recipe.toml", digits_run.origins)
    again = Run(digits_run.path)
    card = model_card(again)
    assert "began from the weights `w.pth`" in card
    assert "frozen: features" in card and "/there" not in card


def test_a_card_names_data_that_a_pattern_labels_by_folder_and_pattern(digits_run: Run) -> None:
    log = digits_run.path / "log.jsonl"
    text = log.read_text(encoding="utf-8")
    data = json.dumps(digits_run.started["data"])
    log.write_text(text.replace(f'"data": {data}', '"data": "/there/photos::^([^/]+)/"', 1))
    assert "trained on `photos::^([^/]+)/`." in model_card(Run(digits_run.path))
