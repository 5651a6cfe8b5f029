"""`saccade label-issues`: planted wrong labels are found, and what cannot be doubted is refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from saccade import api
from saccade.cli import main
from saccade.data.sources import open_source
from saccade.errors import DataError, UsageError
from saccade.runs.run import Run

WRONG = {"red/wrong.png", "green/wrong.png"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mislabelled(photos: Path) -> Path:
    """The photos with a blue one among the red ones, and a red one among the green ones."""
    shutil.move(photos / "blue" / "03.png", photos / "red" / "wrong.png")
    shutil.move(photos / "red" / "05.png", photos / "green" / "wrong.png")
    return photos


def test_planted_wrong_labels_are_found_and_told_what_they_are(mislabelled: Path) -> None:
    result = api.label_issues(mislabelled)
    assert {s.name: s.suggested for s in result.issues} == {
        "red/wrong.png": "blue",
        "green/wrong.png": "red",
    }
    assert all(s.p_given < 0.5 < s.p_suggested for s in result.issues)
    assert result.interval is not None and result.interval.low <= 2 / 48 <= result.interval.high
    assert result.n == 48 and result.agreements == 46
    chances = [issue.p_wrong for issue in result.issues]
    assert chances == sorted(chances, reverse=True)
    assert 0.5 < result.precision == pytest.approx(sum(chances) / 2)
    assert "2, about" in str(result)


def test_right_labels_have_no_issues(photos: Path) -> None:
    result = api.label_issues(photos)
    assert result.issues == () and result.label_error_rate == 0
    assert "label issues      0" in str(result)


def test_the_cleaned_table_is_a_source_without_the_issues(
    mislabelled: Path, tmp_path: Path
) -> None:
    before = sorted(path.read_bytes() for path in mislabelled.rglob("*.png"))
    api.label_issues(mislabelled, cleaned=tmp_path / "clean.csv")
    source = open_source(tmp_path / "clean.csv")
    names = {item.name.removeprefix("photos/") for item in source.read("all")}
    assert len(names) == 46 and not names & WRONG
    with (tmp_path / "clean-left-out.csv").open(newline="") as file:
        reasons = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert reasons.keys() == WRONG
    assert reasons["red/wrong.png"].startswith("labelled red, probably blue (")
    assert sorted(path.read_bytes() for path in mislabelled.rglob("*.png")) == before


def test_a_copy_of_a_wrong_image_does_not_vouch_for_its_label(mislabelled: Path) -> None:
    shutil.copy(mislabelled / "red" / "wrong.png", mislabelled / "red" / "wrong copy.png")
    names = {s.name for s in api.label_issues(mislabelled).issues}
    assert names == {*WRONG, "red/wrong copy.png"}


def test_a_class_of_one_image_is_left_out_and_named(mislabelled: Path) -> None:
    (mislabelled / "violet").mkdir()
    shutil.copy(mislabelled / "blue" / "00.png", mislabelled / "violet" / "00.png")
    result = api.label_issues(mislabelled)
    assert result.notes[-1] == "too few images to be looked at: violet"
    assert {s.name for s in result.issues} == WRONG and result.n == 48


def test_the_command_prints_one_object_or_a_row_a_label_issue(
    mislabelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label-issues", str(mislabelled), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert {s["name"] for s in output["label_issues"]} == WRONG
    low, high = output["label_error_rate_interval"]
    assert low <= output["label_error_rate"] <= high
    assert [sum(column) for column in zip(*output["noise_matrix"])] == pytest.approx([1, 1, 1])
    assert main(["label-issues", str(mislabelled), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert {(row["name"], row["given"], row["suggested"]) for row in rows} == {
        ("red/wrong.png", "red", "blue"),
        ("green/wrong.png", "green", "red"),
    }


def test_an_image_that_cannot_be_read_is_named_and_has_exit_code_4(
    mislabelled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (mislabelled / "red" / "broken.png").write_bytes(b"\x89PNG")
    assert main(["label-issues", str(mislabelled)]) == 4
    assert "unreadable: red/broken.png" in caplog.text


def test_the_page_shows_each_issue_and_runs_nothing(mislabelled: Path, tmp_path: Path) -> None:
    api.label_issues(mislabelled, html=tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text()
    assert html.count("<img") == 2 and "<script" not in html
    assert "labelled red, probably blue" in html and "green/wrong.png" in html


def test_a_run_looks_with_what_it_has_learned_and_says_so(mislabelled: Path, trained: Run) -> None:
    result = api.label_issues(mislabelled, model=trained.path)
    assert result.features == f"what goes into the last layer of {trained.path}"
    assert "may have memorised wrong labels" in result.notes[0]
    assert result.n == 48 and result.agreements > 24


def test_labels_of_another_kind_are_refused(photos: Path, tmp_path: Path) -> None:
    rows = [f"{path},{at}.5" for at, path in enumerate(sorted(photos.rglob("*.png")))]
    (tmp_path / "numbers.csv").write_text("\n".join(["path,value", *rows]))
    with pytest.raises(DataError, match="is for classification; this is regression"):
        api.label_issues(tmp_path / "numbers.csv")


def test_classes_of_one_image_leave_nothing_to_compare(photos: Path) -> None:
    for name in ("red", "green"):
        for path in sorted((photos / name).iterdir())[1:]:
            path.unlink()
    with pytest.raises(DataError, match="only one class has images both to learn from"):
        api.label_issues(photos)


def test_hog_has_no_weights(photos: Path) -> None:
    with pytest.raises(UsageError, match="hog has no weights"):
        api.label_issues(photos, model="hog", weights="imagenet")


def test_several_networks_look_together(
    mislabelled: Path, trained: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their probabilities are averaged: in the command each is named by an option of its own."""
    alone = [api.label_issues(mislabelled, model=model) for model in ("hog", trained.path)]
    both = api.label_issues(mislabelled, model=["hog", trained.path])
    (row,) = [issue for issue in both.issues if issue.name == "red/wrong.png"]
    ones = [issue for result in alone for issue in result.issues if issue.name == row.name]
    assert row.p_given == pytest.approx(sum(one.p_given for one in ones) / 2)
    assert all(result.features in both.features for result in alone)
    command = ["label-issues", str(mislabelled), "--model", "hog", "--model", str(trained.path)]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["features"] == both.features


def test_weights_go_with_their_networks(photos: Path) -> None:
    for models, weights in ((["hog", "hog"], ["a"]), ([], ["a", "b"]), ("hog", ["a", "b"])):
        with pytest.raises(UsageError, match="weights"):
            api.label_issues(photos, model=models, weights=weights)
