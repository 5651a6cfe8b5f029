"""f38: underfitting, a fitting network and overfitting, told from three trainings on digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saccade.api import train

LINEAR = {
    "model.name": "logistic_regression",
    "train.epochs": 4,
    "optim.lr": 0.0002,
    "optim.schedule": "constant",
}
LENET = {"model.name": "lenet5", "train.epochs": 12}
HEART = {  # six images of each digit, as they are, until they are known by heart
    "model.name": "mlp",
    "data.per_class": 6,
    "data.augment": "",
    "train.epochs": 40,
    "train.label_smoothing": 0,
}


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        (LINEAR, "underfitted", "The training loss still falls"),
        (LENET, "good fit", "held out it may be up to"),
        (HEART, "overfitted", "accuracy on training images 100.0 %"),
    ],
    ids=["linear", "lenet", "by heart"],
)
def test_three_trainings_are_told_apart(
    settings: dict[str, Any],
    kind: str,
    words: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
):
    run = train(with_=settings, out=tmp_path / "run")
    (fact,) = run.events("fit_diagnosis")
    assert fact["kind"] == kind, fact["message"]
    assert words in fact["message"]
    said = " ".join(capfd.readouterr().err.split())
    assert f"- {kind}: {run.val.primary.name} on training images" in said
