"""folder: what the folders of a tree of images mean, and what is said of the rest."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.image_files import walk
from saccade.data.sources.folder import folder
from saccade.data.sources.split_names import split_of
from saccade.errors import DataError

Tree = Callable[..., Path]


def names(root: Path, split: str = "all") -> list[str]:
    return [item.name for item in folder(root).read(split)]


def reasons(root: Path) -> dict[str, str]:
    return {one.name: one.reason for one in folder(root).skipped}


def test_a_folder_is_a_class_and_folders_below_it_belong_to_it(tree: Tree) -> None:
    source = folder(tree("cat/1.jpg", "cat/more/deep/2.png", "dog/1.jpg"))
    assert source.classes == ("cat", "dog")
    assert source.splits == ("all",)
    labels = {item.name: item.label for item in source.read("all")}
    assert labels == {"cat/1.jpg": "cat", "cat/more/deep/2.png": "cat", "dog/1.jpg": "dog"}


def test_class10_and_image_10_come_after_class2_and_image_2(tree: Tree) -> None:
    root = tree("class10/a.jpg", "class2/b10.jpg", "class2/b2.jpg", "Class1/z.jpg")
    assert folder(root).classes == ("Class1", "class2", "class10")
    assert names(root) == ["Class1/z.jpg", "class2/b2.jpg", "class2/b10.jpg", "class10/a.jpg"]


@pytest.mark.parametrize(
    "suffix",
    ["jpg", "jpeg", "JPEG", "png", "webp", "bmp", "gif", "tif", "TIFF", "ppm", "pgm", "pbm"],
)
def test_every_usual_suffix_is_an_image_in_any_case(tree: Tree, suffix: str) -> None:
    assert names(tree(f"a/1.{suffix}", "b/1.jpg"))[0] == f"a/1.{suffix}"


@pytest.mark.parametrize(
    ("spelling", "split"),
    [
        ("train", "train"), ("Training", "train"), ("TRAIN_SET", "train"), ("trainset", "train"),
        ("val", "val"), ("Valid", "val"), ("validation", "val"), ("dev", "val"),
        ("test", "test"), ("testing", "test"), ("holdout", "test"), ("held-out", "test"),
        ("trainer", None), ("testament", None), ("valley", None), ("develop", None),
    ],
)  # fmt: skip
def test_splits_have_many_spellings_and_words_that_start_alike_are_none(
    spelling: str, split: str | None
) -> None:
    assert split_of(spelling) == split


def test_split_folders_hold_class_folders(tree: Tree) -> None:
    root = tree("Training/cat/1.jpg", "Training/dog/2.jpg", "VALID/cat/3.jpg", "test/dog/4.jpg")
    source = folder(root)
    assert source.splits == ("train", "val", "test")
    assert names(root, "val") == ["VALID/cat/3.jpg"]
    assert source.read("test")[0].label == "dog"
    assert "val has no image of 1 of 2 classes: 'dog'" in source.notes
    assert "test has no image of 1 of 2 classes: 'cat'" in source.notes


def test_a_train_among_cars_and_buses_is_a_vehicle_and_that_is_said(tree: Tree) -> None:
    source = folder(tree("train/1.jpg", "car/1.jpg", "bus/1.jpg"))
    assert source.classes == ("bus", "car", "train")
    assert source.splits == ("all",)
    assert source.notes == ("'train' is read as a class, for other folders lie beside it",)


def test_folders_around_all_the_rest_are_passed_through_and_said(tree: Tree) -> None:
    source = folder(tree("set/v2/cat/1.jpg", "set/v2/dog/1.jpg"))
    assert source.classes == ("cat", "dog")
    assert source.notes == ("all images lie in 'set/v2'",)
    assert folder(tree("set/v2/cat/1.jpg")).read("all")[0].name == "set/v2/cat/1.jpg"


def test_what_is_left_out_is_said_with_the_reason(tree: Tree) -> None:
    root = tree(
        "cat/1.jpg", "dog/1.jpg", "cat/notes.txt", "cat/README", ".git/2.jpg", "cat/.3.jpg",
        "__MACOSX/cat/._1.jpg", "cat/Thumbs.db", "stray.jpg",
    )  # fmt: skip
    (root / "bird").mkdir()
    assert names(root) == ["cat/1.jpg", "dog/1.jpg"]
    assert reasons(root) == {
        ".git": "hidden", "__MACOSX": "hidden", "cat/.3.jpg": "hidden", "cat/Thumbs.db": "hidden",
        "cat/notes.txt": "not an image (.txt)", "cat/README": "not an image (no suffix)",
        "stray.jpg": "not in the folder of a class", "bird": "an empty folder",
    }  # fmt: skip


def test_images_beside_the_splits_are_left_out_and_said(tree: Tree) -> None:
    root = tree("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "unlabelled/x/1.jpg")
    assert reasons(root) == {"unlabelled/x/1.jpg": "in none of the folders test, train"}


def test_accents_written_in_two_ways_are_one_class(tree: Tree) -> None:
    source = folder(tree("train/caf\u00e9/1.jpg", "train/tea/1.jpg", "test/cafe\u0301/2.jpg"))
    assert source.classes == ("caf\u00e9", "tea")
    assert source.read("test")[0].label == "caf\u00e9"


def test_a_loop_of_links_ends_and_every_file_counts_once(tree: Tree) -> None:
    root = tree("cat/1.jpg", "dog/1.jpg")
    (root / "cat" / "again").symlink_to(root, target_is_directory=True)
    (root / "aaa").symlink_to(root / "dog", target_is_directory=True)
    assert names(root) == ["cat/1.jpg", "dog/1.jpg"]
    assert reasons(root) == {
        "aaa": "a link to 'dog', which is read already",
        "cat/again": f"a link to '{root}', which is read already",
    }


def test_a_link_to_itself_is_left_out_alone(tree: Tree) -> None:
    root = tree("a/1.jpg", "b/1.jpg")
    for name in ("a/0.jpg", "loop"):
        (root / name).symlink_to(Path(name).name)
    assert names(root) == ["a/1.jpg", "b/1.jpg"]
    assert reasons(root).keys() == {"loop", "a/0.jpg"}
    assert all(reason.startswith("cannot be read: ") for reason in reasons(root).values())


def test_a_linked_class_folder_and_a_linked_file_are_read(tree: Tree, tmp_path: Path) -> None:
    root = tree("cat/1.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2.jpg").write_bytes(b"two")
    (root / "dog").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (root / "cat" / "3.jpg").symlink_to(tmp_path / "elsewhere" / "2.jpg")
    (root / "cat" / "4.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert names(root) == ["cat/1.jpg", "cat/3.jpg", "dog/2.jpg"]
    assert reasons(root) == {"cat/4.jpg": "a link to nothing"}


@pytest.mark.skipif(sys.platform != "linux", reason="file names there are always text")
def test_a_name_that_is_no_text_is_left_out_and_said(tree: Tree) -> None:
    root = tree("cat/1.jpg", "dog/1.jpg")
    place = os.fsencode(root / "cat") + b"/\xff.jpg"
    os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
    assert reasons(root) == {"cat/\\udcff.jpg": "a name that is no valid text"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_said(tree: Tree) -> None:
    root = tree("cat/1.jpg", "dog/1.jpg", "secret/1.jpg")
    (root / "secret").chmod(0)
    try:
        assert reasons(root) == {"secret": "cannot be read: Permission denied"}
    finally:
        (root / "secret").chmod(0o755)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "is empty"),
        (["a.txt", "b/c.txt", "d.pdf"], "holds no image: 2 not an image (.txt), 1 not a"),
        (["1.jpg", "2.jpg"], "lie in no class folders"),
        (["train/1.jpg", "test/1.jpg"], "the images in 'test' of"),
        (["train/a/1.jpg", "train/b/1.jpg", "training/a/1.jpg"], "several folders for train"),
        (["train/a/1.jpg", "train/b/1.jpg", "test/c/1.jpg"], "holds 'c' (1), which is no known"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_a_hint(
    tree: Tree, files: list[str], message: str
) -> None:
    root = tree(*files)
    with pytest.raises(DataError) as caught:
        folder(root)
    assert message in caught.value.what
    assert caught.value.hint


def test_a_folder_that_is_missing_or_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        folder(tmp_path / "nowhere")
    (tmp_path / "file.jpg").touch()
    with pytest.raises(DataError, match="is a file where a folder is needed"):
        folder(tmp_path / "file.jpg")


def test_every_file_found_is_either_an_image_or_skipped(tree: Tree) -> None:
    files = [f"{one}/{at}.{end}" for one in "abc" for at in range(5) for end in ("jpg", "txt")]
    found = walk(tree(*files))
    assert len(found.images) + len(found.skipped) == len(files)


def test_hymenoptera_has_its_published_counts(shared_data: Path) -> None:
    source = folder(shared_data / "hymenoptera")
    assert source.classes == ("ants", "bees")
    assert {split: len(source.read(split)) for split in source.splits} == {"train": 245, "val": 153}
    assert [one.name for one in source.skipped] == ["SOURCE.txt"]


def test_images_of_formats_that_are_not_read_say_so(tree: Tree) -> None:
    root = tree("cat/1.jpg", "dog/1.jpg", "dog/2.HEIC", "dog/3.nef")
    (root / "dog" / "3.nef").write_bytes(b"II*\0" + bytes(200))  # a preview, as TIFF
    assert {skipped.name: skipped.reason for skipped in folder(root).skipped} == {
        "dog/2.HEIC": "HEIC, which is not read: save it as JPEG",
        "dog/3.nef": "a camera's raw file, which is not read: save it as JPEG",
    }
