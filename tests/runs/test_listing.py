"""The list of runs, and the names and notes that people give to them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from saccade import api
from saccade.cli import main
from saccade.comparison.compare import compare_runs
from saccade.errors import UsageError
from saccade.recipes.recipe import Recipe
from saccade.runs.run import Run

QUICK = {"train.epochs": 1, "train.batch_size": 512, "data.doctor": "off", "model.name": "mlp"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of the same name, one of them unfinished, and what is none."""
    folder = tmp_path_factory.mktemp("listed")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        first = api.train(with_=QUICK, name="a try", note="as it comes <b>")
        second = api.train(with_=QUICK, name="a try")
        shutil.copytree(second.path, "runs/deep/down/third")
        log = Path("runs/deep/down/third/log.jsonl")
        lines = log.read_text().splitlines(keepends=True)
        ends = ('"finished"', '"evaluation"')
        log.write_text("".join(line for line in lines if not any(end in line for end in ends)))
        Recipe().save(Path("runs/begun/recipe.toml"))
        Path("runs/empty").mkdir()
    assert (first.path, second.path) == (Path("runs/a-try"), Path("runs/a-try-2"))
    return folder


def test_every_run_is_listed_with_its_result_the_newest_first(folder: Path) -> None:
    listed = api.runs(folder / "runs")
    names = [str(entry.path.relative_to(folder / "runs")) for entry in listed.entries]
    assert sorted(names) == ["a-try", "a-try-2", "deep/down/third"] and names[-1] == "a-try"
    by_name = dict(zip(names, listed.entries, strict=True))
    run = Run.open(folder / "runs" / "a-try")
    assert by_name["a-try"].metric == run.test.primary
    assert by_name["a-try"].note == "as it comes <b>"
    assert by_name["a-try"].finished and not by_name["deep/down/third"].finished
    assert by_name["deep/down/third"].metric is None
    assert [path.name for path, _ in listed.refused] == ["begun"]
    assert "stopped before its first step" in listed.refused[0][1]


def test_the_list_is_text_json_and_a_table(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["runs", str(folder / "runs")]) == 0
    text = capsys.readouterr().out
    assert "unfinished" in text and "as it comes <b>" in text and "left out: " in text
    assert main(["runs", str(folder / "runs"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 3
    assert "as it comes &lt;b&gt;" in api.runs(folder / "runs")._repr_html_()


def test_a_narrow_terminal_has_two_lines_a_run(
    folder: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index(next(line for line in lines if line.startswith("a-try  accuracy ")))
    assert lines[at + 1].startswith("    mlp, digits, 1 epoch, 20")
    assert max(len(line) for line in lines if not line.startswith("left out: ")) <= 60


def test_runs_that_belong_together_have_one_line_behind_the_others(
    folder: Path, tmp_path: Path
) -> None:
    for place in ("curve/a", "curve/deep/b", "own"):
        shutil.copytree(folder / "runs" / "a-try-2", tmp_path / place)
    (tmp_path / "curve" / "command.txt").write_text("saccade learning-curve")
    listed = api.runs(tmp_path)
    head, own, together = str(listed).split("\n")
    assert head.startswith("run") and own.startswith(str(tmp_path / "own"))
    assert together == f"2 runs in {tmp_path / 'curve'}: saccade runs {tmp_path / 'curve'}"
    assert [e["part_of"] for e in listed.to_dict()["runs"]].count(str(tmp_path / "curve")) == 2
    inside = api.runs(tmp_path / "curve")
    assert len(str(inside).split("\n")) == 3  # a head and a line each


def test_no_run_and_no_folder_are_said(folder: Path, tmp_path: Path) -> None:
    assert str(api.runs(folder / "runs" / "empty")).startswith("no runs below")
    with pytest.raises(UsageError, match="there is no folder"):
        api.runs(tmp_path / "none")


def test_a_name_labels_a_run_and_nothing_is_trained_by_it(folder: Path) -> None:
    runs = [folder / "runs" / name for name in ("a-try", "a-try-2")]
    first, second = ((run / "bundle" / "model.safetensors").read_bytes() for run in runs)
    assert first == second
    assert compare_runs(runs, None).settings == ()
    assert "as it comes &lt;b&gt;" in (runs[0] / "report.html").read_text()
