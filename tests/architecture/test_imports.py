"""What a command loads, and no more: the time that a person waits before anything happens."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade import api
from saccade.runs.run import Run

HEAVY = ("torch", "numpy", "PIL", "sklearn", "matplotlib")
FILES = 87  # of ours, for a bundle


def loaded(code: str) -> set[str]:
    """The modules that are there when `code` has run in a new interpreter."""
    end = "\nimport json, sys; print(); print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code + end], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def command(*words: str | Path) -> str:
    return f"from saccade.cli import main\nassert main({[str(word) for word in words]!r}) == 0"


@pytest.mark.parametrize(
    "words",
    [
        "models",
        "models resnet* --json",
        "recipes",
        "recipe small",
        "studies",
        "settings",
        "settings optim.lr",
        "--help",
        "predict --help",
        "--version",
    ],
)
def test_a_command_that_lists_needs_neither_torch_nor_numpy(words: str) -> None:
    assert loaded(command(*words.split())).isdisjoint(HEAVY)


def test_a_prediction_loads_nothing_that_only_training_or_reports_need(
    trained: Run, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.jpg")
    modules = loaded(command("predict", trained.path, tmp_path / "one.jpg"))
    assert "torch" in modules
    unwanted = {"sympy", "sklearn", "matplotlib", "rich", "torch._dynamo", "torch._inductor"}
    unwanted |= {f"saccade.{name}" for name in ("terminal", "report", "training", "engine.optim")}
    assert modules.isdisjoint(unwanted)
    networks = {name for name in modules if name.startswith("saccade.models.networks.")}
    assert "saccade.models.networks.lenet" in networks
    assert "saccade.models.networks.densenet" not in networks


def test_a_bundle_loads_few_of_our_files() -> None:
    modules = loaded("import saccade.runs.bundle")
    assert len([name for name in modules if name.partition(".")[0] == "saccade"]) <= FILES


def test_a_package_of_the_name_of_a_verb_is_that_verb_too() -> None:
    """A package that is imported becomes an attribute of saccade, in place of the verb."""
    rooms = {path.stem for path in Path(saccade.__file__).parent.iterdir()}
    assert rooms & set(saccade.__all__) == set(saccade.PACKAGES)
    for name in saccade.PACKAGES:
        verb = getattr(saccade, name)
        assert verb is sys.modules[f"saccade.{name}"]
        assert inspect.signature(verb) == inspect.signature(getattr(api, name))
    assert str(saccade.models("resnet1*")) == str(api.models("resnet1*"))
    from saccade.models.create import create_model

    assert [*create_model("lenet5").children()]


def test_everything_that_is_shown_is_there_and_every_verb_is_shown() -> None:
    assert set(dir(saccade)) == {*saccade.__all__, "__version__"}
    assert set(api.__all__) <= set(saccade.__all__)
    for name in dir(saccade):
        assert getattr(saccade, name) is not None
