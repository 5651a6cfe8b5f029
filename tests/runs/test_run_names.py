"""log.jsonl: a line an event, whatever the names in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from saccade.runs.run import Run


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
