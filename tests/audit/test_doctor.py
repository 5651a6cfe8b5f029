"""The doctor's outputs: a cleaned table that opens as its source's task, and nothing replaced."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from saccade import api
from saccade.data.item import Count
from saccade.data.sources import open_source
from saccade.errors import DataError, UsageError
from saccade.files import refuse_to_replace, write_output


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Ten images of noise, and an exact copy of the last one."""
    names = [f"p/{k:02d}.png" for k in range(11)]
    (tmp_path / "p").mkdir()
    for k, name in enumerate(names):
        pixels = np.random.default_rng(min(k, 9)).integers(0, 255, (16, 16)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    return names


Cell = Callable[[int], str]


@pytest.mark.parametrize(
    ("head", "cell", "label"),
    [
        ("path,label,extra", lambda k: f"{'ab'[k % 2 if k < 10 else 1]},by hand {k}", "a"),
        ("path,value", lambda k: f"{min(k, 9) / 3:.3f}", 0.0),
        ("path,labels", lambda k: ("x|y", "x", "y")[min(k, 9) % 3], ("x", "y")),
        ("file,count", lambda k: str(min(k, 9)), Count(0)),
        ("path;value", lambda k: f"{min(k, 9)},5", 0.5),
    ],
)
def test_a_cleaned_table_opens_as_the_task_of_its_source(
    images: list[str], tmp_path: Path, head: str, cell: Cell, label: object
) -> None:
    mark = ";" if ";" in head else ","
    rows = [f"{name}{mark}{cell(k)}" for k, name in enumerate(images)]
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]))
    api.doctor(tmp_path / "t.csv", cleaned=tmp_path / "clean.csv")
    lines = (tmp_path / "clean.csv").read_text().splitlines()
    assert lines[0] == f"{head}{mark}group" and lines[1] == f"{rows[0]}{mark}"
    source, clean = open_source(tmp_path / "t.csv"), open_source(tmp_path / "clean.csv")
    assert clean.classes == source.classes
    known = [(i.name, i.label, i.image) for i in source.read("all")]
    assert [(i.name, i.label, i.image) for i in clean.read("all")] == known[:10]
    assert clean.read("all")[0].label == label
    assert type(clean.read("all")[0].label) is type(label)


def test_a_cleaned_table_elsewhere_leads_to_the_images(images: list[str], tmp_path: Path) -> None:
    rows = [f"{name},{'ab'[k % 2 if k < 10 else 1]}" for k, name in enumerate(images)]
    (tmp_path / "t.csv").write_text("\n".join(["path,label", *rows]))
    (tmp_path / "other").mkdir()
    api.doctor(tmp_path / "t.csv", cleaned=tmp_path / "other" / "clean.csv")
    clean = open_source(tmp_path / "other" / "clean.csv")
    assert clean.read("all")[0].name == "../p/00.png" and len(clean.read("all")) == 10


def test_a_class_that_no_table_can_name_is_refused_before_the_work(photos: Path) -> None:
    (photos / "red").rename(photos / "red ")
    for verb in (api.doctor, api.label_issues):
        with pytest.raises(DataError, match="the class 'red ' has a blank at an end"):
            verb(photos, cleaned=photos.parent / "clean.csv")


def test_a_cleaned_table_is_told_with_how_it_opens(
    images: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{name},{'ab'[k % 2]},x" for k, name in enumerate(images)]
    (tmp_path / "t.csv").write_text("\n".join(["path,label,set", *rows]))
    clean = tmp_path / "clean.csv"
    api.doctor(f"{tmp_path / 't.csv'}::split_column=none", cleaned=clean)
    assert f"images are in {clean}::split_column=none; " in capsys.readouterr().err
    assert open_source(f"{clean}::split_column=none").classes == ("a", "b")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
def test_data_below_a_folder_whose_name_is_no_text_are_examined(
    photos: Path, tmp_path: Path
) -> None:
    photos.rename(there := tmp_path / os.fsdecode(b"caf\xe9"))
    with pytest.raises(DataError, match="is no text, and no table can hold it"):
        api.doctor(there, cleaned=tmp_path / "clean.csv")
    api.doctor(there, cleaned=there / "clean.csv")
    assert open_source(there / "clean.csv").classes == open_source(there).classes
    assert api.label_issues(there, model="hog").n == 48


def test_nothing_of_the_users_is_replaced(images: list[str], tmp_path: Path) -> None:
    rows = [f"{name},{'ab'[k % 2]},mine" for k, name in enumerate(images)]
    table, mine = tmp_path / "t.csv", tmp_path / "notes.html"
    table.write_text("\n".join(["path,label,extra", *rows]))
    mine.write_text("mine")
    before = table.read_bytes()
    with pytest.raises(UsageError, match=r"t\.csv' exists"):
        api.doctor(table, cleaned=table)
    with pytest.raises(UsageError, match=r"notes\.html' exists"):
        api.doctor(table, html=mine)
    (tmp_path / "c-left-out.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"c-left-out\.csv' exists"):
        api.doctor(table, cleaned=tmp_path / "c.csv")
    assert table.read_bytes() == before and mine.read_text() == "mine"
    assert not (tmp_path / "c.csv").exists()


def test_one_file_for_two_outputs_is_refused_before_the_work(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is named for two outputs"):
        api.doctor(photos, html=tmp_path / "a.html", cleaned=tmp_path / "." / "a.html")
    with pytest.raises(UsageError, match=r"a-left-out\.csv' is named for two outputs"):
        api.label_issues(photos, html=tmp_path / "a-left-out.csv", cleaned=tmp_path / "a.csv")
    with pytest.raises(UsageError, match="is named for two outputs"):
        api.show("lenet5", svg=tmp_path / "a.svg", receptive_field="c1", out=tmp_path / "a.svg")
    assert not list(tmp_path.glob("a*"))


def picture(file: Path) -> bytes:
    Image.new("L", (4, 4)).save(file)
    return file.read_bytes()


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.png"])
def test_what_saccade_wrote_it_may_replace(tmp_path: Path, name: str) -> None:
    content = picture(tmp_path / "b.png") if name == "a.png" else b"<svg></svg>"
    write_output(tmp_path / name, content)
    write_output(tmp_path / name, content)
    if name == "a.png":
        with PngImageFile(tmp_path / name) as image:
            assert image.size == (4, 4) and image.text["Software"] == "made by saccade"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="exists"):
        refuse_to_replace(tmp_path / name)


def test_the_folder_of_an_output_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    for name in ("a/b/page.html", "c/drawing.svg", "d/table.csv"):
        refuse_to_replace(tmp_path / name)
        assert not (tmp_path / name).parent.exists()  # before the work nothing is made
        write_output(tmp_path / name, "x")
        assert (tmp_path / name).is_file()


def test_tables_and_folders_are_never_replaced(tmp_path: Path) -> None:
    write_output(tmp_path / "a.csv", "path\n")
    assert (tmp_path / "a.csv").read_text() == "path\n"
    for taken in (tmp_path / "a.csv", tmp_path):
        with pytest.raises(UsageError, match="exists"):
            write_output(taken, "path\n")


@pytest.mark.parametrize(
    "call",
    [
        lambda file: api.augment(out=file),
        lambda file: api.lr_find(out=file),
        lambda file: api.show("lenet5", svg=file),
        lambda file: api.show("lenet5", receptive_field="conv1", out=file),
        lambda file: api.compare("a", "b", html=file),
        lambda file: api.report("a", "b", out=file),
        lambda file: api.label_issues("digits", html=file),
        lambda file: api.label_issues("digits", cleaned=file),
    ],
)
def test_every_verb_asks_before_the_work(tmp_path: Path, call: Callable[[Path], object]) -> None:
    for name in ("mine.png", "mine.svg"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UsageError, match="exists"):
            call(tmp_path / name)
        assert (tmp_path / name).read_text() == "mine"


def noise(file: Path, seed: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file)


@pytest.mark.parametrize(
    ("names", "seeds", "what"),
    [
        ([f"cat/{k}.png" for k in range(8)], range(8), "holds one class only: 'cat'"),
        (["cat/0.png"], [0], "holds one class only: 'cat'"),
        ([f"{'ab'[k % 2]}/{k}.png" for k in range(8)], [0] * 8, "all 8 images of 'set' are copies"),
        (["a/0.png", "b/1.png"], range(2), "no class of 'set' has images to spare for val"),
        (
            [f"{'ab'[k % 2]}/{k}.png" for k in range(8)],
            [0, 1] * 4,
            "to spare for val: its 8 images are 2 groups of copies",
        ),
    ],
)
def test_the_doctor_says_what_train_refuses(
    tmp_path: Path, names: list[str], seeds: Iterable[int], what: str
) -> None:
    for name, seed in zip(names, seeds, strict=True):
        noise(tmp_path / "set" / name, seed)
    with pytest.raises(DataError, match=what) as caught:
        api.train(tmp_path / "set", model="mlp_rgb", epochs=1)
    finding = api.doctor(tmp_path / "set").findings[0]
    assert (finding.kind, finding.severity) == ("untrainable", "error")
    assert finding.message == f"train refuses this: {caught.value.what}"
    assert finding.advice == caught.value.hint


def test_the_doctor_finds_nothing_to_refuse_in_what_train_takes(photos: Path) -> None:
    assert api.doctor(photos).finding("untrainable") is None
    noise(photos.parent / "one.png", 0)
    kinds = {finding.kind for finding in api.doctor(photos.parent / "one.png").findings}
    assert "unlabelled" in kinds and "untrainable" not in kinds


def test_copies_under_different_labels_are_shown_by_two_that_differ(tmp_path: Path) -> None:
    for name in ("a/0.png", "a/1.png", "a/2.png", "b/3.png"):
        noise(tmp_path / name, 0)
    finding = api.doctor(tmp_path).finding("different_labels")
    assert finding is not None and finding.groups[0][:2] == ("a/0.png", "b/3.png")
