"""The verbs in Python: every one tells what it gives and raises, and its example runs."""

from __future__ import annotations

import doctest
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saccade import api, cli
from saccade.runs.run import Run

VERBS = [*api.__all__, "create_model"]
SECTIONS = ("Parameters", "Returns", "Raises", "Examples")


def sections(verb: Callable[..., Any]) -> list[str]:
    return re.findall(r"(?m)^    (\w+)\n    -+$", verb.__doc__ or "")


@pytest.mark.parametrize("name", VERBS)
def test_a_docstring_has_the_sections_of_numpydoc(name: str) -> None:
    """Without parameters there are none to tell of, and nothing that could be wrong."""
    verb = getattr(api, name)
    takes = name not in ("recipes", "studies")
    assert sections(verb) == [s for s in SECTIONS if takes or s not in ("Parameters", "Raises")]


@pytest.mark.parametrize("name", api.__all__)
def test_the_help_of_a_command_says_nothing_of_python_alone(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([name.replace("_", "-"), "--help"]) == 0
    text = capsys.readouterr().out
    assert not re.search(r">>>|Returns|Raises|Examples|-----|Error\b", text)
    assert (getattr(api, name).__doc__ or "").split("\n")[0].split()[0] in text


@pytest.fixture
def workplace(
    trained: Run, photos: Path, two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that the examples speak of: photos, two runs, and the file of a study."""
    for name in ("digits", "other"):
        shutil.copytree(trained.path, tmp_path / "runs" / name)
    shutil.copy(two, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("name", VERBS)
def test_the_example_of_a_verb_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(api, name), name)
    assert example.examples
    result = runner.run(example)
    assert not result.failed, capsys.readouterr().out
