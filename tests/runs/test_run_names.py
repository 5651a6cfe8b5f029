"""log.jsonl: a line an event, whatever the names in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from saccade import api
from saccade.auto.trained import recognised
from saccade.auto.weights import pretrained
from saccade.errors import RecipeError, UsageError
from saccade.runs.naming import name_note, refuse_invalid_name
from saccade.runs.run import Run, open_bundle


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\nb", "a\rb", "\udcff", "a\x1cb"])
def test_any_name_comes_back_from_the_log(tmp_path: Path, name: str) -> None:
    run = Run(tmp_path)
    run.log("started", data=name)
    run.log("epoch", epoch=0)
    assert run.started["data"] == name
    assert len(run.events("epoch")) == 1
    assert (tmp_path / "log.jsonl").read_bytes().count(b"\n") == 2


def test_the_folder_of_a_run_has_a_name_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Run.create(None, "x" * 255).path == Path("runs") / f"{'x' * 80}-1"


def test_what_a_folder_cannot_be_called_is_refused_and_what_is_called_otherwise_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/b", "a\\b", "..", "-", "x" * 81):
        with pytest.raises(RecipeError, match=r"train\.name"):
            refuse_invalid_name(name)
    first, second = (Run.create(None, "first", given=True).path for _ in range(2))
    assert name_note(first, "first") == ""
    assert name_note(second, "first") == f"'{first}' is taken: this run is {second}"
    spaced = Run.create(None, "my run", given=True).path
    assert name_note(spaced, "my run") == f"a folder is not called 'my run': this run is {spaced}"


def test_a_run_below_runs_is_taken_by_its_name_wherever_a_run_is_asked_for(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    there = Path("runs") / "first"
    for name in ("first", "lenet5"):
        shutil.copytree(trained.path, Path("runs") / name)
    for found in (Run.open("first"), recognised("first")):
        assert isinstance(found, Run) and found.path == there
    assert open_bundle("first").classes == trained.classes
    assert pretrained("first").name == str(there)
    assert recognised("lenet5") == "lenet5"  # the network
    with pytest.raises(UsageError, match=f"the run '{there}' is finished"):
        api.resume("first")
    for verb in (api.resume, api.evaluate):
        with pytest.raises(UsageError, match="there is no run") as caught:
            verb("frist")
        assert f"did you mean {there}? " in caught.value.hint
    Path("first").mkdir()  # what lies at the path comes first
    with pytest.raises(UsageError, match="'first' is no run"):
        Run.open("first")
