"""open_source: which reader gets what."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saccade.data.sources import absolute_location, open_images, open_source
from saccade.data.sources.data_spec import DataSpec, spec_with_settings, title_of
from saccade.data.sources.object_table import written_table
from saccade.errors import DataError, UsageError

Tree = Callable[..., Path]


def test_a_folder_comes_before_the_data_set_of_its_name_and_that_is_said(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree("digits/a/1.jpg", "digits/b/1.jpg")
    assert len(open_source("digits").read("all")) == 1797
    monkeypatch.chdir(root)
    source = open_source("digits")
    assert len(source.read("all")) == 2 == len(open_source("./digits").read("all"))
    assert source.notes == ("'digits' is the folder here; the data set of that name is 'digits::'",)
    assert len(open_source("digits::").read("all")) == 1797
    assert open_source(Path("digits") / "").name == "digits"


@pytest.mark.parametrize(
    "name", ["a{1..3}b", "a*b", "photos[1]", "a::b", "a::b=c::(x)", "train-{0..1}.tar"]
)
def test_a_folder_may_be_called_like_a_pattern(tree: Tree, name: str) -> None:
    root = tree(f"{name}/a/1.jpg", f"{name}/b/1.jpg")
    assert open_source(str(root / name)).classes == ("a", "b")
    assert absolute_location(str(root / name)) == str(root / name)
    labels = open_source(f"{root / name}::^(?P<label>[ab])/").classes
    assert labels == ("a", "b")


STRAY = {
    "labels.npy": b"", "y.npy": b"x", "x_train.npy": b"", "meta": b"x", "train": b"x",
    "batches.meta": b"", "train-images-idx3-ubyte": b"", "backup.tar": b"x", "shard.tar.gz": b"",
    "cover.png": b"", "classes.txt": b"a", "n01440764_1.txt": b"",
}  # fmt: skip


@pytest.mark.parametrize("name", STRAY)
def test_one_file_beside_class_folders_changes_no_reader(tree: Tree, name: str) -> None:
    root = tree("a/1.jpg", "b/1.jpg", name)
    (root / name).write_bytes(STRAY[name])
    source = open_source(root)
    assert source.classes == ("a", "b")
    assert [skipped.name for skipped in source.skipped] == [name]


def test_an_image_beside_arrays_is_left_out_and_said(tree: Tree) -> None:
    root = tree("preview.png")
    np.save(root / "x.npy", np.zeros((4, 8, 8), np.uint8))
    np.save(root / "y.npy", np.arange(4) % 2)
    source = open_source(root)
    assert source.classes == ("0", "1")
    assert source.notes[0].startswith("the image files in ")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("photos::split_column=x", "split_column=x does nothing: 'photos' is not a table"),
        ("photos::([ab])/::val_folder=a", "val_folder=a does nothing: a pattern tells the splits"),
        ("t.csv::val_folder=x", "val_folder=x does nothing: a table tells its splits by a column"),
        ("digits::test_folder=x", "test_folder=x does nothing"),
        ("digits::nonsense", "'nonsense' does nothing: 'digits' is neither a table nor a folder"),
        ("{1..2}.tar::nonsense", "'nonsense' does nothing: '{1..2}.tar' is neither a table"),
    ],
)
def test_what_is_told_of_splits_and_has_no_use_is_refused(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, spec: str, message: str
) -> None:
    root = tree("photos/a/1.jpg", "photos/b/1.jpg", "t.csv")
    monkeypatch.chdir(root)
    with pytest.raises(UsageError, match=re.escape(message)):
        open_source(spec)


def test_the_tables_of_a_folder_take_a_column_of_splits_and_no_folders(tree: Tree) -> None:
    root = tree("a/1.jpg", "b/2.jpg", "b/3.jpg")
    rows = ["file_name,label,split", "a/1.jpg,x,hf", "b/2.jpg,y,hf"]
    (root / "metadata.csv").write_text("\n".join(rows))
    with pytest.raises(DataError, match="the split 'hf'") as caught:
        open_source(root)
    assert "--split-column none" in caught.value.hint
    source = open_source(f"{root}::split_column=none")
    assert (source.splits, source.classes) == (("all",), ("x", "y"))
    assert [str(entry) for entry in source.skipped] == ["'b/3.jpg' (in no row of its tables)"]
    (root / "metadata.csv").write_text("file_name,label\na/1.jpg,x\nb/2.jpg,y")
    for spec in (f"{root}::val_folder=b", f"{root}::split_column=none::val_folder=b"):
        with pytest.raises(UsageError, match="val_folder=b does nothing: the tables in"):
            open_source(spec)


def test_files_of_arrays_take_no_folder_to_hold_out(tree: Tree) -> None:
    root = tree()
    np.save(root / "x.npy", np.zeros((4, 8, 8), np.uint8))
    np.save(root / "y.npy", np.arange(4) % 2)
    with pytest.raises(UsageError, match="test_folder=b does nothing: the files in"):
        open_source(f"{root}::test_folder=b")


def test_a_word_for_data_is_read_and_written_in_its_parts() -> None:
    spec = DataSpec.of("t.csv::price=number::split_column=fold")
    assert spec == DataSpec("t.csv", "price=number", {"split_column": "fold"})
    assert str(spec) == "t.csv::price=number::split_column=fold"
    told = spec_with_settings("t.csv", {"data.split_column": "is_valid", "data.val": 0.1})
    assert (
        told
        == "t.csv::split_column=is_valid"
        == spec_with_settings(told, {"data.split_column": "auto"})
    )


def test_what_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataError, match="did you mean mnist") as caught:
        open_source("mnits")
    assert "there is no 'mnits'" in caught.value.what


def test_a_file_of_no_known_kind_is_refused(tree: Tree) -> None:
    with pytest.raises(DataError, match="is a file of no known kind"):
        open_source(tree("a.pdf") / "a.pdf")


def test_images_without_labels_are_told_how_to_get_some(tree: Tree) -> None:
    with pytest.raises(DataError) as caught:
        open_source(tree("1.jpg", "2.jpg"))
    assert "a folder of its own" in caught.value.hint


def test_what_is_found_again_is_absolute_and_a_name_stays_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_location("digits") == "digits"
    for name in ("digits", "mnist", "photos"):
        (tmp_path / name).mkdir()
    assert absolute_location("digits") == str(tmp_path / "digits")
    assert absolute_location("digits::") == "digits::"
    assert absolute_location("mnist::elsewhere") == "mnist::elsewhere"
    assert absolute_location("photos::(a)") == f"{tmp_path / 'photos'}::(a)"
    assert absolute_location(Path("mnist")) == str(tmp_path / "mnist")


def test_a_table_without_labels_is_read_where_none_are_needed(tree: Tree) -> None:
    root = tree("a/1.jpg", "2.jpg")
    for table in ("path\na/1.jpg\n2.jpg\n3.jpg\n", "path,label\na/1.jpg,\n2.jpg,\n3.jpg,\n"):
        (root / "t.csv").write_text(table)
        source = open_images(root / "t.csv")
        assert [(i.name, i.label) for i in source.read("all")] == [
            ("2.jpg", None),
            ("a/1.jpg", None),
        ]
        assert [str(s) for s in source.skipped] == ["'3.jpg' (not there)"]
        assert "2 images without labels" in source.notes[0]
    (root / "t.csv").write_text("path,label\na/1.jpg,x\n2.jpg\n")
    with pytest.raises(DataError, match="row 3"):
        open_images(root / "t.csv")


def test_a_run_is_no_data_and_no_table_of_it_is_named(tmp_path: Path) -> None:
    for name in ("recipe.toml", "split.csv", "images.csv"):
        (tmp_path / name).write_text("")
    with pytest.raises(DataError, match="is the folder of a run, which holds no images") as caught:
        open_source(tmp_path)
    assert f"saccade label-issues DATA --model {tmp_path}" in caught.value.hint
    assert ".csv" not in caught.value.hint


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (None, "digits"),
        ("mnist", "mnist"),
        ("/there/photos/", "photos"),
        ("/there/photos::^([^/]+)/", "photos::^([^/]+)/"),
        ("/there/t.csv::price=number::split_column=a/b", "t.csv::price=number::split_column=a/b"),
        ("/c/frames/frame-0123456789abcdef.csv", "data given in Python"),
    ],
)
def test_data_are_called_by_the_end_of_their_path_and_what_follows_it(
    data: str | None, title: str
) -> None:
    assert title_of(data) == title


def test_objects_are_not_called_by_their_copy_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path))
    assert (
        title_of(written_table((np.zeros((2, 8, 8), np.uint8), ["a", "b"])))
        == "data given in Python"
    )
